"""Typed columns: both generations of types, MCP names, commands, errors, and what is left out."""

import datetime as dt
import json
from typing import Any

import pytest

from ingest.agents import SessionMemory, drafts
from tests.ingest.agents.captured import RECEIVED_AT_US, SCRUBBER, claude, log_record, map_one


@pytest.mark.parametrize("spelled", ["143", 143, 143.0, "143.0"])
def test_it_reads_a_number_in_every_spelling(spelled: Any) -> None:
    draft = claude("tool_result", duration_ms=spelled)
    assert (draft.duration_ms, draft.flags) == (143, ())


@pytest.mark.parametrize("spelled", ["true", "True", True])
def test_it_reads_a_boolean_in_both_spellings(spelled: Any) -> None:
    assert claude("tool_result", success=spelled).outcome == "success"
    assert claude("tool_result", success="false").outcome == "failure"
    assert claude("tool_result", success=False).outcome == "failure"
    assert claude("tool_result").outcome is None


@pytest.mark.parametrize(
    ("event", "key", "value"),
    [
        ("tool_result", "duration_ms", "soon"),
        ("tool_result", "duration_ms", "1_0"),
        ("tool_result", "duration_ms", "٣"),
        ("tool_result", "duration_ms", "9" * 5000),
        ("tool_result", "duration_ms", 2**63),
        ("tool_result", "duration_ms", "1e400"),
        ("tool_result", "duration_ms", float("1e300")),
        ("tool_result", "duration_ms", True),
        ("tool_result", "success", "perhaps"),
        ("tool_result", "success", 1),
        ("tool_result", "tool_name", 7),
        ("tool_decision", "decision", True),
        ("tool_decision", "tool_parameters", 3),
        ("api_request", "cost_usd", "NaN"),
        ("api_request", "cost_usd_micros", 10**17),
        ("api_request", "input_tokens", "many"),
    ],
)
def test_it_leaves_an_odd_value_out_of_its_column_and_says_so(event: str, key: str, value: Any) -> None:
    draft = claude(event, **{key: value})
    assert "odd_value" in draft.flags
    assert (f"@{key}", value) in [(name, kept) for name, _, kept in (*draft.facts, *draft.content)]
    assert (draft.duration_ms, draft.cost_usd, draft.input_tokens, draft.tool_name) == (None, None, None, None)


@pytest.mark.parametrize(
    ("sent", "cost"),
    [
        ({"cost_usd": 0.016472, "cost_usd_micros": 16472}, "0.016472"),
        ({"cost_usd": 0.29, "cost_usd_micros": 300000}, "0.3"),
        ({"cost_usd": 0.1 + 0.2}, "0.3"),
        ({"cost_usd": 1}, "1.0"),
        ({"cost_usd": 0}, "0.0"),
        ({"cost_usd": "0.25"}, "0.25"),
        ({"cost_usd": 1e-7}, "0.0000001"),
        ({"cost_usd": 1e-300}, "0.0"),
        ({}, None),
    ],
)
def test_it_gives_cost_as_an_exact_decimal(sent: dict[str, Any], cost: str | None) -> None:
    draft = claude("api_request", **sent)
    assert (draft.cost_usd, draft.flags) == (cost, ())


def test_it_fills_the_columns_of_a_model_call() -> None:
    draft = claude(
        "api_request",
        prompt__id="p-1",
        event__sequence="7",
        model="claude-opus-5-5",
        input_tokens=13,
        output_tokens="21",
        cache_read_tokens=0,
        cache_creation_tokens=3200,
        duration_ms=116,
        request_id="req_1",
        query_source="agent:builtin:general-purpose",
        agent_id="a49",
        mcp_server__name="prod-db",
        mcp_tool__name="query",
    )
    assert (draft.kind, draft.event_name, draft.session_id, draft.prompt_id) == (
        "api_request",
        "api_request",
        "s-1",
        "p-1",
    )
    assert (draft.sequence, draft.request_id, draft.agent_id, draft.duration_ms) == (7, "req_1", "a49", 116)
    assert (draft.input_tokens, draft.output_tokens, draft.cache_read_tokens) == (13, 21, 0)
    assert (draft.cache_creation_tokens, draft.model) == (3200, "claude-opus-5-5")
    assert draft.query_source == "agent:builtin:general-purpose"
    assert (draft.mcp_server, draft.mcp_tool) == (None, None)


