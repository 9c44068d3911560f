"""Joins a tool use's decision and result, whichever comes first."""

import datetime as dt
from functools import lru_cache
from operator import attrgetter

import msgspec

from audit import decisions, identifiers
from audit.folding.views import EventView, OriginView

DECISION_FIELDS = ("decision", "decided_by", "grant", "basis", "decision_raw")
_SAME = (
    "subject_id", "origin_id", "tool_use_id", "prompt_id", "request_id", "agent_id", "tool_name", "tool_source",
    "command", "path", "host",
)  # fmt: skip
_TOLD = ("team", "repository", "session_id", "session_vendor_id", *_SAME)
_told_by = attrgetter("session", "session_id", *_SAME)


class ToolUseRow(msgspec.Struct):
    """A row of audit_tooluse, as PostgreSQL's JSON."""

    id: str
    source_id: int
    agent: str
    at: dt.datetime
    position: str
    session_id: str | None = None
    session_vendor_id: str | None = None
    subject_id: str | None = None
    origin_id: int | None = None
    team: str | None = None
    repository: str | None = None
    tool_use_id: str | None = None
    prompt_id: str | None = None
    request_id: str | None = None
    agent_id: str | None = None
    tool_name: str | None = None
    tool_source: str | None = None
    mcp_server: str | None = None
    mcp_server_provenance: str | None = None
    mcp_tool: str | None = None
    decision_event: str | None = None
    result_event: str | None = None
    decisions: int = 0
    decided_at: dt.datetime | None = None
    decision: str | None = None
    decided_by: str | None = None
    grant: str | None = None
    basis: str | None = None
    decision_raw: str | None = None
    mode: str | None = None
    mode_provenance: str = "unknown"
    finished_at: dt.datetime | None = None
    outcome: str = "unknown"
    error: str | None = None
    duration_ms: int | None = None
    command: str | None = None
    path: str | None = None
    host: str | None = None

    @property
    def is_mcp(self) -> bool:
        return self.mcp_server is not None or self.mcp_server_provenance is not None or self.tool_source == "mcp"

    @property
    def verdict(self) -> str | None:
        """`decision:decided_by`, the key under which sessions count it."""
        return f"{self.decision}:{self.decided_by}" if self.decisions else None


def key(event: EventView) -> str:
    """The tool use an event belongs to; one of its own if the event names none."""
    if event.tool_use_id:
        return _key(event.session or str(event.source_id), event.tool_use_id)
    return identifiers.derived_text("tool_use", event.id)


@lru_cache(maxsize=20_000)
def _key(owner: str, tool_use_id: str) -> str:
    return identifiers.derived_text("tool_use", owner, tool_use_id)


def opened(event: EventView) -> ToolUseRow:
    return ToolUseRow(id=key(event), source_id=event.source_id, agent=event.agent, at=event.at, position=event.id)


def fold(use: ToolUseRow, event: EventView, origin: OriginView, session_kind: str) -> None:
    """Adds one tool_decision or tool_result, once."""
    if event.kind == "tool_decision":
        use.decisions += 1
        if use.decision_event is None or event.id < use.decision_event:
            _decide(use, event, origin, session_kind)
    elif use.result_event is None or event.id < use.result_event:
        _finish(use, event)
    _describe(use, event, origin)
    use.position = min(use.position, event.id)
    use.at = use.decided_at or use.finished_at or use.at


def _decide(use: ToolUseRow, event: EventView, origin: OriginView, session_kind: str) -> None:
    use.decision_event, use.decided_at = event.id, event.at
    for name in DECISION_FIELDS:
        setattr(use, name, getattr(event, name))
    use.mode, use.mode_provenance = event.mode, event.mode_provenance or "unknown"
    if use.result_event is None:
        use.outcome = event.outcome or "unknown"
    reconsider(use, session_kind, origin.entrypoint)


def reconsider(use: ToolUseRow, session_kind: str, entrypoint: str | None) -> None:
    """Reads the decision again with what is known of the session now. The recorded bytes stay as they are."""
    words = decisions.parse(use.decision_raw or "")
    if use.agent == "claude_code" and decisions.asks_session(words.source, entrypoint):
        verdict = decisions.reinterpret(use.decision_raw, use.mode, session_kind, entrypoint)
        use.decision, use.decided_by, use.grant, use.basis = verdict


def _finish(use: ToolUseRow, event: EventView) -> None:
    use.result_event, use.finished_at = event.id, event.at
    use.outcome = event.outcome or "unknown"
    use.error, use.duration_ms = event.error, event.duration_ms


def _describe(use: ToolUseRow, event: EventView, origin: OriginView) -> None:
    """Fills what is not known yet; the result tells more of the input than the decision does."""
    final = event.id == use.result_event
    for name, value in zip(_TOLD, (origin.team, origin.repository, *_told_by(event)), strict=True):
        if value is not None and (final or getattr(use, name) is None):
            setattr(use, name, value)
    if event.mcp_server_provenance and (use.mcp_server is None or event.mcp_server_provenance == "stated"):
        use.mcp_server_provenance = event.mcp_server_provenance
        use.mcp_server, use.mcp_tool = event.mcp_server or use.mcp_server, event.mcp_tool or use.mcp_tool
