"""Joins the names of telemetry's subjects and of vendors' seats into people, a portion at a time.

What a subject says is a claim: whoever holds a token can claim any address. It is shown as one (basis telemetry). Rows
that somebody mapped or imported are left as they are, with all of that name's time.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from connectors.models import Identity, Person, Seat, SeenSubject
from connectors.people import identities, timelines
from connectors.people.identities import Name, settled
from connectors.people.joining import Piece, Use, pieces, within
from connectors.people.names import address_of, is_address, spelled
from connectors.people.timelines import FROZEN

AT_ONCE = 1000
NOBODYS = [Piece(None, None, None, "telemetry")]

EMAIL, ACCOUNT_UUID, ACCOUNT_ID, INSTALL, GIT = (
    Identity.Kind.EMAIL, Identity.Kind.ACCOUNT_UUID, Identity.Kind.ACCOUNT_ID, Identity.Kind.INSTALL, Identity.Kind.GIT,
)  # fmt: skip

_DUE = """
    SELECT s.id, s.email, s.account_uuid, s.account_id, s.install_id, days.first, days.last
    FROM audit_subject s
    LEFT JOIN connectors_seensubject known ON known.subject_id = s.id
    CROSS JOIN LATERAL (
        SELECT min(first) AS first, max(last) AS last FROM (
            (SELECT min((first_at AT TIME ZONE 'UTC')::date) AS first, max((last_at AT TIME ZONE 'UTC')::date) AS last
                FROM connectors_installation WHERE subject_id = s.id)
            UNION ALL (SELECT (first_at AT TIME ZONE 'UTC')::date, (first_at AT TIME ZONE 'UTC')::date
                FROM audit_session WHERE subject_id = s.id ORDER BY first_at LIMIT 1)
            UNION ALL (SELECT (first_at AT TIME ZONE 'UTC')::date, (first_at AT TIME ZONE 'UTC')::date
                FROM audit_session WHERE subject_id = s.id ORDER BY first_at DESC LIMIT 1)
            UNION ALL (SELECT min(day), max(day) FROM connectors_tally
                WHERE subject_id = s.id AND known.subject_id IS NULL)
            UNION ALL (SELECT min(day), max(day) FROM connectors_level
                WHERE subject_id = s.id AND known.subject_id IS NULL)) AS seen) AS days
    WHERE coalesce(s.email, s.account_uuid, s.account_id, s.install_id) IS NOT NULL AND days.first IS NOT NULL
        AND (known.subject_id IS NULL OR days.last > known.last_day OR days.first < known.first_day)
    ORDER BY s.id LIMIT %(limit)s
"""
"""The portal's own acts have subjects, too; those sent nothing and are not looked at. Of who sends only metrics the
days are those of the first look."""

_FACTS = """
    SELECT s.email, s.account_uuid, s.account_id, s.install_id, min(seen.first_day), max(seen.last_day)
    FROM audit_subject s JOIN connectors_seensubject seen ON seen.subject_id = s.id
    WHERE {column} = ANY(%(values)s)
    GROUP BY 1, 2, 3, 4
"""
_COLUMNS: dict[str, str] = {
    EMAIL: "lower(s.email)",
    ACCOUNT_UUID: "s.account_uuid",
    ACCOUNT_ID: "s.account_id",
    INSTALL: "s.install_id",
}


_NAME = """
    UPDATE connectors_person p SET name = left(said.name, 200)
    FROM (
        SELECT i.person_id, min(s.name) AS name
        FROM connectors_seat s JOIN connectors_identity i ON i.id = s.identity_id
        WHERE s.name <> '' AND s.gone_at IS NULL GROUP BY 1) AS said
    WHERE said.person_id = p.id AND p.name = ''
"""


def all_due() -> int:
    """Joins what came since the last time, in transactions of AT_ONCE; how many subjects were looked at."""
    looked_at = 0
    while True:
        with settled():
            found = _due_subjects()
            settle(_names_due(found))
        looked_at += len(found)
        if len(found) < AT_ONCE:
            return looked_at


def _due_subjects() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"limit": AT_ONCE})
        return list(cursor.fetchall())


def _names_due(found: Sequence[Any]) -> set[Name]:
    """Notes the subjects' days, makes their identities, and returns every name that has to be settled."""
    SeenSubject.objects.bulk_create(
        [SeenSubject(subject_id=row[0], first_day=row[5], last_day=row[6]) for row in found],
        update_conflicts=True,
        unique_fields=["subject_id"],
        update_fields=["first_day", "last_day"],
    )
    by_day: dict[dt.date, set[Name]] = {}
    for row in found:
        by_day.setdefault(row[6], set()).update(_names(row[1:5]))
    for day, names in sorted(by_day.items()):
        identities.resolve(names, basis="telemetry", day=day)
    return set().union(*by_day.values(), _of_seats(), _without_person())


def _names(columns: Sequence[str | None]) -> set[Name]:
    told = zip((EMAIL, ACCOUNT_UUID, ACCOUNT_ID, INSTALL), columns, strict=True)
    return {(kind, spelled(kind, value)) for kind, value in told if value}


