"""Evidence for the pages: a session with a bit of everything, and what pages are told apart by."""

import datetime as dt
from html.parser import HTMLParser
from typing import Any

from audit.models import Session
from tests.factories import draft, evidence

START = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)


def at(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def decided(use: str, seconds: float, **overrides: Any):
    words = {
        "tool_use_id": use,
        "tool_name": "Bash",
        "decision": "accept",
        "decided_by": "policy",
        "basis": "stated",
        "mode": "default",
        "mode_provenance": "stated",
    }
    return draft("tool_decision", occurred_at=at(seconds), **words | overrides)


def ended(use: str, seconds: float, **overrides: Any):
    words = {"tool_use_id": use, "tool_name": "Bash", "outcome": "success", "duration_ms": 143}
    return draft("tool_result", occurred_at=at(seconds), **words | overrides)


def a_session(**overrides: Any) -> Session:
    """Two prompts, an MCP connection, a person's yes, a hook's no, a mode change, an MCP call and an API error."""
    command = {
        "command": "rm -rf build",
        "content": (("@tool_parameters", "string", '{"full_command":"rm -rf build"}'),),
    }
    query = {"tool_name": "mcp_tool", "tool_source": "mcp", "mcp_server": "prod-db", "mcp_tool": "query"}
    drafts = [
        draft("mcp_connection", occurred_at=at(0), mcp_server="prod-db", mcp_status="connected", mcp_transport="stdio",
              mcp_scope="dynamic", mcp_server_provenance="stated", duration_ms=66, outcome="success"),
        draft("prompt", occurred_at=at(1), event_name="user_prompt", prompt_id="p-1",
              facts=(("@prompt_length", "string", "212"),), content=(("@prompt", "string", "Fix the rounding"),)),
        draft("api_request", occurred_at=at(2), prompt_id="p-1", request_id="req_1", cost_usd="0.02", input_tokens=9),
        decided("t-1", 4.5, prompt_id="p-1", request_id="req_1", decided_by="person", grant="once", **command),
        ended("t-1", 5, prompt_id="p-1", **command),
        decided("t-2", 6, prompt_id="p-1", decision="reject", decided_by="hook", outcome="not_run"),
        draft("mode_change", occurred_at=at(7), prompt_id="p-1", from_mode="default", to_mode="bypassPermissions",
              mode="bypassPermissions", mode_provenance="stated",
              trigger="shift_tab", event_name="permission_mode_changed"),
        draft("prompt", occurred_at=at(8), event_name="user_prompt", prompt_id="p-2"),
        decided("t-3", 9, prompt_id="p-2", mode="bypassPermissions", mcp_server_provenance="stated", **query),
        ended("t-3", 10, prompt_id="p-2", outcome="failure", error="McpToolCallError", mcp_server_provenance="stated",
              **query),
        draft("api_error", occurred_at=at(11), prompt_id="p-2", error="429", outcome="failure",
              facts=(("@total_attempts", "int", 3),), event_name="api_retries_exhausted"),
    ]  # fmt: skip
    for each in drafts:
        for name, value in overrides.items():
            setattr(each, name, value)
    evidence(*drafts)
    return Session.objects.get(session_id=overrides.get("session_id", "s-1"))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def text_of(response: Any) -> str:
    """The words of a page, single-spaced."""
    parser = _Text()
    parser.feed(response.content.decode())
    return " ".join(parser.words)
