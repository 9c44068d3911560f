"""Finds or makes the identities that a vendor's or telemetry's rows belong to."""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Q

from connectors.models import Identity
from connectors.people.joining import Piece
from connectors.people.names import spelled

ADVISORY_LOCK = 7018702099306406260
Name = tuple[str, str]
"""(kind, value); see Identity.Kind."""

_MAKE = """
    INSERT INTO connectors_identity (kind, value, basis, first_seen, last_seen)
    SELECT kind, value, %(basis)s, %(day)s, %(day)s
    FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS name(kind, value)
    WHERE NOT EXISTS (SELECT FROM connectors_identity i WHERE i.kind = name.kind AND i.value = name.value)
    ON CONFLICT DO NOTHING
"""
_OF = """
    SELECT {} FROM connectors_identity i
    JOIN unnest(%(kinds)s::text[], %(values)s::text[]) AS name(kind, value)
        ON name.kind = i.kind AND name.value = i.value
    ORDER BY i.first_day NULLS FIRST, i.id
"""
_SEE = """
    UPDATE connectors_identity SET first_seen = LEAST(first_seen, %(day)s), last_seen = GREATEST(last_seen, %(day)s)
    WHERE id = ANY(%(ids)s)
"""


@contextmanager
def settled() -> Iterator[None]:
    """A transaction in which nobody else makes, joins or moves identities, until it ends.

    One lock for all of it: rows of identities are never waited for in two orders. Who takes it does so before locking
    rows that another holder of it could want. Erasures are held off first, as recording an act would: they take both
    locks, too.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT audit_erasures_v1()")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        yield


def resolve(pairs: Iterable[Name], *, basis: str, day: dt.date) -> dict[Name, Identity]:
    """The identity of each (kind, value) as it holds on that day, made where there is none, under the pair as given.

    `basis` is how the name came here, if it is new: telemetry, vendor. Notes that they were seen on that day. Values
    are cut at names.LONGEST characters; e-mail addresses are kept in lower case.
    """
    asked = {pair: (pair[0], spelled(*pair)) for pair in pairs}
    names = sorted(set(asked.values()))
    if not names:
        return {}
    with settled(), connection.cursor() as cursor:
        cursor.execute(_MAKE, {"basis": basis, "day": day, **columns(names)})
        found = _on(names, day)
        unseen = [
            each.pk
            for each in found.values()
            if not (each.first_seen or dt.date.max) <= day <= (each.last_seen or dt.date.min)
        ]
        if unseen:
            cursor.execute(_SEE, {"day": day, "ids": unseen})
    return {pair: found[name] for pair, name in asked.items()}


def of(names: Iterable[Name]) -> dict[Name, list[Identity]]:
    """All rows of each name, the earliest of its time first."""
    found: dict[Name, list[Identity]] = {}
    for row in Identity.objects.raw(_OF.format("i.*"), columns(names)):
        found.setdefault((row.kind, row.value), []).append(row)
    return found


def columns(names: Iterable[Name]) -> dict[str, list[str]]:
    """The names as the statements here take them."""
    wanted = sorted(set(names))
    return {"kinds": [kind for kind, _ in wanted], "values": [value for _, value in wanted]}


def pieces_of(names: Iterable[Name]) -> dict[Name, list[Piece]]:
    """Whose each name is, by its time: as `of`, for many names."""
    found: dict[Name, list[Piece]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_OF.format("i.kind, i.value, i.first_day, i.last_day, i.person_id, i.basis"), columns(names))
        for kind, value, *piece in cursor.fetchall():
            found.setdefault((kind, value), []).append(Piece(*piece))
    return found


def _on(names: Iterable[Name], day: dt.date) -> dict[Name, Identity]:
    """The row of each name that holds on that day; the first one where none does (what a person cut has no holes)."""
    return {name: next((row for row in rows if holds_on(row, day)), rows[0]) for name, rows in of(names).items()}


def holds_on(identity: Identity, day: dt.date) -> bool:
    return (identity.first_day or day) <= day <= (identity.last_day or day)


UNMAPPED = Q(person=None) & ~Q(basis="erased")
"""Names that are nobody's yet."""