def _of_seats() -> set[Name]:
    """The accounts of seats with an address that are not known to be theirs."""
    account = Identity.objects.filter(kind=ACCOUNT_ID, value=OuterRef("external_id"))
    known = account.filter(Q(basis__in=FROZEN) | Q(basis="vendor", person=OuterRef("identity__person")))
    seats = Seat.objects.filter(~Exists(known), identity__kind=EMAIL)
    ids = list(seats.order_by().values_list("external_id", flat=True).distinct()[:AT_ONCE])
    names = {(ACCOUNT_ID.value, each) for each in ids}
    identities.resolve(names, basis="vendor", day=timezone.now().astimezone(dt.UTC).date())
    return names


def _without_person() -> set[Name]:
    """Addresses that a vendor's rows brought; Git authors whose address is known."""
    waiting = Identity.objects.filter(kind__in=(EMAIL, GIT), person=None, basis__in=("telemetry", "vendor"))
    return {name for name in waiting.values_list("kind", "value") if name[0] == GIT or is_address(name[1])}


def settle(names: Iterable[Name]) -> None:
    """Gives each name, and each that hangs on it, to whom it belongs. Only inside `identities.settled`.

    From the strongest to the weakest: an address is a person; an account is its addresses' people's, an installation
    its addresses' and accounts', a Git author their address's.
    """
    touched: dict[str, set[str]] = {kind: set() for kind in Identity.Kind.values}
    for kind, value in names:
        touched[kind].add(value)
    _make_people(touched[EMAIL])
    near = [fact for kind in _COLUMNS for fact in _facts(kind, touched[kind])]
    uuids = _settle(ACCOUNT_UUID, touched[ACCOUNT_UUID] | _said(near, "account_uuid"), (EMAIL,))
    near += uuids
    theirs = set(
        Seat.objects.filter(identity__kind=EMAIL, identity__value__in=touched[EMAIL]).values_list(
            "external_id", flat=True
        )
    )
    near += _settle(ACCOUNT_ID, touched[ACCOUNT_ID] | _said(near, "account_id") | theirs, (EMAIL, ACCOUNT_UUID))
    _settle(INSTALL, touched[INSTALL] | _said(near, "install_id"), (EMAIL, ACCOUNT_UUID, ACCOUNT_ID))
    authors = Identity.objects.filter(kind=GIT, value__in=touched[EMAIL]).values_list("value", flat=True)
    _settle_authors(touched[GIT] | set(authors))
    _name_people()


class Fact(NamedTuple):
    """Names that were said together, and from which day to which."""

    email: str | None
    account_uuid: str | None
    account_id: str | None
    install_id: str | None
    first: dt.date
    last: dt.date

    def name(self, kind: str) -> Name | None:
        value = getattr(self, kind)
        return (kind, spelled(kind, value)) if value else None


def _said(facts: Iterable[Fact], kind: str) -> set[str]:
    return {name[1] for fact in facts if (name := fact.name(kind))}


def _facts(kind: str, values: set[str]) -> list[Fact]:
    if not values:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_FACTS.format(column=_COLUMNS[kind]), {"values": sorted(values)})
        return [Fact(*row) for row in cursor.fetchall()]


def _settle(kind: str, values: set[str], by: Sequence[str]) -> list[Fact]:
    """Gives the values to whom the strongest name beside each says; the facts that were looked at."""
    facts = _facts(kind, values)
    seats = _seats(values) if kind == ACCOUNT_ID else []
    stronger = {name for fact in facts for each in by if (name := fact.name(each))}
    held = identities.pieces_of(stronger | {(EMAIL.value, email) for _, email, _, _ in seats})
    uses: dict[str, list[Use]] = {}
    for fact in facts:
        name = next((name for each in by if (name := fact.name(each))), None)
        own = fact.name(kind)
        assert own is not None
        uses.setdefault(own[1], []).extend(within(held.get(name, []), fact.first, fact.last) if name else [])
    for external_id, email, first, last in seats:
        told = within(held.get((EMAIL.value, email), []), first, last, by_vendor=True)
        uses.setdefault(external_id, []).extend(told)
    timelines.give(kind, {value: pieces(found) or NOBODYS for value, found in uses.items()})
    return facts


def _seats(accounts: set[str]) -> list[tuple[str, str, dt.date, dt.date]]:
    listed = Seat.objects.filter(external_id__in=accounts, identity__kind=EMAIL)
    return list(listed.values_list("external_id", "identity__value", "first_listed", "last_listed"))


def _settle_authors(authors: set[str]) -> None:
    addresses = {author: (EMAIL.value, address_of(author)) for author in authors}
    held = identities.pieces_of(addresses.values())
    timelines.give(GIT, {author: held[name] for author, name in addresses.items() if name in held})


def _make_people(addresses: set[str]) -> None:
    """A person for each address that is nobody's."""
    waiting = Identity.objects.filter(kind=EMAIL, value__in=addresses, person=None).exclude(basis__in=FROZEN)
    rows = [row for row in waiting.order_by("value") if is_address(row.value)]
    people = Person.objects.bulk_create([Person(email=row.value) for row in rows], 1000)
    made = zip(rows, people, strict=True)
    timelines.give(EMAIL, {row.value: [Piece(row.first_day, None, person.pk, row.basis)] for row, person in made})


def _name_people() -> None:
    """What the vendor's list calls somebody who has no name yet."""
    with connection.cursor() as cursor:
        cursor.execute(_NAME)