def test_it_leaves_decision_columns_empty_on_everything_but_a_decision() -> None:
    for event in ("tool_result", "safety_event", "api_request", "user_prompt", "an_event_to_come"):
        draft = claude(event, decision="accept", source="hook", decision_source="hook", decision_type="accept")
        assert (draft.decision, draft.decided_by, draft.grant, draft.basis, draft.decision_raw) == (None,) * 5


def test_it_takes_the_mode_of_a_decision_from_the_record() -> None:
    stated = claude("tool_decision", decision="accept", source="config", permission_mode="plan")
    unstated = claude("tool_decision", decision="accept", source="config")
    assert (stated.mode, stated.mode_provenance) == ("plan", "stated")
    assert (unstated.mode, unstated.mode_provenance) == (None, None)


def test_it_keeps_the_vendors_own_words_of_a_decision() -> None:
    draft = claude("tool_decision", decision="reject", source="config", classifier_verdict="unavailable")
    assert draft.decision_raw == "decision=reject source=config classifier_verdict=unavailable"
    assert (draft.decided_by, draft.outcome) == ("reviewer_model", "not_run")
    assert claude("tool_decision", tool_name="Bash").decision_raw is None
    assert claude("tool_decision", decision="accept", source="config").outcome is None


@pytest.mark.parametrize(
    ("sent", "server", "tool", "provenance"),
    [
        ({"tool_name": "mcp_tool"}, None, None, "hidden"),
        ({"tool_name": "mcp_tool", "tool_source": "mcp"}, None, None, "hidden"),
        ({"tool_name": "open_file", "tool_source": "sdk_host_builtin_mcp"}, None, None, "hidden"),
        (
            {"tool_name": "mcp_tool", "tool_parameters": '{"mcp_server_name":"prod-db","mcp_tool_name":"query"}'},
            "prod-db",
            "query",
            "stated",
        ),
        (
            {"tool_name": "mcp_tool", "tool_parameters": '{"mcp_server_name":"custom","mcp_tool_name":"custom"}'},
            None,
            None,
            "hidden",
        ),
        ({"tool_name": "mcp__prod-db__query"}, "prod-db", "query", "derived"),
        ({"tool_name": "mcp__tickets__create__ticket"}, "tickets", "create__ticket", "derived"),
        ({"tool_name": "mcp__broken"}, "broken", None, "derived"),
        ({"tool_name": "mcp__"}, None, None, "hidden"),
        (
            {"tool_name": "mcp__a__b", "tool_parameters": '{"mcp_server_name":"real","mcp_tool_name":"tool"}'},
            "real",
            "tool",
            "stated",
        ),
        ({"tool_name": "mcp_tool", "tool_parameters": '{"mcp_server_name":7}'}, None, None, "hidden"),
        ({"tool_name": "mcp_tool", "tool_parameters": "not json"}, None, None, "hidden"),
        ({"tool_name": "Bash", "tool_source": "builtin"}, None, None, None),
    ],
)
@pytest.mark.parametrize("event", ["tool_decision", "tool_result"])
def test_it_says_how_an_mcp_servers_name_is_known(
    event: str, sent: dict[str, Any], server: str | None, tool: str | None, provenance: str | None
) -> None:
    draft = claude(event, **sent)
    assert (draft.mcp_server, draft.mcp_tool, draft.mcp_server_provenance) == (server, tool, provenance)
    assert draft.tool_name == sent["tool_name"]


def test_it_fills_the_columns_of_a_connection() -> None:
    failed = claude(
        "mcp_server_connection",
        status="failed",
        transport_type="stdio",
        server_scope="project",
        server_name="broken",
        error_code="ENOENT",
        error="ENOENT: no such file",
        duration_ms="12",
    )
    assert (failed.kind, failed.mcp_server, failed.mcp_server_provenance) == ("mcp_connection", "broken", "stated")
    assert (failed.mcp_transport, failed.mcp_status, failed.mcp_scope) == ("stdio", "failed", "project")
    assert (failed.outcome, failed.error, failed.duration_ms) == ("failure", "ENOENT", 12)
    assert claude("mcp_server_connection", status="connected").outcome == "success"
    assert claude("mcp_server_connection", status="disconnected").outcome is None


