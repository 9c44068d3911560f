"""What is not there any more, and the portal's own event that says so: erased parts by commitment, purged numbers.

Shared by everything that shows or checks recorded bytes, so that an absence is explained in one way or not at all.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import psycopg

from audit import leaf
from audit.models import Content, Event

_ERASED = """
    SELECT x.commitment, x.part, x.act, s.seq, coalesce(a.agent = 'portal'
        AND position(convert_to(encode(x.commitment, 'hex'), 'UTF8') IN a.facts) > 0, false)
    FROM audit_erased x LEFT JOIN audit_event a ON a.id = x.act LEFT JOIN audit_seal s ON s.event_id = x.act
    WHERE x.commitment = ANY(%s)
"""
_PURGED = """
    SELECT p.seq_from, p.seq_to, p.act, s.seq, coalesce(a.agent = 'portal'
        AND position(convert_to(format('["@portal.purged.seq_from","int",%s]', p.seq_from), 'UTF8') IN a.facts) > 0
        AND position(convert_to(format('["@portal.purged.seq_to","int",%s]', p.seq_to), 'UTF8') IN a.facts) > 0, false)
    FROM audit_purge p LEFT JOIN audit_event a ON a.id = p.act LEFT JOIN audit_seal s ON s.event_id = p.act
    WHERE p.act = (SELECT act FROM audit_purge ORDER BY act DESC LIMIT 1) ORDER BY p.seq_from
"""


def erased_parts(event: Event) -> list[str]:
    """Which parts of it are gone, in words; a query for its content."""
    gone = {
        "subject": event.subject is not None and event.subject.bytes is None,
        "facts": event.facts is None,
        "content": bytes(event.content_commitment) != leaf.ABSENT and not Content.objects.filter(pk=event.pk).exists(),
    }
    return [f"{name} erased" for name, is_gone in gone.items() if is_gone]


class Erased(NamedTuple):
    """`seq` is the number of the event that says so, None while it has none; `told`: it does say so."""

    part: str
    act: UUID
    seq: int | None
    told: bool


class Purged(NamedTuple):
    """The events `first` to `last`, both included; the rest as of Erased."""

    first: int
    last: int
    act: UUID
    seq: int | None
    told: bool


def erased(cursor: psycopg.Cursor, commitments: Iterable[bytes]) -> dict[bytes, Erased]:
    """Those of the commitments whose part was erased. No query when there are none."""
    sought = list(commitments)
    if not sought:
        return {}
    cursor.execute(_ERASED, [sought], binary=True)
    return {bytes(commitment): Erased(*told) for commitment, *told in cursor}


class Purges:
    """All numbers that were purged, as the newest purge tells them; read once."""

    def __init__(self, cursor: psycopg.Cursor) -> None:
        cursor.execute(_PURGED, binary=True)
        self.ranges: Sequence[Purged] = [Purged(*row) for row in cursor]
        self._starts = [each.first for each in self.ranges]

    def of(self, seq: int) -> Purged | None:
        """The purge that took the event of this number."""
        place = bisect_right(self._starts, seq) - 1
        found = self.ranges[place] if place >= 0 else None
        return found if found and seq <= found.last else None

    def next_after(self, seq: int, otherwise: int) -> int:
        """The first purged number beyond that one."""
        place = bisect_right(self._starts, seq)
        return self._starts[place] if place < len(self._starts) else otherwise

    def within(self, first: int, last: int) -> list[Purged]:
        """The purged numbers among these, in order, cut to them."""
        overlapping = (each for each in self.ranges if each.first <= last and each.last >= first)
        return [each._replace(first=max(each.first, first), last=min(each.last, last)) for each in overlapping]
