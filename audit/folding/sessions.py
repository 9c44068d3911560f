"""Folds events into sessions. The order in which events come makes no difference, so a rebuild gives the same rows."""

import datetime as dt
from decimal import Decimal

import msgspec

from audit import decisions
from audit.folding.views import EventView, OriginView


class SessionRow(msgspec.Struct):
    """A row of audit_session, as PostgreSQL's JSON."""

    id: str
    source_id: int
    agent: str
    session_id: str
    first_at: dt.datetime
    last_at: dt.datetime
    first_event: str
    last_event: str
    subject_id: str | None = None
    origin_id: int | None = None
    service_version: str | None = None
    entrypoint: str | None = None
    terminal: str | None = None
    os: str | None = None
    team: str | None = None
    cost_center: str | None = None
    repository: str | None = None
    host: str | None = None
    session_kind: str = decisions.SESSION_UNKNOWN
    chains: list[int] = msgspec.field(default_factory=list)
    unjudged: list[int] = msgspec.field(default_factory=list)
    events: int = 0
    kinds: dict[str, int] = msgspec.field(default_factory=dict)
    decisions: dict[str, int] = msgspec.field(default_factory=dict)
    modes: dict[str, int] = msgspec.field(default_factory=dict)
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    tools: list[str] = msgspec.field(default_factory=list)
    mcp_servers: list[str] = msgspec.field(default_factory=list)
    modes_seen: list[str] = msgspec.field(default_factory=list)
    decisions_seen: list[str] = msgspec.field(default_factory=list)
    tool_uses: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    missing: int = 0
    gaps: int = 0
    latest: dict[str, str] = msgspec.field(default_factory=dict)


def opened(event: EventView) -> SessionRow:
    """The session that an event is the first to name."""
    assert event.session is not None
    return SessionRow(
        id=event.session,
        source_id=event.source_id,
        agent=event.agent,
        session_id=event.session_id or "",
        first_at=event.at,
        last_at=event.at,
        first_event=event.id,
        last_event=event.id,
    )


def fold(session: SessionRow, event: EventView) -> None:
    """Adds one event, once. Who emitted it is learnt apart, since it seldom changes (`learn_emitter`)."""
    at = event.at
    session.events += 1
    count(session.kinds, event.kind)
    session.first_at, session.last_at = min(session.first_at, at), max(session.last_at, at)
    session.first_event, session.last_event = min(session.first_event, event.id), max(session.last_event, event.id)
    session.session_kind = kind_after(session.session_kind, event)
    if event.chain is not None:
        include(session.chains, event.chain)
        include(session.unjudged, event.chain)
    if event.tool_name and event.kind in ("tool_decision", "tool_result"):
        include(session.tools, event.tool_name)
    if event.mcp_server:
        include(session.mcp_servers, event.mcp_server)
    for mode in (event.mode, event.from_mode, event.to_mode):
        if mode:
            include(session.modes_seen, mode)
    if event.kind == "api_request":
        _spend(session, event)


def learn_emitter(
    session: SessionRow,
    event_id: str,
    subject_id: str | None,
    origin_id: int | None,
    origin: OriginView,
    host: str | None,
) -> None:
    """What the event `event_id` tells of who works where; of each column the newest event that knows it counts."""
    known = {"subject_id": subject_id, "origin_id": origin_id, "host": host, **origin._asdict()}
    for name, value in known.items():
        if value is not None and event_id >= session.latest.get(name, ""):
            setattr(session, name, value)
            session.latest[name] = event_id


def kind_after(known: str, event: EventView) -> str:
    """What is known of the session after this event. That a host drives it outweighs all else (DESIGN §4)."""
    if known == decisions.SESSION_SDK or event.query_source == "sdk":
        return decisions.SESSION_SDK
    clicked = event.decided_by == decisions.PERSON and event.basis == decisions.STATED
    if (event.query_source or "").startswith("repl_main_thread") or clicked:
        return decisions.SESSION_INTERACTIVE
    return known


def _spend(session: SessionRow, event: EventView) -> None:
    session.input_tokens += event.input_tokens or 0
    session.output_tokens += event.output_tokens or 0
    session.cache_read_tokens += event.cache_read_tokens or 0
    session.cache_creation_tokens += event.cache_creation_tokens or 0
    session.cost_usd += event.cost_usd or 0


def count(counts: dict[str, int], key: str, by: int = 1) -> None:
    """Adds to a counter; one that comes to nothing is left out."""
    total = counts.get(key, 0) + by
    if total:
        counts[key] = total
    else:
        counts.pop(key, None)


def include(values: list, value: str | int) -> None:
    """A sorted list without repetitions."""
    if value not in values:
        values.append(value)
        values.sort()
