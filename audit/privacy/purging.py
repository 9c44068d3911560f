"""Purges whole months of events: oldest first, only what is numbered and not held, in one transaction with its record.

Taking a partition off its table needs its owner, and waits for nobody longer than LOCK_SECONDS.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

from audit import identifiers, partitions, projector
from audit.privacy import tombstones
from audit.privacy.forgetting import refusals

LOCK_SECONDS = 4


@dataclass(frozen=True, slots=True)
class Month:
    """A partition with events; `hold` covers some of them, `unsealed` have no number yet."""

    start: dt.date
    end: dt.datetime
    events: int
    unsealed: int
    hold: int | None

    def __str__(self) -> str:
        return f"{self.start:%Y-%m}"


def due(before: dt.datetime) -> list[Month]:
    """The months all of whose events were received before that moment, oldest first; months without events left out."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_event'::regclass ORDER BY 1"
        )
        names = [name for (name,) in cursor.fetchall()]
        return [month for name in names if (month := _month(cursor, name, before))]


def _month(cursor: Any, partition: str, before: dt.datetime) -> Month | None:
    year, month = map(int, partition.removeprefix("audit_event_").split("_"))
    ((start, end),) = partitions.months(dt.date(year, month, 1), 1)
    if end > before:
        return None
    low, high = (str(identifiers.lower_bound(moment)) for moment in (start, end))
    cursor.execute(
        "SELECT count(*), count(*) - count(s.seq) FROM audit_event e LEFT JOIN audit_seal s ON s.event_id = e.id"
        " WHERE e.id >= %s AND e.id < %s",
        [low, high],
    )
    events, unsealed = cursor.fetchone()
    if not events:
        return None
    cursor.execute("SELECT audit_hold_within_v1(%s::regclass)", [partition])
    return Month(start.date(), end, events, unsealed, cursor.fetchone()[0])


def purge(month: Month, about: Sequence[tuple[str, int]]) -> int:
    """Takes the month away, with the projections of what was in it; how many events. Raises Held.

    All of it or, whatever happens on the way, nothing.
    """
    owner = connections["owner"]
    with transaction.atomic(using="owner"), refusals(), owner.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [projector.ADVISORY_LOCK])
        cursor.execute("SELECT * FROM audit_purged_with_v1(%s::regclass)", [f"audit_event_{month.start:%Y_%m}"])
        ranges = cursor.fetchall()
        act = tombstones.of_ranges(
            "retention.purged", ranges, [*about, ("retention.month", str(month))], owner.connection
        )
        _forget_projections(cursor, month)
        cursor.execute("SELECT audit_purge_month_v1(%s, %s)", [month.start, act])
        (gone,) = cursor.fetchone()
    return int(gone)


def _forget_projections(cursor: Any, month: Month) -> None:
    """Words and tool uses of the month, and sessions that ended in it. What went on is folded anew (retention.run)."""
    high = str(identifiers.lower_bound(month.end))
    cursor.execute("DELETE FROM audit_searchtext WHERE event_id < %s", [high])
    cursor.execute("DELETE FROM audit_tooluse WHERE position < %s", [high])
    ended = "(SELECT id FROM audit_session WHERE last_event < %s)"
    for table in ("audit_gap", "audit_mcpuse"):
        cursor.execute(f"DELETE FROM {table} WHERE session_id IN {ended}", [high])  # noqa: S608 - two names of ours
    cursor.execute("DELETE FROM audit_session WHERE last_event < %s", [high])
