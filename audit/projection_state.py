"""The rows one round of the projector works on: loaded once, folded in memory, written back once."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import LiteralString, TypeVar

import msgspec
import psycopg
from psycopg import sql

from audit.folding import mcp, sessions, tool_uses
from audit.folding.mcp import McpServerRow, McpUseRow
from audit.folding.sessions import SessionRow, count
from audit.folding.tool_uses import ToolUseRow
from audit.folding.views import EventView, OriginView
from audit.interning import count_erasures
from audit.upsert import upsert

Row = TypeVar("Row", bound=msgspec.Struct)

_NO_ORIGIN = OriginView()
_origins: dict[int, OriginView] = {}
_hosts: dict[str, str | None] = {}
_erasures: int | None = None
_CACHE_SIZE = 100_000


def stored(
    cursor: psycopg.Cursor, table: str, kind: type[Row], condition: LiteralString, ids: Iterable[str]
) -> list[Row]:
    """Rows of a projection as structs; `condition` holds one placeholder for the array of ids."""
    statement = sql.SQL("SELECT coalesce(json_agg(t), '[]')::text FROM {} t WHERE {}")
    cursor.execute(statement.format(sql.Identifier(table), sql.SQL(condition)), [array(ids)])
    rows: list[Row] = msgspec.json.decode(next(cursor)[0], type=list[kind], strict=False)  # type: ignore[valid-type]
    return rows


def array(ids: Iterable[str]) -> str:
    """Identifiers as PostgreSQL writes an array of them; psycopg would look at each for what needs quoting."""
    return f"{{{','.join(ids)}}}"


class State:
    def __init__(self) -> None:
        self.sessions: dict[str, SessionRow] = {}
        self.tool_uses: dict[str, ToolUseRow] = {}
        self.servers: dict[str, McpServerRow] = {}
        self.mcp_uses: dict[str, McpUseRow] = {}
        self._emitters: dict[tuple[str, str | None, int | None], str] = {}
        self._kinds_before: dict[str, str] = {}
        self._counted: dict[str, tuple[str | None, str | None, str | None]] = {}
        self._mode_changed: set[str] = set()

    @classmethod
    def load(cls, cursor: psycopg.Cursor, events: Sequence[EventView]) -> "State":
        state = cls()
        keys = {event.session for event in events if event.session}
        for session in stored(cursor, "audit_session", SessionRow, "id = ANY(%s::uuid[])", keys):
            state.sessions[session.id] = session
            state._kinds_before[session.id] = session.session_kind
        tools = [event for event in events if event.kind in ("tool_decision", "tool_result")]
        state.add_tool_uses(cursor, "id = ANY(%s::uuid[])", {tool_uses.key(event) for event in tools})
        servers = {mcp.server_key(event.mcp_server) for event in events if _names_mcp(event)}
        for server in stored(cursor, "audit_mcpserver", McpServerRow, "id = ANY(%s::uuid[])", servers):
            state.servers[server.id] = server
        uses = {
            mcp.use_key(mcp.server_key(event.mcp_server), event.session)
            for event in events
            if event.session and _names_mcp(event)
        }
        for use in stored(cursor, "audit_mcpuse", McpUseRow, "id = ANY(%s::uuid[])", uses):
            state.mcp_uses[use.id] = use
        state._mode_changed = {e.session for e in events if e.session and e.kind == "mode_change"}
        _remember_emitters(cursor, events)
        return state

    def add_tool_uses(self, cursor: psycopg.Cursor, condition: LiteralString, ids: Iterable[str]) -> None:
        for use in stored(cursor, "audit_tooluse", ToolUseRow, condition, ids):
            if use.id not in self.tool_uses:
                self.tool_uses[use.id] = use
                self._counted[use.id] = _counts(use)

    def session(self, event: EventView) -> SessionRow:
        assert event.session is not None
        found = self.sessions.get(event.session)
        if found is None:
            found = self.sessions[event.session] = sessions.opened(event)
            self._kinds_before[found.id] = found.session_kind
        return found

    def emitted(self, event: EventView) -> None:
        """Notes who sent an event of a session; events come in the order of their ids."""
        assert event.session is not None
        self._emitters[event.session, event.subject_id, event.origin_id] = event.id

    def learn_emitters(self) -> None:
        """Tells the sessions who sent their events, each emitter once."""
        for (session, subject_id, origin_id), event_id in self._emitters.items():
            origin, host = self.origin(origin_id), self.host(subject_id)
            sessions.learn_emitter(self.sessions[session], event_id, subject_id, origin_id, origin, host)

    def tool_use(self, event: EventView) -> ToolUseRow:
        key = tool_uses.key(event)
        found = self.tool_uses.get(key)
        if found is None:
            found = self.tool_uses[key] = tool_uses.opened(event)
            self._counted[key] = (None, None, None)
            if event.session:
                self.sessions[event.session].tool_uses += 1
        return found

    def server(self, event: EventView) -> McpServerRow:
        key = mcp.server_key(event.mcp_server)
        found = self.servers.get(key)
        if found is None:
            found = self.servers[key] = McpServerRow(key, event.mcp_server or "", event.at, event.at)
        mcp.seen(found, event.at)
        return found

    def mcp_use(self, server: McpServerRow, event: EventView) -> McpUseRow:
        assert event.session is not None
        key = mcp.use_key(server.id, event.session)
        found = self.mcp_uses.get(key)
        if found is None:
            found = self.mcp_uses[key] = McpUseRow(key, server.id, event.session, event.at, event.at)
        mcp.seen(found, event.at)
        return found

    def origin(self, origin_id: int | None) -> OriginView:
        return _origins[origin_id] if origin_id is not None else _NO_ORIGIN

    def host(self, subject_id: str | None) -> str | None:
        return _hosts[subject_id] if subject_id is not None else None

    def entrypoint(self, use: ToolUseRow) -> str | None:
        return self.origin(use.origin_id).entrypoint

    def turned_sessions(self) -> list[str]:
        """Sessions of which more is known than before."""
        return [key for key, row in self.sessions.items() if row.session_kind != self._kinds_before[key]]

    def sessions_without_stated_mode(self) -> list[str]:
        """Sessions in which a decision came without its mode, or whose modes changed after such a decision."""
        unstated = {use.session_id for use in self.tool_uses.values() if use.decisions and not use.mode}
        return [key for key in unstated | self._mode_changed if key]

    def derive_modes(self, changes: Iterable[tuple[str, dt.datetime, str]], of: Sequence[str]) -> None:
        """The mode of a decision that states none is that of the last change before it, called derived."""
        by_session: dict[str, list[tuple[dt.datetime, str]]] = {}
        for session, at, mode in changes:
            by_session.setdefault(session, []).append((at, mode))
        for use in self.tool_uses.values():
            if use.session_id in of and use.decisions and use.mode_provenance != "stated":
                changed = by_session.get(use.session_id, []) if use.session_id else []
                before = [mode for at, mode in changed if at <= use.at]
                use.mode = before[-1] if before else None
                use.mode_provenance = "derived" if before else "unknown"

    def settle_counts(self) -> None:
        """Brings the sessions' counters up to what their tool uses now say."""
        for key, use in self.tool_uses.items():
            before, after = self._counted[key], _counts(use)
            session = self.sessions.get(use.session_id) if use.session_id else None
            if session is None or before == after:
                continue
            for counter, old, new in zip(_counters(session), before, after, strict=True):
                if old != new:
                    if old:
                        count(counter, old, -1)
                    if new:
                        count(counter, new)
            session.decisions_seen = sorted(session.decisions)

    def write(self, cursor: psycopg.Cursor) -> None:
        upsert(cursor, "audit_session", list(self.sessions.values()))
        upsert(cursor, "audit_tooluse", list(self.tool_uses.values()))
        upsert(cursor, "audit_mcpserver", list(self.servers.values()))
        upsert(cursor, "audit_mcpuse", list(self.mcp_uses.values()))


