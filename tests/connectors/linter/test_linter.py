"""The linter: what it says of settings, line by line, and that it never repeats what was pasted."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import snippets, tokens
from connectors.linter import Here, Known, lint
from connectors.snippets import collector, helper

SECRET = tokens.generate("ingest")
OTHER = tokens.generate("ingest")
ENDPOINT = "https://otlp.acme.example"
WORKS = Known("laptops", "ingest", "", frozenset({"logs", "metrics"}), False)
HERE = Here(ENDPOINT, lambda secret: WORKS if secret == SECRET else None)
GOOD = json.loads(snippets.claude_code(ENDPOINT, SECRET))["env"]


def here(**known):
    values = {"name": "laptops", "kind": "ingest", "ended": "", "signals": {"logs", "metrics"}, "drops_content": False}
    return Here(ENDPOINT, lambda secret: Known(**{**values, **known}))


def pasted(**changes):
    """The good settings, changed: None takes a variable out. One variable a line; the first is on line 3."""
    environment = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return json.dumps({"env": environment}, indent=2)


def told(text, place="", portal=HERE):
    return [(each.kind, each.subject, each.told) for each in lint(text, place, portal)]


def found(text, kind, subject, place="", portal=HERE):
    """The remark of that kind about that subject; there has to be one."""
    remarks = [each for each in lint(text, place, portal) if (each.kind, each.subject) == (kind, subject)]
    assert remarks, told(text, place, portal)
    return remarks[0]


def serious(text, place="", portal=HERE):
    return [each for each in told(text, place, portal) if each[0] != "note"]


ENDPOINT_NAME, HEADERS = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"


@pytest.mark.parametrize("level", snippets.LEVELS[1:3])
def test_our_own_settings_need_no_change(level):
    assert serious(snippets.claude_code(ENDPOINT, SECRET, level=level)) == []
    lines = snippets.shell(snippets.environment(ENDPOINT, SECRET, level=level)).text
    assert serious(lines) == []


def test_our_own_settings_for_counts_need_no_change():
    text = snippets.claude_code(ENDPOINT, SECRET, ["metrics"], snippets.LEVELS[0])
    assert serious(text, portal=here(signals={"metrics"})) == []


def test_our_own_settings_with_a_helper_need_no_change():
    for made in helper.settings(snippets.environment(ENDPOINT, None)):
        assert serious(made.text) == []
        assert found(made.text, "note", "otelHeadersHelper").line == 2


WRONG = [
    ({"CLAUDE_CODE_ENABLE_TELEMETRY": None}, "missing", "CLAUDE_CODE_ENABLE_TELEMETRY", "nothing is sent"),
    ({"CLAUDE_CODE_ENABLE_TELEMETRY": "0"}, "wrong", "CLAUDE_CODE_ENABLE_TELEMETRY", "has to be 1"),
    ({"OTEL_LOGS_EXPORTER": None}, "missing", "OTEL_LOGS_EXPORTER", "no event arrives"),
    ({"OTEL_LOGS_EXPORTER": "none"}, "note", "OTEL_LOGS_EXPORTER", "no event arrives"),
    ({"OTEL_LOGS_EXPORTER": "console"}, "wrong", "OTEL_LOGS_EXPORTER", "not otlp"),
    ({"OTEL_METRICS_EXPORTER": "oltp"}, "wrong", "OTEL_METRICS_EXPORTER", "no exporter"),
    ({"OTEL_TRACES_EXPORTER": "otlp"}, "ignored", "OTEL_TRACES_EXPORTER", "no effect without"),
    ({"OTEL_EXPORTER_OTLP_PROTOCOL": None}, "missing", "OTEL_EXPORTER_OTLP_PROTOCOL", "no default"),
    ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http"}, "wrong", "OTEL_EXPORTER_OTLP_PROTOCOL", "written exactly so"),
    ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "wrong", "OTEL_EXPORTER_OTLP_PROTOCOL", "sends nothing again"),
    ({ENDPOINT_NAME: None}, "missing", ENDPOINT_NAME, ENDPOINT),
    ({ENDPOINT_NAME: "otlp.acme.example:4318"}, "wrong", ENDPOINT_NAME, "begins with http"),
    ({ENDPOINT_NAME: "https://otlp.acme.example:4317"}, "wrong", ENDPOINT_NAME, "4317"),
    ({ENDPOINT_NAME: "http://otlp.acme.example"}, "wrong", ENDPOINT_NAME, "unencrypted"),
    ({ENDPOINT_NAME: "https://otlp.acme.example/v1/logs"}, "wrong", ENDPOINT_NAME, "leave the path off"),
    ({ENDPOINT_NAME: "https://u:p@otlp.acme.example"}, "wrong", ENDPOINT_NAME, "No user"),
    ({ENDPOINT_NAME: "https://otlp.acme.example:8443"}, "doubt", ENDPOINT_NAME, "port differs"),
    ({ENDPOINT_NAME: "http://localhost:4318"}, "doubt", ENDPOINT_NAME, "this machine's own"),
    ({ENDPOINT_NAME: "https://other.example"}, "note", ENDPOINT_NAME, "another address"),
    (
        {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": ENDPOINT},
        "wrong",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "has to end in /v1/logs",
    ),
    (
        {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f"{ENDPOINT}/v1/logs"},
        "doubt",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "One is enough",
    ),
    ({HEADERS: None}, "missing", HEADERS, "401"),
    ({HEADERS: "x-team=payments"}, "missing", HEADERS, "no Authorization"),
    ({HEADERS: f"Authorization: Bearer {SECRET}"}, "wrong", HEADERS, "not a colon"),
    ({HEADERS: f'Authorization="Bearer {SECRET}"'}, "wrong", HEADERS, "Quotes"),
    ({HEADERS: f"Authorization= Bearer {SECRET} "}, "doubt", HEADERS, "Blanks"),
    ({HEADERS: f"Authorization={SECRET}"}, "wrong", HEADERS, "Bearer, a blank"),
    ({HEADERS: f"Authorization=Basic {SECRET}"}, "wrong", HEADERS, "Bearer, a blank"),
    ({HEADERS: "Authorization=Bearer <token>"}, "wrong", HEADERS, "placeholder"),
    ({HEADERS: "Authorization=Bearer ${TOKEN}"}, "wrong", HEADERS, "replace no variables"),
    ({HEADERS: f"Authorization=Bearer {SECRET[:-1]}"}, "wrong", HEADERS, "cut, mistyped"),
    ({HEADERS: f"Authorization=Bearer {tokens.generate('api')}"}, "wrong", HEADERS, "API token"),
    ({HEADERS: f"Authorization=Bearer {OTHER}"}, "wrong", HEADERS, "another portal's"),
    ({"OTEL_METRIC_EXPORT_INTERVAL": "60s"}, "wrong", "OTEL_METRIC_EXPORT_INTERVAL", "milliseconds"),
    ({"OTEL_METRIC_EXPORT_INTERVAL": "60"}, "doubt", "OTEL_METRIC_EXPORT_INTERVAL", "less than a second"),
    ({"OTEL_LOGS_EXPORT_INTERVAL": "600000"}, "doubt", "OTEL_LOGS_EXPORT_INTERVAL", "lost when"),
    ({"OTEL_METRICS_INCLUDE_ENTRYPOINT": None}, "advised", "OTEL_METRICS_INCLUDE_ENTRYPOINT", "How Claude Code"),
    ({"OTEL_METRICS_INCLUDE_REPOSITORY": "false"}, "advised", "OTEL_METRICS_INCLUDE_REPOSITORY", "repository"),
    ({"OTEL_METRICS_INCLUDE_SESSION_ID": "false"}, "wrong", "OTEL_METRICS_INCLUDE_SESSION_ID", "session"),
    ({"OTEL_LOG_TOOL_DETAILS": None}, "note", "OTEL_LOG_TOOL_DETAILS", "custom"),
    ({"OTEL_LOG_USER_PROMPTS": "1", "OTEL_LOG_ASSISTANT_RESPONSES": None}, "doubt", "OTEL_LOG_USER_PROMPTS", "Replies"),
    ({"OTEL_LOG_ASSISTANT_RESPONSES": "1"}, "doubt", "OTEL_LOG_ASSISTANT_RESPONSES", "replies"),
    ({"OTEL_LOG_TOOL_CONTENT": "1"}, "ignored", "OTEL_LOG_TOOL_CONTENT", "traces only"),
    ({"OTEL_LOG_RAW_API_BODIES": "file:/tmp/x"}, "wrong", "OTEL_LOG_RAW_API_BODIES", "Whole conversations"),
    ({"DISABLE_TELEMETRY": "1"}, "note", "DISABLE_TELEMETRY", "goes to Anthropic"),
    ({"OTEL_RESOURCE_ATTRIBUTES": "team=Site Reliability"}, "wrong", "OTEL_RESOURCE_ATTRIBUTES", "No blanks"),
    ({"OTEL_LOGS_EXPORTERS": "otlp"}, "doubt", "OTEL_LOGS_EXPORTERS", "OTEL_LOGS_EXPORTER"),
]


@pytest.mark.parametrize(("changes", "kind", "subject", "why"), WRONG, ids=range(len(WRONG)))
def test_it_says_what_is_wrong_on_which_line(changes, kind, subject, why):
    text = pasted(**changes)
    remark = next(
        each for each in lint(text, "", HERE) if (each.kind, each.subject) == (kind, subject) and why in each.told
    )
    lines = [number for number, line in enumerate(text.splitlines(), 1) if f'"{subject}"' in line]
    assert remark.line == (lines[0] if lines else 0)


@pytest.mark.parametrize(
    ("known", "kind", "subject", "why"),
    [
        ({"ended": "revoked"}, "wrong", HEADERS, "revoked"),
        ({"ended": "expired"}, "wrong", HEADERS, "expired"),
        ({"signals": {"metrics"}}, "wrong", "OTEL_LOGS_EXPORTER", "takes no logs"),
        ({"drops_content": True}, "ignored", "OTEL_LOG_TOOL_DETAILS", "drops content"),
        ({}, "note", HEADERS, "works"),
    ],
)
def test_it_knows_the_token(known, kind, subject, why):
    assert why in found(pasted(), kind, subject, portal=here(**known)).told


@pytest.mark.parametrize(
    ("place", "kind", "why"),
    [
        (r"C:\ProgramData\ClaudeCode\managed-settings.json", "wrong", r"C:\Program Files"),
        ("/home/rosa/payments/.claude/settings.json", "ignored", "project"),
        (".claude/settings.local.json", "ignored", "2.1.282"),
        ("~/.claude/remote-settings.json", "ignored", "overwritten"),
        ("console", "note", "declines"),
        ("~/.claude/settings.json", "note", "one person"),
        (r"C:\Users\rosa\.claude\settings.json", "note", "one person"),
        ("/opt/claude-code/managed-settings.json", "doubt", "only from the paths"),
    ],
)
def test_it_knows_where_settings_are_read(place, kind, why):
    assert any(each[0] == kind and why in each[2] for each in told(pasted(), place)), told(pasted(), place)


@pytest.mark.parametrize(
    "place",
    ["/etc/claude-code/managed-settings.json", r"C:\Program Files\ClaudeCode\managed-settings.d\50-x.json", ""],
)
def test_right_places_need_no_word(place):
    assert serious(pasted(), place) == []


def test_the_form_of_json():
    assert "no JSON" in found('{"env": {"OTEL_LOGS_EXPORTER": "otlp",}}', "wrong", "Text").told
    assert found('{\n"env": {}\n"x": 1}', "wrong", "Text").line == 3
    assert found('{"OTEL_LOGS_EXPORTER": "otlp"}', "ignored", "OTEL_LOGS_EXPORTER")
    assert found('{"permissions": {}}', "missing", "env")
    assert found('{"env": {"OTEL_LOG_USER_PROMPTS": 1}}', "wrong", "OTEL_LOG_USER_PROMPTS")
    twice = '{"env": {\n"OTEL_LOGS_EXPORTER": "none",\n"OTEL_LOGS_EXPORTER": "otlp"}}'
    assert found(twice, "doubt", "OTEL_LOGS_EXPORTER").line == 3


def test_the_form_of_lines():
    assert found("export OTEL_LOGS_EXPORTER = otlp", "wrong", "Text").told.startswith("A shell")
    assert found("export OTEL_LOGS_EXPORTER=otlp\nnonsense\n", "wrong", "Text").line == 2
    for line in ("$env:OTEL_LOGS_EXPORTER = 'otlp'", "setx OTEL_LOGS_EXPORTER otlp", "set OTEL_LOGS_EXPORTER=otlp"):
        assert not [each for each in told(line) if each[1] in {"Text", "OTEL_LOGS_EXPORTER"}]
    text = "export OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer '\"$TOKEN\"\n"
    assert found(f"export OTEL_LOGS_EXPORTER=otlp\n{text}", "note", HEADERS).line == 2


COLLECTOR = """\
receivers: {otlp: {protocols: {http: {}}}}
exporters:
  otlphttp/agents:
    endpoint: https://otlp.acme.example/v1/logs
    compression: zstd
    headers:
      Authorization: Bearer TOKEN
