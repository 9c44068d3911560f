"""Which of Claude Code's switches a client has on, as far as what it sends tells (interfaces.md §1.1, §1.3, §1.5).

A switch is told by events, never by silence: for each, the newest event that says on and the newest that says off are
remembered, by their ids, which begin with the receive time. So it does not matter in which order events are looked at.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from audit import identifiers
from audit.drafts import Attribute
from audit.parts import REDACTED

Evidence = dict[str, dict[str, str]]
"""By switch: `on` and `off`, each the id of the newest event that says so."""

BODIES_APART = dt.timedelta(hours=1)
"""A client that sends bodies sends plain requests too: those say off only where no body came for so long."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One setting of the client. `on` and `off` say what an event shows of it, as a reader would."""

    name: str
    on: str
    off: str


SWITCHES = (
    Switch("OTEL_LOG_USER_PROMPTS", "a prompt came with its text", "a prompt came without its text"),
    Switch("OTEL_LOG_ASSISTANT_RESPONSES", "a response came with its text", "a response came without its text"),
    Switch("OTEL_LOG_TOOL_DETAILS", "a tool call came with its input", "a command or MCP call came without its input"),
    Switch("OTEL_LOG_RAW_API_BODIES", "a whole request or response came", "requests came without their bodies"),
    Switch("OTEL_METRICS_INCLUDE_ENTRYPOINT", "events name the entry point", "events name no entry point"),
    Switch("OTEL_METRICS_INCLUDE_REPOSITORY", "events name the repository", ""),
    Switch("OTEL_METRICS_INCLUDE_VERSION", "events name the client's version", "events name no version"),
)
BY_NAME = {switch.name: switch for switch in SWITCHES}


def _came(key: str) -> str:
    return f"""coalesce(position('["@{key}",'::bytea IN content.bytes) > 0, false)"""


def _dropped(key: str) -> str:
    return f"""position('["dropped","{key}"]'::bytea IN event.header) > 0"""


def _withheld(key: str) -> str:
    return f"""coalesce(position('["@{key}","string","{REDACTED}"]'::bytea IN content.bytes) > 0, false)"""


_DETAILS = " OR ".join(f"{_came(key)} OR {_dropped(key)}" for key in ("tool_parameters", "tool_input"))
_ERASED = "event.content_commitment <> decode(repeat('00', 32), 'hex') AND content.event_id IS NULL"

TELLING: dict[str, str] = {
    "OTEL_LOG_USER_PROMPTS on": f"event.event_name = 'user_prompt' AND NOT {_withheld('prompt')}"
    f" AND ({_came('prompt')} OR {_dropped('prompt')})",
    "OTEL_LOG_USER_PROMPTS off": f"event.event_name = 'user_prompt' AND {_withheld('prompt')}",
    "OTEL_LOG_ASSISTANT_RESPONSES on": f"event.event_name = 'assistant_response' AND NOT {_withheld('response')}"
    f" AND ({_came('response')} OR {_dropped('response')})",
    "OTEL_LOG_ASSISTANT_RESPONSES off": f"event.event_name = 'assistant_response' AND {_withheld('response')}",
    "OTEL_LOG_TOOL_DETAILS on": f"event.kind IN ('tool_decision', 'tool_result') AND ({_DETAILS})",
    "OTEL_LOG_TOOL_DETAILS off": "event.kind IN ('tool_decision', 'tool_result')"
    f" AND event.tool_name IN ('Bash', 'mcp_tool') AND NOT ({_ERASED}) AND NOT ({_DETAILS})",
    "OTEL_LOG_RAW_API_BODIES on": "event.event_name IN ('api_request_body', 'api_response_body')",
    "OTEL_LOG_RAW_API_BODIES off": "event.event_name = 'api_request'",
}
"""What an event says of a switch, as a condition on `event` (audit_event) and `content` (audit_content, if any).

Parts are compact JSON, in which a quote inside a text is escaped: what stands here is found only where it is a key.
"""


def of_origin(attributes: Iterable[Attribute]) -> dict[str, bool]:
    """The switches that show in how a client describes itself. Without a Git remote there is no repository to name."""
    own = {key.removeprefix("@") for key, _, _ in attributes if key.startswith("@")}
    told = {
        "OTEL_METRICS_INCLUDE_ENTRYPOINT": "app.entrypoint" in own,
        "OTEL_METRICS_INCLUDE_VERSION": "app.version" in own,
    }
    if "vcs.repository.name" in own:
        told["OTEL_METRICS_INCLUDE_REPOSITORY"] = True
    return told


def joined(one: Evidence, other: Evidence) -> Evidence:
    """Of each switch the newest event either way."""
    both: Evidence = {}
    for name in sorted(one.keys() | other.keys()):
        first, second = one.get(name, {}), other.get(name, {})
        both[name] = {
            side: max(first.get(side, ""), second.get(side, "")) for side in sorted(first.keys() | second.keys())
        }
    return both


def states(evidence: Mapping[str, Mapping[str, str]]) -> dict[str, bool]:
    """On or off; what nothing tells of is absent."""
    return {name: _is_on(name, said.get("on", ""), said.get("off", "")) for name, said in evidence.items() if said}


def _is_on(name: str, on: str, off: str) -> bool:
    if on and off and name == "OTEL_LOG_RAW_API_BODIES":
        return identifiers.received_at(UUID(off)) - identifiers.received_at(UUID(on)) <= BODIES_APART
    return on > off
