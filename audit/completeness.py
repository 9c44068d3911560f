"""Looks through runs of numbers for events that never came, once their successors are a minute old."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import psycopg

from audit import identifiers
from audit.folding import gaps
from audit.folding.gaps import GapFound
from audit.projector import ADVISORY_LOCK, GAP_DELAY_SECONDS

CHAINS_AT_ONCE = 20
SESSIONS_BACK = 200
POINTS_AT_MOST = 200_000
REST_SECONDS = 15
PURGED_MONTH = dt.timedelta(days=31 + 7)
"""From the beginning of the last purged month on: a run that was under way at its end had spoken again by then."""


def find_due(connection: psycopg.Connection, now: dt.datetime | None = None) -> int:
    """Finds the gaps of the chains that are due; how many chains that were."""
    now = now or dt.datetime.now(dt.UTC)
    with connection.transaction(), psycopg.Cursor(connection) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        cursor.execute(
            "DELETE FROM audit_duechain WHERE chain IN"
            " (SELECT chain FROM audit_duechain WHERE due_at <= %s ORDER BY due_at LIMIT %s) RETURNING chain",
            [now, CHAINS_AT_ONCE],
        )
        chains = [chain for (chain,) in cursor]
        for chain in chains:
            _look_through(cursor, chain, now)
    return len(chains)


def _look_through(cursor: psycopg.Cursor, chain: int, now: dt.datetime) -> None:
    settled_before = now - dt.timedelta(seconds=GAP_DELAY_SECONDS)
    sessions = _sessions(cursor, chain)
    points = _points(cursor, chain, sessions)
    found = [gap for gap in gaps.find(points, settled_before) if not _began_before_the_purge(cursor, gap)]
    cursor.execute("DELETE FROM audit_gap WHERE chain = %s AND session_id = ANY(%s)", [chain, sessions])
    cursor.executemany(
        "INSERT INTO audit_gap (id, session_id, chain, after, before, missing, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [
            (identifiers.derived("gap", chain, str(gap.session), gap.before, str(gap.at)), gap.session, chain, *gap[1:])
            for gap in found
        ],
    )
    cursor.execute(
        "UPDATE audit_session s SET missing = g.missing, gaps = g.gaps FROM (SELECT t.id, coalesce(sum(gap.missing), 0)"
        " AS missing, count(gap.id) AS gaps FROM unnest(%s::uuid[]) AS t (id) LEFT JOIN audit_gap gap"
        " ON gap.session_id = t.id GROUP BY t.id) g"
        " WHERE s.id = g.id AND (s.missing, s.gaps) IS DISTINCT FROM (g.missing, g.gaps)",
        [sessions],
    )
    young = [point for point in points if point.received_at >= settled_before]
    cursor.execute(
        "UPDATE audit_session SET unjudged = array_remove(unjudged, %s)"
        " WHERE id = ANY(%s) AND id <> ALL(%s) AND unjudged @> ARRAY[%s::bigint]",
        [chain, sessions, list({point.session for point in young}), chain],
    )
    if young:
        # As soon as the oldest of them is settled, but no run of numbers is looked through at every turn.
        due_at = max(
            min(point.received_at for point in young) + dt.timedelta(seconds=GAP_DELAY_SECONDS),
            now + dt.timedelta(seconds=REST_SECONDS),
        )
        cursor.execute(
            "INSERT INTO audit_duechain (chain, due_at) VALUES (%s, %s) ON CONFLICT DO NOTHING", [chain, due_at]
        )


def _began_before_the_purge(cursor: psycopg.Cursor, gap: GapFound) -> bool:
    """Whether it is the beginning of a run that seems to be missing just after the months that were purged."""
    if gap.after is not None:
        return False
    cursor.execute("SELECT max(month) FROM audit_retentionrun, unnest(months) AS month")
    (month,) = cursor.fetchone() or (None,)
    return month is not None and gap.at < dt.datetime.fromisoformat(f"{month}-01T00:00:00Z") + PURGED_MONTH


def _sessions(cursor: psycopg.Cursor, chain: int) -> list[UUID]:
    """The latest sessions of a chain: far enough back to know where each run of numbers began."""
    cursor.execute(
        "SELECT id FROM audit_session WHERE chains @> ARRAY[%s::bigint] ORDER BY last_at DESC LIMIT %s",
        [chain, SESSIONS_BACK],
    )
    return [session for (session,) in cursor]


def _points(cursor: psycopg.Cursor, chain: int, sessions: Sequence[UUID]) -> list[gaps.Point]:
    cursor.execute(
        "SELECT coalesce(occurred_at, 'epoch'), sequence, session, id FROM audit_event"
        " WHERE session = ANY(%s) AND chain = %s AND sequence IS NOT NULL ORDER BY 1, 2, id LIMIT %s",
        [list(sessions), chain, POINTS_AT_MOST],
    )
    return [
        gaps.Point(at, sequence, session, identifiers.received_at(event)) for at, sequence, session, event in cursor
    ]
