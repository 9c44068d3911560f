"""What tests of people say of telemetry and vendors, and how they look at who is who."""

import datetime as dt
import uuid

from connectors.models import Connection, Identity, Installation, Person
from connectors.people import join
from tests.factories import raw

DAY = dt.date(2026, 11, 20)


def subject(email="", install="", uuid_="", account="", *, host="", first=DAY, last=None, origin=None, **more):
    """A subject of evidence and the installation that it was seen on; its id."""
    key = uuid.uuid4()
    raw().execute(
        "INSERT INTO audit_subject (id, digest, bytes, commitment, email, install_id, account_uuid, account_id, host)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [key, key.bytes, b"[]", b"", email or None, install or None, uuid_ or None, account or None, host or None],
    )
    installation(key, first=first, last=last, origin=origin, **more)
    return key


def installation(subject_id, *, first=DAY, last=None, origin=None, token=1, agent="claude_code", **more):
    return Installation.objects.create(
        token_id=token, source_id=1, agent=agent, subject_id=subject_id, origin_id=origin,
        first_at=noon(first), last_at=noon(last or first), **more,
    )  # fmt: skip


def origin(team="", cost_center=""):
    told = [uuid.uuid4().bytes, team or None, cost_center or None]
    made = raw().execute(
        "INSERT INTO audit_origin (digest, salt, bytes, commitment, team, cost_center)"
        " VALUES (%s, '', '', '', %s, %s) RETURNING id",
        told,
    )
    return made.fetchone()[0]


def noon(day):
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def vendor(name="Claude"):
    return Connection.objects.create(vendor="anthropic", name=name)


def who() -> set[frozenset[str]]:
    """The names of each person; those that are nobody's on their own."""
    found: dict[object, set[str]] = {}
    for each in Identity.objects.all():
        found.setdefault(each.person_id or f"nobody {each.pk}", set()).add(each.value)
    return {frozenset(names) for names in found.values()}


def of(value, day=DAY):
    """Whose a name is on a day."""
    rows = Identity.objects.filter(value=value)
    row = next(row for row in rows if (row.first_day or day) <= day <= (row.last_day or day))
    return row.person


def person(email) -> Person:
    return Person.objects.get(email=email, merged_into=None)


def joined():
    join.all_due()
    return who()