@pytest.mark.parametrize(
    ("event", "sent", "error"),
    [
        ("tool_result", {"success": "false", "error_type": "ShellError", "error": "free text"}, "ShellError"),
        ("api_error", {"status_code": 429, "error": "free text"}, "429"),
        ("api_error", {"status_code": "529"}, "529"),
        ("api_retries_exhausted", {"status_code": 500}, "500"),
        ("api_refusal", {"category": "cyber"}, "cyber"),
        ("auth", {"success": "false", "error_category": "expired", "status_code": "401"}, "expired"),
        ("auth", {"success": "false", "status_code": "401"}, "401"),
        ("auth", {"success": "true", "status_code": "200"}, None),
        ("compaction", {"success": "false", "error": "free text"}, None),
    ],
)
def test_it_names_errors_by_their_type_never_by_free_text(event: str, sent: dict[str, Any], error: str | None) -> None:
    draft = claude(event, **sent)
    assert draft.error == error
    assert draft.outcome == ("success" if sent.get("success") == "true" else "failure")


TOOL_INPUT = {"description": "d"}


@pytest.mark.parametrize(
    ("parameters", "inputs", "command", "path", "host"),
    [
        ({"bash_command": "npm", "full_command": "npm run build"}, None, "npm run build", None, None),
        ({"bash_command": "npm"}, None, "npm", None, None),
        ({"bash_command": "npm"}, {"command": "npm test"}, "npm test", None, None),
        (
            None,
            {"command": "curl -s https://Evil.Example:8443/x?y#z"},
            "curl -s https://Evil.Example:8443/x?y#z",
            None,
            "evil.example",
        ),
        (None, {"url": "http://127.0.0.1:9/x", "prompt": "summarise"}, None, None, "127.0.0.1"),
        (None, {"url": "https://user:pw@[::1]:8080/x"}, None, None, "[::1]"),
        (None, {"file_path": "/tmp/a.py", "old_string": "x"}, None, "/tmp/a.py", None),
        (None, {"notebook_path": "/tmp/a.ipynb"}, None, "/tmp/a.ipynb", None),
        (None, {"pattern": "x", "path": "src"}, None, "src", None),
        (None, {"command": ["a"], "file_path": 7}, None, None, None),
        (None, {"command": ""}, None, None, None),
    ],
)
def test_it_takes_command_path_and_host_out_of_the_details(
    parameters: Any, inputs: Any, command: str | None, path: str | None, host: str | None
) -> None:
    sent = {"tool_parameters": parameters, "tool_input": inputs}
    draft = claude("tool_result", **{key: json.dumps(value) for key, value in sent.items() if value is not None})
    assert (draft.command, draft.path, draft.host) == (command, path, host)


def test_it_reads_details_that_a_strict_parser_refuses() -> None:
    lone = claude("tool_decision", tool_parameters='{"full_command":"echo \\ud800 \\ud83d\\ude00"}')
    assert lone.command == "echo \ufffd 😀"
    control = claude("tool_decision", tool_parameters='{"full_command":"echo \x1b[31m\n"}')
    assert control.command == "echo \x1b[31m\n"
    nul = claude("tool_decision", tool_parameters='{"full_command":"a\\u0000b"}')
    assert (nul.command, nul.flags) == ("a␀b", ("nul",))
    for broken in ('{"full_command":"ec', "[" * 100_000, "[1]", '"text"', "null", "", "{" + '"a":' * 5000):
        draft = claude("tool_decision", tool_parameters=broken)
        assert (draft.command, draft.path, draft.host) == (None, None, None)


def test_it_bounds_the_command_in_the_column_but_not_in_the_content() -> None:
    command = "é" * 8191 + "x" * 20_000
    draft = claude("tool_decision", tool_parameters=json.dumps({"full_command": command}, ensure_ascii=False))
    assert draft.command == "é" * 8191 + "xx"
    assert command in next(value for key, _, value in draft.content if key == "@tool_parameters")


def test_it_scrubs_the_columns_as_the_content() -> None:
    secret = "ghp_" + "A1b2C3d4E5" * 4
    command = f"git push https://bot:hunter22@git.example/x && echo {secret}"
    draft = claude("tool_decision", tool_parameters=json.dumps({"full_command": command}))
    assert draft.command
    assert secret not in draft.command
    assert "hunter22" not in draft.command
    assert draft.command.startswith("git push https://bot:[redacted:url_password:")
    assert (draft.host, draft.flags) == ("git.example", ("secret_redacted",))


def test_it_finds_a_secret_whose_letters_are_spelled_as_escapes() -> None:
    secret = "ghp_" + "A1b2C3d4E5" * 4
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in secret)
    draft = claude("tool_decision", tool_parameters=f'{{"full_command":"echo {escaped}"}}')
    assert draft.command
    assert draft.command.startswith("echo [redacted:github:")
    assert draft.flags == ("secret_redacted",)
    assert escaped not in str(draft.content)


