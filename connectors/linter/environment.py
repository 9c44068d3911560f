"""Rules over the variables: switches, exporters, protocol, intervals, content, and what is often misunderstood."""

import difflib
from collections.abc import Iterator

from connectors.linter.pasted import Pasted, is_name
from connectors.linter.remarks import ADVISED, DOUBT, IGNORED, MISSING, NOTE, WRONG, Remark
from connectors.snippets.levels import DECIDABLE, TOOL_DETAILS, UNSET, WITHHELD

SIGNALS = ("logs", "metrics", "traces")
ON = ("1", "true", "yes", "on")
PROTOCOLS = ("http/protobuf", "http/json", "grpc")
_ENABLE = "CLAUDE_CODE_ENABLE_TELEMETRY"
_BETA = ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "ENABLE_ENHANCED_TELEMETRY_BETA")
_ELSEWHERE = (
    "DISABLE_TELEMETRY",
    "DO_NOT_TRACK",
    "DISABLE_ERROR_REPORTING",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
)
_EXPORTERS = {"otlp", "console", "prometheus", "none"}
_INTERVALS = {
    "OTEL_METRIC_EXPORT_INTERVAL": 3_600_000,
    "OTEL_LOGS_EXPORT_INTERVAL": 30_000,
    "OTEL_TRACES_EXPORT_INTERVAL": 30_000,
}
KNOWN = {
    _ENABLE, *_BETA, *_ELSEWHERE, *_INTERVALS,
    *(each.name for each in (*DECIDABLE, *WITHHELD, *UNSET)),
    *(f"OTEL_{signal.upper()}_EXPORTER" for signal in SIGNALS),
    *(f"OTEL_EXPORTER_OTLP_{part}{what}" for part in ("", "LOGS_", "METRICS_", "TRACES_")
      for what in ("ENDPOINT", "PROTOCOL", "HEADERS", "COMPRESSION", "TIMEOUT", "CERTIFICATE", "CLIENT_KEY",
                   "CLIENT_CERTIFICATE", "INSECURE")),
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME",
    "OTEL_METRICS_INCLUDE_SESSION_ID", "OTEL_METRICS_INCLUDE_ACCOUNT_UUID",
    "OTEL_METRICS_INCLUDE_RESOURCE_ATTRIBUTES", "OTEL_RESOURCE_INCLUDE_HOST", "OTEL_LOG_MANAGED_SETTINGS",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS",
    "CLAUDE_CODE_OTEL_FLUSH_TIMEOUT_MS", "CLAUDE_CODE_OTEL_SHUTDOWN_TIMEOUT_MS", "CLAUDE_CODE_OTEL_DIAG_STDERR",
    "CLAUDE_CODE_OTEL_CONTENT_MAX_LENGTH", "CLAUDE_CODE_PROPAGATE_TRACEPARENT", "CLAUDE_CODE_CLIENT_CERT",
    "CLAUDE_CODE_CLIENT_KEY", "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE", "CLAUDE_CODE_ENABLE_FEEDBACK_SURVEY_FOR_OTEL",
    "ENABLE_BETA_TRACING_DETAILED", "BETA_TRACING_ENDPOINT",
}  # fmt: skip
"""The variables of telemetry that are known, to tell a mistyped one."""


def is_on(value: str) -> bool:
    return value.strip().lower() in ON


def exported(pasted: Pasted) -> list[str]:
    """The signals that are sent by OTLP."""
    return [each for each in SIGNALS if "otlp" in _exporters(pasted, each)]


def _exporters(pasted: Pasted, signal: str) -> list[str]:
    return [each.strip() for each in pasted.get(f"OTEL_{signal.upper()}_EXPORTER").split(",") if each.strip()]


