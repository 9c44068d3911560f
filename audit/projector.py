"""The projector: folds committed events into what people read. Effective once (advisory lock), rebuildable at any time.

It follows its own outbox, so that people see new evidence also while sealing is stopped.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import UUID

import psycopg
from psycopg import sql

from audit import leaf, words
from audit.folding import mcp, sessions, tool_uses
from audit.folding.views import EventView, OriginView
from audit.projection_state import State, array

logger = logging.getLogger(__name__)

ADVISORY_LOCK = 0x6167705F666F6C64  # "agp_fold"
EVENTS_AT_ONCE = 4000
GAP_DELAY_SECONDS = 60
_TOOL_KINDS = frozenset({"tool_decision", "tool_result"})
PROJECTIONS = (
    "audit_session", "audit_tooluse", "audit_mcpserver", "audit_mcpuse", "audit_gap", "audit_duechain",
    "audit_searchtext",
)  # fmt: skip

LOAD = """
    SELECT e.id::text, e.agent, e.kind, e.occurred_at, e.source_id, e.subject_id::text, e.origin_id, e.session::text,
        e.session_id, e.chain, e.prompt_id, e.request_id, e.agent_id, e.tool_use_id, e.tool_name, e.tool_source,
        e.mcp_server, e.mcp_server_provenance, e.mcp_tool, e.mcp_transport, e.mcp_status, e.mcp_scope, e.decision,
        e.decided_by, e."grant", e.basis, e.decision_raw, e.mode, e.mode_provenance, e.from_mode, e.to_mode, e.outcome,
        e.error, e.duration_ms, e.query_source, e.input_tokens, e.output_tokens, e.cache_read_tokens,
        e.cache_creation_tokens, e.cost_usd, e.flags, c.command, c.path, c.host, c.bytes
    FROM audit_event e LEFT JOIN audit_content c ON c.event_id = e.id
"""


# The oldest batches until they hold so many events; the last one may go over.
_TAKE = """
    WITH oldest AS (
        SELECT id, length(event_ids) AS size, sum(length(event_ids)) OVER (ORDER BY id) AS bytes
        FROM (SELECT * FROM audit_unfolded ORDER BY id LIMIT %s) AS first
    )
    DELETE FROM audit_unfolded WHERE id IN (SELECT id FROM oldest WHERE bytes - size < %s) RETURNING event_ids