def _names_mcp(event: EventView) -> bool:
    return bool(event.mcp_server or event.mcp_server_provenance or event.tool_source == "mcp") or (
        event.kind == "mcp_connection"
    )


def _counts(use: ToolUseRow) -> tuple[str | None, str | None, str | None]:
    return (use.verdict, (use.mode or "unknown") if use.decisions else None, use.outcome)


def _counters(session: SessionRow) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    return (session.decisions, session.modes, session.outcomes)


def forget() -> None:
    """Drops the emitters kept between rounds."""
    _origins.clear()
    _hosts.clear()


def forget_erased(cursor: psycopg.Cursor) -> None:
    """Drops them if an identity was erased since they were kept; none is before the transaction ends."""
    global _erasures
    erasures = count_erasures(cursor.connection)
    if erasures != _erasures:
        forget()
        _erasures = erasures


def _remember_emitters(cursor: psycopg.Cursor, events: Sequence[EventView]) -> None:
    """Origins never change and a subject's host is only ever erased: both may be kept between rounds."""
    forget_erased(cursor)
    if len(_origins) > _CACHE_SIZE or len(_hosts) > _CACHE_SIZE:
        forget()
    origins = {event.origin_id for event in events if event.origin_id is not None} - _origins.keys()
    if origins:
        columns = sql.SQL(", ").join(map(sql.Identifier, OriginView._fields))
        cursor.execute(sql.SQL("SELECT id, {} FROM audit_origin WHERE id = ANY(%s)").format(columns), [list(origins)])
        _origins.update((identifier, OriginView(*rest)) for identifier, *rest in cursor)
    subjects = {event.subject_id for event in events if event.subject_id is not None} - _hosts.keys()
    if subjects:
        cursor.execute("SELECT id::text, host FROM audit_subject WHERE id = ANY(%s::uuid[])", [array(subjects)])
        _hosts.update(cursor.fetchall())
