"""Agents without a mapping of their own: kept whole, nothing read into what they say."""

from tests.ingest.agents.captured import log_record, map_one


def keys(part: object) -> list[str]:
    return [key for key, _, _ in part]  # type: ignore[attr-defined]


def test_it_keeps_everything_it_does_not_know_as_content() -> None:
    sent = {
        "event.name": "codex.tool_decision",
        "event.timestamp": "2026-11-21T05:53:38.548Z",
        "conversation.id": "c-1",
        "user.email": "dana@acme.example",
        "terminal.type": "xterm",
        "tool_name": "shell",
        "decision": "approved",
        "source": "User",
    }
    draft = map_one(
        log_record(sent, scope_name="codex_otel.log_only", body=None, resource={"service.name": "codex_exec"})
    )
    assert (draft.agent, draft.kind, draft.event_name, draft.session_id) == ("codex", "other", "tool_decision", "c-1")
    assert (draft.decision, draft.decided_by, draft.tool_name) == (None, None, None)
    assert keys(draft.content) == ["@tool_name", "@decision", "@source"]
    assert keys(draft.subject) == ["@user.email"]
    assert keys(draft.origin) == ["resource@service.name", "scope.name", "scope.version", "@terminal.type"]


def test_it_claims_a_kind_only_for_a_prompt() -> None:
    kinds = {
        name: map_one(log_record({"event.name": name}, scope_name="x")).kind
        for name in ("codex.user_prompt", "gemini_cli.user_prompt", "codex.tool_result", "gemini_cli.tool_call", "x")
    }
    assert kinds == {
        "codex.user_prompt": "prompt",
        "gemini_cli.user_prompt": "prompt",
        "codex.tool_result": "other",
        "gemini_cli.tool_call": "other",
        "x": "other",
    }


def test_it_finds_the_session_under_each_agents_key() -> None:
    for sent in ({"session.id": "s"}, {"conversation.id": "s"}, {"gen_ai.conversation.id": "s"}):
        assert map_one(log_record(dict(sent), scope_name="x")).session_id == "s"
    both = map_one(log_record({"gen_ai.conversation.id": "g", "session.id": "s"}, scope_name="x"))
    assert both.session_id == "s"


def test_it_names_a_record_without_a_name_and_keeps_its_body_as_content() -> None:
    codex = log_record(
        {}, scope_name="codex", event_name="event otel/src/metrics/client.rs:12", body=("string", "flushing it")
    )
    located = log_record({}, scope_name="codex", event_name="otel/src/metrics/client.rs:12")
    opencode = log_record({}, scope_name="opencode", body=("string", "init"))
    listed = log_record({}, scope_name="opencode", body=("array", [["string", "asking"]]))
    named = log_record({}, scope_name="x", event_name="disk.full", body=("string", "init"))
    drafts = [map_one(record) for record in (codex, located, opencode, listed, named)]
    assert [draft.event_name for draft in drafts] == ["log", "log", "init", "log", "disk.full"]
    assert [keys(draft.content) for draft in drafts] == [["body"], [], ["body"], ["body"], ["body"]]


def test_it_scrubs_and_bounds_what_it_shows() -> None:
    secret = "ghp_" + "A1b2C3d4E5" * 4
    draft = map_one(log_record({"note": secret}, scope_name="x", body=("array", [["string", secret]])))
    assert secret not in str(draft)
    assert draft.flags == ("secret_redacted",)
    long = map_one(log_record({"event.name": "n" * 300}, scope_name="x"))
    assert (len(long.event_name), long.flags) == (256, ("overlong",))