def test_it_sets_no_text_for_a_withheld_prompt() -> None:
    draft = claude("user_prompt", prompt="<REDACTED>", prompt_text="<REDACTED>", prompt_length="22")
    assert ("@prompt", "string", "<REDACTED>") in draft.content
    assert (draft.kind, draft.command) == ("prompt", None)


def test_it_stores_what_postgresql_takes_and_flags_the_rest() -> None:
    draft = claude("tool_result", tool_name="a\0b", model="x", tool_use_id="t" * 300)
    assert (draft.tool_name, draft.tool_use_id) == ("a␀b", "t" * 256)
    assert set(draft.flags) == {"nul", "overlong"}
    assert ("@tool_name", "string", "a\0b") in draft.facts
    invalid = map_one(log_record([("event.name", "string", "tool_result"), ("tool_name", "invalid_utf8", "QmFzaP8=")]))
    assert invalid.tool_name == "Bash\ufffd"


def test_it_takes_the_last_of_a_repeated_key_and_keeps_both() -> None:
    sent = [
        ("event.name", "string", "tool_result"),
        ("event.name", "string", "tool_decision"),
        ("decision", "string", "accept"),
        ("decision", "string", "reject"),
        ("source", "string", "hook"),
    ]
    draft = map_one(log_record(sent, flags=("duplicate_key",), body=("string", "claude_code.tool_result")))
    assert (draft.event_name, draft.decision, draft.flags) == ("tool_decision", "reject", ("duplicate_key",))
    assert [value for key, _, value in draft.facts if key == "@decision"] == ["accept", "reject"]


def test_it_ignores_an_empty_identifier() -> None:
    draft = map_one(log_record({"event.name": "tool_result", "session.id": "", "tool_use_id": ""}))
    assert (draft.session_id, draft.tool_use_id, draft.flags) == (None, None, ())


@pytest.mark.parametrize(
    ("fields", "attributes", "moment", "flag"),
    [
        ({"time_unix_nano": 1_795_240_000_123_456_789}, {}, "2026-11-21T05:46:40.123456+00:00", None),
        ({"time_unix_nano": 0}, {}, "2026-11-21T05:53:34+00:00", None),
        (
            {"time_unix_nano": 0, "observed_time_unix_nano": 0},
            {"event.timestamp": "2026-11-21T05:53:38.548Z"},
            "2026-11-21T05:53:38.548000+00:00",
            None,
        ),
        (
            {"time_unix_nano": 0, "observed_time_unix_nano": 0},
            {"event.timestamp": "2026-11-21T05:53:38"},
            "2026-11-21T05:53:38+00:00",
            None,
        ),
        ({"time_unix_nano": 0, "observed_time_unix_nano": 0}, {}, None, "unknown_time"),
        ({"time_unix_nano": 0, "observed_time_unix_nano": 0}, {"event.timestamp": "yesterday"}, None, "unknown_time"),
        ({"time_unix_nano": 0, "observed_time_unix_nano": 0}, {"event.timestamp": 5}, None, "unknown_time"),
        ({"time_unix_nano": -5}, {}, None, "unknown_time"),
        ({"time_unix_nano": 2**64 - 1}, {}, "2554-07-21T23:34:33.709551+00:00", "skew"),
        ({"time_unix_nano": 10**21}, {}, None, "unknown_time"),
        ({"time_unix_nano": (RECEIVED_AT_US + 601_000_000) * 1000}, {}, "2026-11-21T06:03:35+00:00", "skew"),
        ({"time_unix_nano": (RECEIVED_AT_US + 600_000_000) * 1000}, {}, "2026-11-21T06:03:34+00:00", None),
        ({"time_unix_nano": (RECEIVED_AT_US - 31 * 86_400_000_000) * 1000}, {}, "2026-10-21T05:53:34+00:00", "skew"),
        ({"time_unix_nano": 1}, {}, None, "unknown_time"),
    ],
)
def test_it_tells_when_it_happened_or_that_it_is_not_known(
    fields: dict[str, int], attributes: dict[str, Any], moment: str | None, flag: str | None
) -> None:
    draft = map_one(log_record({"event.name": "user_prompt"} | attributes, **fields))
    assert draft.occurred_at == (dt.datetime.fromisoformat(moment) if moment else None)
    assert draft.flags == ((flag,) if flag else ())


