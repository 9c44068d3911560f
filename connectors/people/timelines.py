"""The rows of one name over time, changed as a whole; what points to a row follows the days it is about.

Everything here is called inside `identities.settled`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from connectors.models import Identity, Person
from connectors.people import identities
from connectors.people.identities import Name
from connectors.people.joining import DAY, Piece

FROZEN = ("manual", "imported", "erased")
"""What people decided, which nothing that comes later changes."""

_CHANGE = """
    UPDATE connectors_identity SET last_day = told.last_day, person_id = told.person_id, basis = told.basis
    FROM unnest(%s::bigint[], %s::date[], %s::bigint[], %s::text[]) AS told(id, last_day, person_id, basis)
    WHERE connectors_identity.id = told.id
"""
_FOLLOW_USAGE = """
    UPDATE connectors_usageday u SET identity_id = good.id
    FROM connectors_identity bad JOIN connectors_identity good ON good.kind = bad.kind AND good.value = bad.value
    WHERE u.identity_id = bad.id AND bad.kind = %(kind)s AND bad.value = ANY(%(values)s)
        AND (bad.id = ANY(%(dead)s) OR u.day < bad.first_day OR u.day > bad.last_day)
        AND good.id <> ALL(%(dead)s) AND good.id <> bad.id
        AND u.day >= coalesce(good.first_day, '-infinity') AND u.day <= coalesce(good.last_day, 'infinity')
"""
_FOLLOW_SEATS = """
    UPDATE connectors_seat s SET identity_id = good.id
    FROM connectors_identity bad JOIN connectors_identity good ON good.kind = bad.kind AND good.value = bad.value
    WHERE s.identity_id = bad.id AND bad.kind = %(kind)s AND bad.value = ANY(%(values)s)
        AND good.last_day IS NULL AND good.id <> ALL(%(dead)s) AND good.id <> bad.id
"""


def give(kind: str, wanted: Mapping[str, Sequence[Piece]]) -> None:
    """Makes the rows of these values those pieces, unless people decided otherwise for any part of its time."""
    found = identities.of((kind, value) for value in wanted)
    made: list[Identity] = []
    changed: list[Identity] = []
    dead: list[int] = []
    cut: list[str] = []
    for value, pieces in wanted.items():
        rows = found.get((kind, value), [])
        if any(row.basis in FROZEN for row in rows):
            continue
        by_start = {row.first_day: row for row in rows}
        newest = max((row.last_seen for row in rows if row.last_seen), default=None)
        for piece in pieces:
            row = by_start.pop(piece.first, None)
            told = {"last_day": piece.last, "person_id": piece.person, "basis": piece.basis}
            if row is None:
                seen = {"first_seen": piece.first, "last_seen": newest}
                made.append(Identity(kind=kind, value=value, first_day=piece.first, **told, **seen))
            elif any(getattr(row, name) != now for name, now in told.items()):
                for name, now in told.items():
                    setattr(row, name, now)
                changed.append(row)
        dead += [row.pk for row in by_start.values()]
        if len(pieces) > 1 or len(rows) > 1:
            cut.append(value)
    Identity.objects.bulk_create(made, 1000)
    _change(changed)
    if cut and (made or changed or dead):
        follow(kind, cut, dead)


def _change(rows: Sequence[Identity]) -> None:
    """One statement for all: bulk_update takes many times as long."""
    told = [[row.pk, row.last_day, row.person_id, row.basis] for row in rows]
    columns: list[Any] = [list(column) for column in zip(*told, strict=True)]
    if columns:
        with connection.cursor() as cursor:
            cursor.execute(_CHANGE, columns)


def follow(kind: str, values: Sequence[str], dead: Sequence[int] = ()) -> None:
    """Usage and seats go to the row that holds on their day; the dead rows go."""
    told: dict[str, Any] = {"kind": kind, "values": list(values), "dead": list(dead)}
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW_USAGE, told)
        cursor.execute(_FOLLOW_SEATS, told)
    if dead:
        Identity.objects.filter(pk__in=dead).delete()


def move(name: Name, person: Person | None, from_day: dt.date | None, basis: str) -> None:
    """Gives the name to that person (None: to nobody) from that day on (None: for all its time)."""
    kind, value = name
    rows = identities.of([name]).get(name, [])
    if not rows:
        Identity.objects.create(kind=kind, value=value, person=person, first_day=from_day, basis=basis)
        return
    for row in rows:
        if from_day is not None and row.last_day is not None and row.last_day < from_day:
            continue
        if from_day is not None and (row.first_day is None or row.first_day < from_day):
            Identity.objects.create(
                kind=kind, value=value, person=person, basis=basis, first_day=from_day, last_day=row.last_day,
                first_seen=from_day, last_seen=row.last_seen,
            )  # fmt: skip
            row.last_day = from_day - DAY
        else:
            row.person, row.basis = person, basis
        row.save(update_fields=["person", "basis", "last_day"])
    follow(kind, [value])
