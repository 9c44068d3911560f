import pytest

from audit.vocabulary import Agent
from ingest.agents import identify
from tests.ingest.agents.captured import CLAUDE_SCOPE, log_record


def identified(
    attributes: dict[str, object] | None = None,
    scope: str = "",
    hint: str | None = None,
    service: str | None = None,
    **fields: object,
) -> str:
    resource = {"service.name": service} if service else {}
    return identify(log_record(attributes or {}, scope_name=scope, resource=resource, **fields), hint)


@pytest.mark.parametrize(
    ("scope", "agent"),
    [
        (CLAUDE_SCOPE, "claude_code"),
        ("com.anthropic.claude_code", "claude_code"),
        ("com.anthropic.claude_code.tracing", "claude_code"),
        ("codex_otel.log_only", "codex"),
        ("codex_otel::events::session_telemetry", "codex"),
        ("codex", "codex"),
        ("gemini-cli", "gemini_cli"),
        ("github.copilot", "copilot_cli"),
        ("qwen-code", "qwen_code"),
        ("opencode", "opencode"),
        ("some.library", "other"),
        ("", "other"),
    ],
)
def test_it_tells_an_agent_by_its_scope(scope: str, agent: str) -> None:
    assert identified(scope=scope) == agent
    assert agent in set(Agent)


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("claude_code.user_prompt", "claude_code"),
        ("codex.user_prompt", "codex"),
        ("gemini_cli.tool_call", "gemini_cli"),
        ("qwen-code.tool_call", "qwen_code"),
        ("user_prompt", "other"),
    ],
)
def test_it_tells_an_agent_by_the_prefix_of_its_event(name: str, agent: str) -> None:
    assert identified({"event.name": name}) == agent
    assert identified(body=("string", name)) == agent
    assert identified(event_name=name) == agent


def test_it_asks_scope_then_event_then_path_then_service() -> None:
    event: dict[str, object] = {"event.name": "codex.user_prompt"}
    assert identified(event, CLAUDE_SCOPE, "qwen", "opencode") == "claude_code"
    assert identified(event, "", "qwen", "opencode") == "codex"
    assert identified({}, "", "qwen", "opencode") == "qwen_code"
    assert identified({}, "", None, "opencode") == "opencode"
    assert identified({}, "", "somebody", "opencode") == "opencode"


def test_it_never_lets_a_service_name_exclude_claude_code() -> None:
    assert identified({}, CLAUDE_SCOPE, None, "evil") == "claude_code"
    assert identified({}, CLAUDE_SCOPE, "codex", "codex_exec") == "claude_code"


@pytest.mark.parametrize("hint", ["claude", "claude-code", "claude_code", "Claude"])
def test_it_takes_every_spelling_of_the_path_for_claude_code(hint: str) -> None:
    assert identified(hint=hint) == "claude_code"


def test_it_survives_a_name_that_is_not_a_text() -> None:
    assert (
        identify(log_record([("event.name", "int", 5), ("service.name", "array", [])], scope_name=""), None) == "other"
    )