""".replace("TOKEN", SECRET)


def test_a_collectors_yaml():
    assert found(COLLECTOR, "doubt", "otlphttp").line == 3
    assert found(COLLECTOR, "wrong", "endpoint").line == 4
    assert found(COLLECTOR, "wrong", "compression").line == 5
    assert found(COLLECTOR, "doubt", "token").line == 7
    assert found(COLLECTOR, "doubt", "sending_queue")
    assert told(collector.config(ENDPOINT)) == []


def test_other_forms_are_asked_for_as_json():
    scheme = json.loads(pasted())
    for made in (snippets.profile(ENDPOINT, scheme), snippets.registry_file(scheme)):
        assert [(each[0], "as JSON" in each[2]) for each in told(made.text)] == [("wrong", True)]


def test_nothing_is_said_of_nothing():
    assert lint("", "", HERE) == lint(" \n\t", "console", HERE) == []


# ── Whatever is pasted ──────────────────────────────────────────────────────────────────────────

NAMES = st.sampled_from([*GOOD, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_RESOURCE_ATTRIBUTES", "otelHeadersHelper"])
TOKENS = st.sampled_from([SECRET, OTHER, tokens.generate("api")])
PIECES = st.one_of(
    TOKENS,
    NAMES,
    st.text(max_size=8),
    st.sampled_from(['"', "{", "}", ":", ",", "=", "\n", "env", "Bearer ", "[", "\\"]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | TOKENS,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES | st.text() | TOKENS, inner),
    max_leaves=12,
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=30).map("".join),
    JSON.map(json.dumps),
    st.dictionaries(NAMES, st.text() | TOKENS).map(lambda env: json.dumps({"env": env}, indent=1)),
    st.dictionaries(NAMES, st.text() | TOKENS).map(lambda env: "\n".join(f"{k}={v}" for k, v in env.items())),
    st.lists(PIECES).map(lambda pieces: "exporters:\n  " + "".join(pieces)),
    st.text(),
)


@given(text=TEXTS, place=st.text() | TOKENS)
def test_it_never_crashes_and_never_repeats_a_token(text, place):
    for remark in lint(text, place, HERE):
        shown = f"{remark.subject} {remark.told}"
        assert not re.search(r"agp_(ing|api)_[0-9A-Za-z]", shown)
        assert all(each[8:51] not in shown for each in (SECRET, OTHER))


@given(value=st.text(alphabet="abcdefghijkmnopqrstuvwxyz!%", min_size=12, max_size=30), name=NAMES)
def test_it_repeats_no_value_at_all(value, name):
    for text in (pasted(**{name: value}), f"{name}={value}", json.dumps({value: value, "env": {value: value}})):
        assert value not in repr(lint(text, "", HERE))
