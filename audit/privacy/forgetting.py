"""What erasing and retention share: the functions of the database, and the projections of what they take away."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DatabaseError, connection

from audit import projector
from audit.privacy import holds


class Found(NamedTuple):
    """A content that is to go: its event, its commitment, and its event's session. Ids are texts."""

    event: str
    commitment: bytes
    session: str | None


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Raises Held for what the database refused because of a hold."""
    try:
        yield
    except DatabaseError as error:
        if held := holds.refused(error):
            raise held from error
        raise


def lock_projections() -> None:
    """Until the transaction ends nothing is folded: what is loaded is written before, or is gone after."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [projector.ADVISORY_LOCK])


def erase_contents(found: Sequence[Found], act: UUID) -> None:
    """Contents of events with everything that was read from them, named by the act."""
    events = [each.event for each in found]
    sessions = sorted({each.session for each in found if each.session})
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_erase_contents_v1(%s::uuid[], %s)", [events, act])
        cursor.execute("DELETE FROM audit_searchtext WHERE event_id = ANY(%s::uuid[])", [events])
        cursor.execute(
            "UPDATE audit_tooluse SET command = NULL, path = NULL, host = NULL"
            " WHERE (session_id = ANY(%(sessions)s::uuid[]) OR position = ANY(%(events)s::uuid[]))"
            " AND (decision_event = ANY(%(events)s::uuid[]) OR result_event = ANY(%(events)s::uuid[])"
            "      OR position = ANY(%(events)s::uuid[]))",
            {"sessions": sessions, "events": events},
        )


def erase_facts(found: Sequence[Found], act: UUID) -> None:
    """Facts of events, named by the act; the projections are folded anew when the run is through (retention.run)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_erase_facts_v1(%s::uuid[], %s)", [[each.event for each in found], act])


def sessions_of(cursor: Any, subjects: Sequence[UUID]) -> list[UUID]:
    """The sessions in which an identity took part."""
    cursor.execute(
        "SELECT id FROM audit_session WHERE subject_id = ANY(%(subjects)s)"
        " UNION SELECT session FROM audit_event WHERE subject_id = ANY(%(subjects)s) AND session IS NOT NULL",
        {"subjects": list(subjects)},
    )
    return [session for (session,) in cursor.fetchall()]


def retell_hosts(cursor: Any, sessions: Sequence[UUID]) -> None:
    """The host of each session as its newest event with an identity that still has one tells it (folding.sessions)."""
    cursor.execute(
        """
        WITH told AS (
            SELECT DISTINCT ON (e.session) e.session, e.id::text AS event, u.host
            FROM audit_event e JOIN audit_subject u ON u.id = e.subject_id
            WHERE e.session = ANY(%(sessions)s) AND u.host IS NOT NULL ORDER BY e.session, e.id DESC)
        UPDATE audit_session s SET host = told.host, latest = CASE WHEN told.event IS NULL THEN s.latest - 'host'
            ELSE s.latest || jsonb_build_object('host', told.event) END
        FROM audit_session same LEFT JOIN told ON told.session = same.id
        WHERE s.id = same.id AND same.id = ANY(%(sessions)s)
        """,
        {"sessions": list(sessions)},
    )
