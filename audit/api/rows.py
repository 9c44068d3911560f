"""The rows of the REST lists. Events have the feed's own shape (audit.export.shapes.NativeEvent).

Structs rather than serializers: DRF's were measured to make 2 300 rows a second, these fifty times as many, and the
schema is read from them.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from audit import timeline
from audit.api.permissions import Rights
from audit.export import native
from audit.export.shapes import Actor, Mcp, Number, Tokens, Tool
from audit.export.values import exact, rfc3339
from audit.models import McpServer, Session, Subject, ToolUse

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class SessionRow(msgspec.Struct, frozen=True):
    """One agent run. `id` is ours, `session_id` the vendor's.

    `kinds`, `decisions` (by `decision:decided_by`), `modes` and `outcomes` are counts; `missing` counts the events that
    the client numbered and that never came, as far as is known. `grade`: a none, b up to a tenth, d more; c the client
    sends no numbers; unjudged until a minute after the last event. `host` needs `identity:read`.
    """

    id: str
    session_id: str
    agent: str
    source_id: str
    actor: Actor
    host: str | None
    service_version: str | None
    entrypoint: str | None
    terminal: str | None
    os: str | None
    team: str | None
    cost_center: str | None
    repository: str | None
    session_kind: str
    first_at: str | None
    last_at: str | None
    events: int
    tool_uses: int
    kinds: dict[str, int]
    decisions: dict[str, int]
    modes: dict[str, int]
    modes_seen: list[str]
    outcomes: dict[str, int]
    tools: list[str]
    mcp_servers: list[str]
    tokens: Tokens
    cost_usd: str
    missing: int
    gaps: int
    grade: str


class Details(msgspec.Struct, frozen=True):
    """What a tool was asked to do."""

    command: str | None
    path: str | None
    host: str | None


class DecisionRow(msgspec.Struct, frozen=True):
    """A tool use on which a decision was recorded, with what became of it, as known now.

    `content` is null without `content:read`. `decision_event` and `result_event` are the events that say so, as they
    were recorded; `decisions` counts the decisions recorded on this tool use, of which the first stands here.
    """

    id: str
    session: str | None
    session_id: str | None
    tool_use_id: str | None
    agent: str
    actor: Actor
    team: str | None
    repository: str | None
    prompt_id: str | None
    tool: str | None
    tool_source: str | None
    mcp_server: str | None
    mcp_server_provenance: str | None
    mcp_tool: str | None
    decision: str | None
    decided_by: str | None
    grant: str | None
    basis: str | None
    decision_raw: str | None
    mode: str | None
    mode_provenance: str
    occurred_at: str | None
    finished_at: str | None
    outcome: str
    error: str | None
    duration_ms: Number
    content: Details | None
    decisions: int
    decision_event: str | None
    result_event: str | None


class McpServerRow(msgspec.Struct, frozen=True):
    """An MCP server as agents name it; `name` is null where clients hide the name. `tools` counts calls by tool."""

    id: str
    name: str | None
    transports: list[str]
    scopes: list[str]
    tools: dict[str, int]
    first_at: str | None
    last_at: str | None
    connections: int
    failures: int
    calls: int
    rejected: int
    failed_calls: int


class Missing(msgspec.Struct, frozen=True):
    """`count` events between the numbers `after` (null: from the beginning) and `before` never came."""

    after: Number
    before: Number
    count: Number


class Words(msgspec.Struct, frozen=True):
    """The words of a row: of a tool use what it was asked to do, else `text` (a prompt, a response, an error)."""

    command: str | None
    path: str | None
    host: str | None
    text: str | None


class TimelineRow(msgspec.Struct, frozen=True):
    """A tool use with its decision and result, a gap, or an event of any other kind; `kind` says which.

    `events` are those the row stands for. `waited_ms` is inferred: from the request that asked for the tool to the
    person's answer. `content` is null without `content:read`; `has_content` says that there is some.
    """

    kind: str
    id: str
    events: list[str]
    event_name: str | None
    occurred_at: str | None
    received_at: str | None
    seq: int | None
    sealed_at: str | None
    sequence: Number
    prompt_id: str | None
    request_id: str | None
    agent_id: str | None
    tool_use_id: str | None
    tool: Tool
    mcp: Mcp
    decision: str | None
    decided_by: str | None
    grant: str | None
    basis: str | None
    decision_raw: str | None
    decisions: int
    waited_ms: Number
    mode: str | None
    mode_provenance: str | None
    from_mode: str | None
    to_mode: str | None
    trigger: str | None
    outcome: str | None
    error: str | None
    duration_ms: Number
    model: str | None
    query_source: str | None
    tokens: Tokens
    cost_usd: str | None
    gap: Missing | None
    attributes: dict[str, Any]
    flags: list[str]
    has_content: bool
    content: Words | None


def of_session(session: Session, rights: Rights) -> SessionRow:
    return SessionRow(
        str(session.id), session.session_id, session.agent, str(session.source_id), _actor(session.subject, rights),
        session.host if rights.identity else None, session.service_version, session.entrypoint, session.terminal,
        session.os, session.team, session.cost_center, session.repository, session.session_kind,
        moment(session.first_at), moment(session.last_at), session.events, session.tool_uses, session.kinds,
        session.decisions, session.modes, session.modes_seen, session.outcomes, session.tools, session.mcp_servers,
        Tokens(
            exact(session.input_tokens), exact(session.output_tokens), exact(session.cache_read_tokens),
            exact(session.cache_creation_tokens),
        ),
        f"{session.cost_usd:f}", session.missing, session.gaps, session.grade,
    )  # fmt: skip


def of_decision(use: ToolUse, rights: Rights) -> DecisionRow:
    return DecisionRow(
        str(use.id), _text(use.session_id), use.session_vendor_id, use.tool_use_id, use.agent,
        _actor(use.subject, rights), use.team, use.repository, use.prompt_id, use.tool_name, use.tool_source,
        use.mcp_server, use.mcp_server_provenance, use.mcp_tool, use.decision, use.decided_by, use.grant, use.basis,
        use.decision_raw, use.mode, use.mode_provenance, moment(use.decided_at), moment(use.finished_at), use.outcome,
        use.error, exact(use.duration_ms), Details(use.command, use.path, use.host) if rights.content else None,
        use.decisions, _text(use.decision_event), _text(use.result_event),
    )  # fmt: skip


def of_server(server: McpServer) -> McpServerRow:
    return McpServerRow(
        str(server.id), server.name or None, server.transports, server.scopes, server.tools, moment(server.first_at),
        moment(server.last_at), server.connections, server.failures, server.calls, server.rejected,
        server.failed_calls,
    )  # fmt: skip


def of_timeline(row: timeline.Row) -> TimelineRow:
    return TimelineRow(
        row.kind, str(row.id), [str(event) for event in row.events], row.event_name, moment(row.at),
        moment(row.received_at), row.seq, moment(row.sealed_at), exact(row.sequence), row.prompt_id, row.request_id,
        row.agent_id, row.tool_use_id, Tool(row.tool_name, row.tool_source),
        Mcp(
            row.mcp_server, row.mcp_server_provenance, row.mcp_tool, row.mcp_transport, row.mcp_status, row.mcp_scope
        ),
        row.decision, row.decided_by, row.grant, row.basis, row.decision_raw, row.decisions, exact(row.waited_ms),
        row.mode, row.mode_provenance, row.from_mode, row.to_mode, row.trigger, row.outcome, row.error,
        exact(row.duration_ms), row.model, row.query_source,
        Tokens(
            exact(row.input_tokens), exact(row.output_tokens), exact(row.cache_read_tokens),
            exact(row.cache_creation_tokens),
        ),
        None if row.cost_usd is None else f"{row.cost_usd:f}",
        Missing(exact(row.after), exact(row.before), exact(row.missing)) if row.missing is not None else None,
        {name: _exactly(value) for name, value in row.facts.items()}, list(row.flags), row.has_content,
        Words(row.content.command, row.content.path, row.content.host, row.content.text) if row.content else None,
    )  # fmt: skip


def moment(at: dt.datetime | None) -> str | None:
    return None if at is None else rfc3339((at - _EPOCH) // _MICROSECOND)


def _actor(subject: Subject | None, rights: Rights) -> Actor:
    if subject is None:
        return Actor()
    told = {name: getattr(subject, name) for name in Actor.__struct_fields__[1:]}
    return native.actor(str(subject.id), told, with_identity=rights.identity)


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)


def _exactly(value: Any) -> Any:
    """A fact as JSON readers can take it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return exact(value)
    if isinstance(value, dict):
        return {name: _exactly(inner) for name, inner in value.items()}
    return [_exactly(inner) for inner in value] if isinstance(value, Sequence) and not isinstance(value, str) else value
