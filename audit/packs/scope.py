"""Which numbers a pack covers, under a signed head of so many events."""

import datetime as dt
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from audit import identifiers
from audit.exceptions import AuditError
from audit.models import EvidencePack

MOST_EVENTS = 1_000_000
"""In one pack: some gigabytes. More are several ranges, each with its own proof."""

_OF_SESSION = """
    SELECT s.seq FROM audit_event e LEFT JOIN audit_seal s ON s.event_id = e.id WHERE e.session = %s ORDER BY s.seq
"""
_RECEIVED = """
    WITH found AS MATERIALIZED (SELECT seq FROM audit_seal WHERE event_id >= %s AND event_id < %s)
    SELECT min(seq), max(seq) FROM found WHERE seq < (SELECT max(size) FROM audit_checkpoint)
"""  # materialized: or the planner walks all numbers from the first on to find the smallest


class NothingToPack(AuditError):
    """There is nothing that a signed head covers, or too much for one pack; the text says which."""


@dataclass(frozen=True, slots=True)
class Covered:
    """`numbers` ascend. `unsigned`: how many events of the session no signed head covers yet."""

    numbers: Sequence[int]
    unsigned: int = 0


def covered(cursor: psycopg.Cursor, pack: EvidencePack, size: int) -> Covered:
    """Raises NothingToPack."""
    if pack.kind == EvidencePack.Kind.SESSION:
        found = _of_session(cursor, pack, size)
    elif pack.kind == EvidencePack.Kind.RANGE:
        assert pack.first_seq is not None
        assert pack.last_seq is not None
        found = Covered(range(pack.first_seq, pack.last_seq + 1))
    else:
        found = Covered(pack.numbers)
    if not found.numbers:
        raise NothingToPack("None of its events is covered by a signed checkpoint yet; ask again in a few seconds.")
    if found.numbers[-1] >= size:
        raise NothingToPack(f"The signed checkpoint ends before #{found.numbers[-1]}: it covers {size} events.")
    if len(found.numbers) > MOST_EVENTS:
        raise NothingToPack(f"{len(found.numbers)} events are too many for one pack: it holds up to {MOST_EVENTS}.")
    return found


def received_between(cursor: psycopg.Cursor, begin: dt.datetime, end: dt.datetime) -> tuple[int, int] | None:
    """The first and the last number of what was received from `begin` on and before `end`, as far as it is signed.

    Numbers are given in the order of commit: between the two may lie some that were received a moment sooner or later.
    """
    row = cursor.execute(_RECEIVED, [identifiers.lower_bound(begin), identifiers.lower_bound(end)]).fetchone()
    return (row[0], row[1]) if row and row[0] is not None else None


def _of_session(cursor: psycopg.Cursor, pack: EvidencePack, size: int) -> Covered:
    numbers, unsigned = array("q"), 0
    for (seq,) in cursor.execute(_OF_SESSION, [pack.session]):
        if seq is None or seq >= size:
            unsigned += 1
        else:
            numbers.append(seq)
    return Covered(numbers, unsigned)
