"""Whether sessions and tool uses say what their events say: folds them anew, beside the rows that people read.

The fold is the projector's own. It is given temporary tables of the same names, which PostgreSQL finds first, so it
neither reads nor writes the real ones; then the two are compared, column by column.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from audit import identifiers, projector
from audit.folding.mcp import McpUseRow
from audit.folding.sessions import SessionRow
from audit.folding.tool_uses import ToolUseRow
from audit.folding.views import EventView
from audit.projection_state import array
from audit.verification import Fault

SESSIONS_AT_ONCE = 100
ONE_BATCH = dt.timedelta(minutes=1)  # what was recorded together was received closer together than this
_SHADOWED = ("audit_session", "audit_tooluse", "audit_mcpserver", "audit_mcpuse")
_FOUND_BY_TIME = {"missing", "gaps", "unjudged"}  # of runs of numbers across sessions, once they are a minute old
_COMPARED: dict[str, tuple[LiteralString, list[str]]] = {
    "audit_session": ("id", sorted(set(SessionRow.__struct_fields__) - _FOUND_BY_TIME - {"id"})),
    "audit_tooluse": ("session_id", sorted(set(ToolUseRow.__struct_fields__) - {"id"})),
    "audit_mcpuse": ("session_id", sorted(set(McpUseRow.__struct_fields__) - {"id"})),
}
"""For each table the column that says whose row it is, and those that are compared."""
_CALLED = {"audit_session": "session", "audit_tooluse": "tool use", "audit_mcpuse": "use of an MCP server, row"}

# Of the sessions that events name and those that have a row, the next ones; a probe of an index for each.
_NEXT = """
    WITH RECURSIVE named AS (
        (SELECT session FROM audit_event WHERE session > %(after)s ORDER BY session LIMIT 1)
        UNION ALL
        SELECT (SELECT e.session FROM audit_event e WHERE e.session > named.session ORDER BY e.session LIMIT 1)
        FROM named WHERE named.session IS NOT NULL
    )
    SELECT session::text FROM (
        (SELECT session FROM named WHERE session IS NOT NULL LIMIT %(most)s)
        UNION (SELECT id FROM public.audit_session WHERE id > %(after)s ORDER BY id LIMIT %(most)s)
        UNION (
            SELECT session_id FROM public.audit_tooluse WHERE session_id > %(after)s ORDER BY session_id LIMIT %(most)s)
    ) AS known ORDER BY session LIMIT %(most)s
"""
_WAITING = "SELECT substring(event_ids FROM 1 FOR 16) FROM audit_unfolded ORDER BY 1 LIMIT 1"
_DIFFERENT: LiteralString = """
    SELECT coalesce(folded.id, shown.id)::text, folded.id IS NULL, shown.id IS NULL,
        array_remove(ARRAY[{columns}], NULL)
    FROM (SELECT * FROM pg_temp.{table} WHERE {owner} = ANY(%s::uuid[])) AS folded
    FULL JOIN (SELECT * FROM public.{table} WHERE {owner} = ANY(%s::uuid[])) AS shown USING (id)
    WHERE folded.id IS NULL OR shown.id IS NULL OR (folded.*) IS DISTINCT FROM (shown.*)
    ORDER BY 1
"""


def faults(connection: psycopg.Connection, progress: Callable[[int], None] = lambda done: None) -> Iterator[Fault]:
    """Each row that says something else than its events, with the names of its columns. A hundred sessions at a time.

    Sessions with events that are not folded yet are left for the next time; what belongs to no session, and the sums
    over all sessions that MCP servers show, are not looked at. Values are not told: they may be content.
    """
    with psycopg.Cursor(connection) as cursor, _shadows(cursor):
        done, after = 0, "00000000-0000-0000-0000-000000000000"
        while True:
            with _rolled_back(connection):
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute(_NEXT, {"after": after, "most": SESSIONS_AT_ONCE})
                keys = [key for (key,) in cursor]
                settled = sorted(set(keys) - _unsettled(cursor, keys))
                found = list(_compared(connection, cursor, settled)) if settled else []
            yield from found
            if not keys:
                return
            after, done = keys[-1], done + len(keys)
            progress(done)


@contextlib.contextmanager
def _shadows(cursor: psycopg.Cursor) -> Iterator[None]:
    """Empty temporary tables in the place of the projections, for this connection alone."""
    try:
        for table in _SHADOWED:
            cursor.execute(
                sql.SQL("CREATE TEMPORARY TABLE {0} (LIKE public.{0} INCLUDING DEFAULTS, PRIMARY KEY (id))").format(
                    sql.Identifier(table)
                )
            )
        cursor.execute("CREATE INDEX ON pg_temp.audit_tooluse (session_id)")
        yield
    finally:
        tables = sql.SQL(", ").join(sql.Identifier("pg_temp", table) for table in _SHADOWED)
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(tables))


@contextlib.contextmanager
def _rolled_back(connection: psycopg.Connection) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        yield


def _unsettled(cursor: psycopg.Cursor, keys: list[str]) -> set[str]:
    """Of these sessions those with events as new as what the projector has still to take; some of them needlessly."""
    oldest = cursor.execute(_WAITING, binary=True).fetchone()
    if oldest is None:
        return set()
    since = identifiers.lower_bound(identifiers.received_at(UUID(bytes=oldest[0])) - ONE_BATCH)
    cursor.execute(
        "SELECT DISTINCT session::text FROM audit_event WHERE id >= %s AND session = ANY(%s::uuid[])",
        [since, array(keys)],
    )
    return {session for (session,) in cursor}


def _compared(connection: psycopg.Connection, cursor: psycopg.Cursor, keys: list[str]) -> Iterator[Fault]:
    with psycopg.ServerCursor(connection, "audit_projection_check") as reading:
        reading.execute(projector.LOAD + "WHERE e.session = ANY(%s::uuid[]) ORDER BY e.id", [array(keys)], binary=True)
        while rows := reading.fetchmany(projector.EVENTS_AT_ONCE):
            projector.fold_rows(cursor, [EventView._make(row) for row in rows])
    for table in _COMPARED:
        cursor.execute(_statement(table), [array(keys), array(keys)])
        for row_id, invented, lost, columns in cursor:
            place = f"{_CALLED[table]} {row_id}"
            if invented or lost:
                yield Fault(place, "no event tells of it" if invented else "it is missing, and events tell of it")
            elif columns:
                yield Fault(place, f"{', '.join(columns)}: not what its events say")


def _statement(table: str) -> sql.Composed:
    owner, names = _COMPARED[table]
    columns = sql.SQL(", ").join(
        sql.SQL("CASE WHEN folded.{0} IS DISTINCT FROM shown.{0} THEN {1} END").format(
            sql.Identifier(name), sql.Literal(name)
        )
        for name in names
    )
    return sql.SQL(_DIFFERENT).format(columns=columns, table=sql.Identifier(table), owner=sql.Identifier(owner))