"""


def fold_waiting(connection: psycopg.Connection) -> int:
    """Folds what is waiting in the outbox, oldest batch first; how many events that were."""
    with connection.transaction(), psycopg.Cursor(connection) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        cursor.execute(_TAKE, [EVENTS_AT_ONCE, 16 * EVENTS_AT_ONCE], binary=True)
        blob = b"".join(event_ids for (event_ids,) in cursor)
        ids = sorted(blob[start : start + 16].hex() for start in range(0, len(blob), 16))
        if ids:
            cursor.execute(
                LOAD + "WHERE e.id = ANY(%s::uuid[]) AND e.id BETWEEN %s::uuid AND %s::uuid ORDER BY e.id",
                [array(ids), ids[0], ids[-1]],
                binary=True,
            )
            fold(cursor, [EventView._make(row) for row in cursor])
    return len(ids)


def fold(cursor: psycopg.Cursor, events: Sequence[EventView]) -> None:
    """Folds events, each of which was never folded before, and writes the rows they changed."""
    fold_rows(cursor, events)
    _index_words(cursor, events)
    _mark_chains(cursor, events)


def fold_rows(cursor: psycopg.Cursor, events: Sequence[EventView]) -> None:
    """As `fold`, but only what is told of sessions, tool uses and MCP servers."""
    state = State.load(cursor, events)
    for event in events:
        origin = state.origin(event.origin_id)
        if event.session:
            sessions.fold(state.session(event), event)
            state.emitted(event)
        if event.kind in _TOOL_KINDS:
            _fold_tool_use(state, event, origin)
        elif event.kind == "mcp_connection":
            server = state.server(event)
            mcp.fold_connection(server, event)
            if event.session and event.mcp_status == "connected":
                state.mcp_use(server, event).connections += 1
    _reconsider(cursor, state)
    state.settle_counts()
    state.learn_emitters()
    state.write(cursor)


def _fold_tool_use(state: State, event: EventView, origin: OriginView) -> None:
    use = state.tool_use(event)
    was_mcp = use.is_mcp
    kind = state.sessions[event.session].session_kind if event.session else "unknown"
    tool_uses.fold(use, event, origin, kind)
    if use.is_mcp:
        server = state.server(event)
        mcp.fold_call(server, event, first=not was_mcp)
        if event.session and not was_mcp:
            state.mcp_use(server, event).calls += 1


def _reconsider(cursor: psycopg.Cursor, state: State) -> None:
    """What became known of a session corrects its earlier decisions; mode changes tell the mode of those without."""
    turned = state.turned_sessions()
    if turned:
        state.add_tool_uses(cursor, "session_id = ANY(%s::uuid[]) AND decided_by IN ('unknown', 'person')", turned)
        for use in state.tool_uses.values():
            if use.session_id in turned:
                tool_uses.reconsider(use, state.sessions[use.session_id].session_kind, state.entrypoint(use))
    derive = state.sessions_without_stated_mode()
    if derive:
        state.add_tool_uses(
            cursor, "session_id = ANY(%s::uuid[]) AND decisions > 0 AND mode_provenance <> 'stated'", derive
        )
        cursor.execute(
            "SELECT session::text, coalesce(occurred_at, 'epoch'), to_mode FROM audit_event"
            " WHERE session = ANY(%s::uuid[]) AND kind = 'mode_change' AND to_mode IS NOT NULL ORDER BY session, 2, id",
            [array(derive)],
        )
        state.derive_modes(cursor.fetchall(), derive)


def _index_words(cursor: psycopg.Cursor, events: Iterable[EventView]) -> None:
    texts = [(event.id, event.session, words.of_content(event.content)) for event in events if event.content]
    rows = [{"id": event_id, "session": session, "text": text} for event_id, session, text in texts if text]
    if rows:
        cursor.execute(
            "INSERT INTO audit_searchtext (event_id, session, words) SELECT id, session, to_tsvector('simple', text)"
            " FROM json_to_recordset(%s::json) AS t (id uuid, session uuid, text text)",
            [leaf.encode_json(rows).decode()],
        )


def _mark_chains(cursor: psycopg.Cursor, events: Iterable[EventView]) -> None:
    """A missing number is a gap once a later one is a minute old; until then it may still be on its way."""
    chains = sorted({event.chain for event in events if event.chain is not None and event.session})
    cursor.execute(
        "INSERT INTO audit_duechain (chain, due_at) SELECT chain, now() + make_interval(secs => %s)"
        " FROM unnest(%s::bigint[]) AS chain ON CONFLICT DO NOTHING",
        [GAP_DELAY_SECONDS, chains],
    )


def rebuild(connection: psycopg.Connection, progress: Callable[[int], None] = lambda done: None) -> int:
    """Folds all events anew in one transaction: readers see the old rows until the new ones are complete.

    A REPEATABLE READ snapshot holds each event both recorded and in the outbox, or neither: none is folded twice.
    """
    done = 0
    with psycopg.Cursor(connection) as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        try:
            with connection.transaction():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("DELETE FROM audit_unfolded")
                for table in PROJECTIONS:
                    cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                for events in _all_events(cursor):
                    fold(cursor, events)
                    done += len(events)
                    progress(done)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
    return done


def _all_events(cursor: psycopg.Cursor) -> Iterator[list[EventView]]:
    after = str(UUID(int=0))
    while True:
        cursor.execute(LOAD + "WHERE e.id > %s::uuid ORDER BY e.id LIMIT %s", [after, EVENTS_AT_ONCE], binary=True)
        events = [EventView._make(row) for row in cursor]
        if not events:
            return
        yield events
        after = events[-1].id