def test_it_keeps_an_unknown_event_and_says_so() -> None:
    draft = claude("an_event_to_come", prompt__id="p-1", tool_name="Bash")
    assert (draft.kind, draft.event_name, draft.flags) == ("other", "an_event_to_come", ("unknown_event",))
    assert (draft.session_id, draft.prompt_id, draft.tool_name) == ("s-1", "p-1", None)
    assert claude("hook_event_to_come").kind == "hook"
    assert claude("plugin_event_to_come").kind == "plugin"
    assert claude("host.window_opened").kind == "other"


def test_it_names_an_event_by_its_attribute_then_its_body_then_its_field() -> None:
    both = log_record({"event.name": "tool_result"}, body=("string", "claude_code.user_prompt"))
    prefixed = log_record({"event.name": "claude_code.tool_result"}, body=None)
    body = log_record({}, body=("string", "claude_code.user_prompt"))
    field = log_record({}, event_name="claude_code.auth")
    nothing = log_record({})
    names = [map_one(record).event_name for record in (both, prefixed, body, field, nothing)]
    assert names == ["tool_result", "tool_result", "user_prompt", "auth", ""]


@pytest.mark.parametrize(
    "key", ["user.id", "session.id", "event.name", "decision", "permission_mode", "app.entrypoint"]
)
def test_it_flags_what_only_the_cli_sets_when_a_resource_carries_it(key: str) -> None:
    draft = map_one(log_record({"event.name": "user_prompt", "session.id": "real"}, resource={key: "spoofed"}))
    assert (draft.flags, draft.session_id, draft.event_name) == (("spoofed",), "real", "user_prompt")


def test_it_takes_no_session_from_the_resource() -> None:
    draft = map_one(
        log_record({"event.name": "user_prompt"}, resource={"session.id": "spoofed", "team.id": "payments"})
    )
    assert draft.session_id is None


def test_it_does_not_flag_an_identity_that_an_administrator_sets() -> None:
    resource = {"user.email": "dana@acme.example", "organization.id": "acme", "enduser.id": "dana", "team.id": "x"}
    assert map_one(log_record({"event.name": "user_prompt"}, resource=resource)).flags == ()


USER_ACCEPT = {"event.name": "tool_decision", "session.id": "s", "decision": "accept", "source": "user_temporary"}


def test_it_trusts_the_entry_point_only_where_the_cli_set_it() -> None:
    own = map_one(log_record(USER_ACCEPT | {"app.entrypoint": "cli"}))
    copied = map_one(log_record(USER_ACCEPT | {"app.entrypoint": "cli"}, resource={"app.entrypoint": "cli"}))
    overruled = map_one(log_record(USER_ACCEPT | {"app.entrypoint": "sdk-cli"}, resource={"app.entrypoint": "cli"}))
    only_resource = map_one(log_record(USER_ACCEPT, resource={"app.entrypoint": "cli"}))
    assert [d.decided_by for d in (own, copied, overruled, only_resource)] == ["person", "unknown", "policy", "unknown"]


def test_it_learns_from_the_whole_request_who_sat_at_the_session() -> None:
    decision = log_record(USER_ACCEPT)
    api = {"event.name": "api_request", "session.id": "s", "query_source": "repl_main_thread"}
    memory = SessionMemory()
    alone, _ = drafts(
        [decision, log_record({"event.name": "user_prompt"})],
        None,
        memory.of(1),
        scrubber=SCRUBBER,
        received_at_us=RECEIVED_AT_US,
    )
    before_api, _ = drafts(
        [decision, log_record(api)], None, memory.of(1), scrubber=SCRUBBER, received_at_us=RECEIVED_AT_US
    )
    (later,) = drafts([decision], None, memory.of(1), scrubber=SCRUBBER, received_at_us=RECEIVED_AT_US)
    (elsewhere,) = drafts([decision], None, memory.of(2), scrubber=SCRUBBER, received_at_us=RECEIVED_AT_US)
    told = [(d.decided_by, d.basis, d.known) for d in (alone, before_api, later, elsewhere)]
    known = (("session", "interactive"),)
    assert told == [
        ("unknown", "inferred", ()),
        ("person", "stated", known),
        ("person", "stated", known),
        ("unknown", "inferred", ()),
    ]


def test_it_uses_what_it_knows_only_where_the_record_does_not_tell() -> None:
    api = log_record({"event.name": "api_request", "session.id": "s", "query_source": "repl_main_thread"})
    by_rule = map_one(log_record(USER_ACCEPT | {"source": "config"}), api)
    by_entrypoint = map_one(log_record(USER_ACCEPT | {"app.entrypoint": "sdk-ts"}), api)
    assert (by_rule.known, by_entrypoint.known, by_entrypoint.basis) == ((), (), "inferred")
