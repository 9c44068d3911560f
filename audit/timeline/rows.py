"""Rows of a timeline: a tool use, an event or a gap, flat, so that pages and the API read the same."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from audit import identifiers
from audit.models import Event, Gap, ToolUse
from audit.timeline.keys import EVENT, GAP, Key

TOOL_USE, GAP_ROW = "tool_use", "gap"


@dataclass(frozen=True, slots=True)
class Text:
    """What may be personal or sensitive in a row. `text` is a prompt's, a response's or an error's own words."""

    command: str | None = None
    path: str | None = None
    host: str | None = None
    text: str | None = None


@dataclass(slots=True)
class Row:
    """One row. `kind` is `tool_use`, `gap` or an event's kind; `events` are all the events the row stands for.

    `id` is the event its permanent link leads to (of a gap, the gap's own id) and `seq` that event's number.
    `waited_ms` is inferred: from the request that asked for the tool to the person's decision; null where no person
    was asked or the request is not known. `content` is null unless it was asked for; `has_content` says that there is
    any.
    """

    kind: str
    at: dt.datetime
    id: UUID
    event_name: str | None = None
    events: Sequence[UUID] = ()
    seq: int | None = None
    sealed_at: dt.datetime | None = None
    sequence: int | None = None
    prompt_id: str | None = None
    request_id: str | None = None
    agent_id: str | None = None
    tool_use_id: str | None = None
    tool_name: str | None = None
    tool_source: str | None = None
    mcp_server: str | None = None
    mcp_server_provenance: str | None = None
    mcp_tool: str | None = None
    mcp_transport: str | None = None
    mcp_status: str | None = None
    mcp_scope: str | None = None
    decision: str | None = None
    decided_by: str | None = None
    grant: str | None = None
    basis: str | None = None
    decision_raw: str | None = None
    decisions: int = 0
    waited_ms: int | None = None
    mode: str | None = None
    mode_provenance: str | None = None
    from_mode: str | None = None
    to_mode: str | None = None
    trigger: str | None = None
    outcome: str | None = None
    error: str | None = None
    duration_ms: int | None = None
    model: str | None = None
    query_source: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_creation_tokens: int | None = None
    cost_usd: Decimal | None = None
    after: int | None = None
    before: int | None = None
    missing: int | None = None
    flags: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    has_content: bool = False
    content: Text | None = None
    rank: int = EVENT
    position: UUID | None = None

    @property
    def key(self) -> Key:
        return Key(self.at, self.rank, self.position or self.id)

    @property
    def is_mcp(self) -> bool:
        return bool(self.mcp_server or self.mcp_server_provenance or self.tool_source == "mcp")

    @property
    def received_at(self) -> dt.datetime | None:
        return None if self.kind == GAP_ROW else identifiers.received_at(self.id)


_OF_USE = (
    "prompt_id", "request_id", "agent_id", "tool_use_id", "tool_name", "tool_source", "mcp_server",
    "mcp_server_provenance", "mcp_tool", "decision", "decided_by", "grant", "basis", "decision_raw", "decisions",
    "mode", "mode_provenance", "outcome", "error", "duration_ms",
)  # fmt: skip
_OF_EVENT = (
    "id", "kind", "event_name", "sequence", "prompt_id", "request_id", "agent_id", "tool_use_id", "tool_name",
    "tool_source", "mcp_server", "mcp_server_provenance", "mcp_tool", "mcp_transport", "mcp_status", "mcp_scope",
    "decision", "decided_by", "grant", "basis", "decision_raw", "mode", "mode_provenance", "from_mode", "to_mode",
    "trigger", "outcome", "error", "duration_ms", "model", "query_source", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_creation_tokens", "cost_usd", "flags",
)  # fmt: skip
EVENT_COLUMNS = (*_OF_EVENT, "occurred_at", "facts")


def of_use(use: ToolUse) -> Row:
    events = [event for event in (use.decision_event, use.result_event) if event]
    shared = {name: getattr(use, name) for name in _OF_USE}
    return Row(TOOL_USE, use.at, events[0] if events else use.position, events=events, position=use.position, **shared)


def of_event(event: Event, facts: Mapping[str, Any]) -> Row:
    shared = {name: getattr(event, name) for name in _OF_EVENT}
    return Row(at=happened_at(event), events=(event.id,), facts=facts, **shared)


def of_gap(gap: Gap) -> Row:
    return Row(GAP_ROW, gap.at, gap.id, rank=GAP, after=gap.after, before=gap.before, missing=gap.missing)


def happened_at(event: Event) -> dt.datetime:
    """As the projector reads it: when it was received, if the client's clock cannot be right."""
    if event.occurred_at is None or "skew" in event.flags:
        return event.received_at
    return event.occurred_at