def protocol_of(pasted: Pasted, signal: str) -> str:
    generic = pasted.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    return (pasted.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL") or generic).strip()


def remarks(pasted: Pasted) -> Iterator[Remark]:
    yield from _switch(pasted)
    yield from _selectors(pasted)
    yield from _protocols(pasted)
    yield from _intervals(pasted)
    yield from _decidable(pasted)
    yield from _content(pasted)
    yield from _misunderstood(pasted)
    yield from _mistyped(pasted)


def _switch(pasted: Pasted) -> Iterator[Remark]:
    if _ENABLE not in pasted.variables:
        yield Remark(MISSING, 0, _ENABLE, "Without it nothing is sent at all. It has to be 1.")
    elif not is_on(pasted.get(_ENABLE)):
        yield Remark(WRONG, pasted.line(_ENABLE), _ENABLE, "It has to be 1: as it is, nothing is sent.")


def _selectors(pasted: Pasted) -> Iterator[Remark]:
    for signal, without in (
        ("logs", "no event arrives: no session, decision, mode change or MCP connection"),
        ("metrics", "no count arrives: lines, commits, and cost only as far as events tell it"),
    ):
        name = f"OTEL_{signal.upper()}_EXPORTER"
        chosen = _exporters(pasted, signal)
        if not chosen:
            yield Remark(MISSING, pasted.line(name), name, f"Without it {without}. It has to be otlp.")
        elif unknown := set(chosen) - _EXPORTERS:
            told = f"{len(unknown)} of its words is no exporter; known are {', '.join(sorted(_EXPORTERS))}."
            yield Remark(WRONG, pasted.line(name), name, told)
        elif "otlp" not in chosen:
            kind = NOTE if chosen == ["none"] else WRONG
            yield Remark(kind, pasted.line(name), name, f"It is not otlp, so that {without}.")
    if "traces" in exported(pasted):
        beta = any(is_on(pasted.get(name)) for name in _BETA)
        told = "This version of the portal takes no traces." if beta else f"It has no effect without {_BETA[0]}."
        yield Remark(IGNORED, pasted.line("OTEL_TRACES_EXPORTER"), "OTEL_TRACES_EXPORTER", told)


def _protocols(pasted: Pasted) -> Iterator[Remark]:
    names = ["OTEL_EXPORTER_OTLP_PROTOCOL"]
    names += [f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL" for signal in SIGNALS]
    for name in names:
        value = pasted.get(name).strip()
        if value and value not in PROTOCOLS:
            told = f"There are {', '.join(PROTOCOLS)}, written exactly so."
            yield Remark(WRONG, pasted.line(name), name, told)
        elif value == "grpc":
            told = (
                "Over gRPC Claude Code sends nothing again, whatever the answer was, and otelHeadersHelper does not "
                "work. This portal is reached with http/protobuf or http/json."
            )
            yield Remark(WRONG, pasted.line(name), name, told)
    for signal in exported(pasted):
        if not protocol_of(pasted, signal):
            told = f"Claude Code has no default for it: without it no {signal} are sent. Write http/protobuf."
            yield Remark(MISSING, 0, names[0], told)
            return


def _intervals(pasted: Pasted) -> Iterator[Remark]:
    for name, longest in _INTERVALS.items():
        if name not in pasted.variables:
            continue
        value, line = pasted.get(name).strip(), pasted.line(name)
        if not (value.isascii() and value.isdecimal()) or int(value[:12]) == 0:
            yield Remark(WRONG, line, name, "It is a whole number of milliseconds above 0.")
        elif int(value[:12]) < 1000:
            yield Remark(DOUBT, line, name, "It is in milliseconds: this is less than a second.")
        elif int(value[:12]) > longest:
            told = f"More than {longest // 1000} seconds: what waits is lost when the machine dies."
            yield Remark(DOUBT, line, name, told)


def _decidable(pasted: Pasted) -> Iterator[Remark]:
    if "logs" not in exported(pasted):
        return
    for switch in DECIDABLE:
        if switch is TOOL_DETAILS or is_on(pasted.get(switch.name)):
            continue
        yield Remark(ADVISED, pasted.line(switch.name), switch.name, f"It would send: {switch.sends}")
    if not is_on(pasted.get(TOOL_DETAILS.name)):
        told = (
            "Off: no command, no path, and every MCP server is called “custom”. That is right for the level "
            "“Metadata”; no search for a command or a server finds anything."
        )
        yield Remark(NOTE, pasted.line(TOOL_DETAILS.name), TOOL_DETAILS.name, told)
    name = "OTEL_METRICS_INCLUDE_SESSION_ID"
    if name in pasted.variables and not is_on(pasted.get(name)):
        told = "It takes the session off the events as well: no event then belongs to a session."
        yield Remark(WRONG, pasted.line(name), name, told)


def _content(pasted: Pasted) -> Iterator[Remark]:
    prompts, responses = (pasted.get(each.name) for each in WITHHELD)
    if is_on(prompts):
        also = "" if responses else " Replies are sent as well, as their own switch is not set."
        told = f"The text of prompts is sent: state a purpose, and tell the people.{also}"
        yield Remark(DOUBT, pasted.line(WITHHELD[0].name), WITHHELD[0].name, told)
    if is_on(responses):
        told = "The text of replies is sent: state a purpose, and tell the people."
        yield Remark(DOUBT, pasted.line(WITHHELD[1].name), WITHHELD[1].name, told)
    tool_content, raw_bodies = UNSET
    if is_on(pasted.get(tool_content.name)):
        told = "It adds to traces only, which this version of the portal does not take."
        yield Remark(IGNORED, pasted.line(tool_content.name), tool_content.name, told)
    if pasted.get(raw_bodies.name) not in {"", "0", "false"}:
        told = "Whole conversations are sent, and it stands for consent to every other content switch. Take it out."
        yield Remark(WRONG, pasted.line(raw_bodies.name), raw_bodies.name, told)


def _misunderstood(pasted: Pasted) -> Iterator[Remark]:
    for name in _ELSEWHERE:
        if name in pasted.variables:
            told = "It is about what goes to Anthropic, and neither stops nor starts what goes here."
            yield Remark(NOTE, pasted.line(name), name, told)
    name = "OTEL_RESOURCE_ATTRIBUTES"
    if any(letter.isspace() or letter in "\"'" for letter in pasted.get(name)):
        told = "No blanks and no quotes: key=value,key=value, with anything else percent-encoded."
        yield Remark(WRONG, pasted.line(name), name, told)


def _mistyped(pasted: Pasted) -> Iterator[Remark]:
    for name, variable in pasted.variables.items():
        if name in KNOWN or not is_name(name) or not name.startswith(("OTEL_", "CLAUDE_CODE_")):
            continue
        if close := difflib.get_close_matches(name, KNOWN, 1, 0.85):
            yield Remark(DOUBT, variable.line, name, f"It is not known. Is {close[0]} meant?")
