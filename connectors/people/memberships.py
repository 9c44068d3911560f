"""Who was in which team when. What was imported or set by hand goes before what telemetry claims."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from audit import acts
from connectors.models import NAME_LENGTH, Membership, Person, PersonChange, Team
from connectors.people import senders
from connectors.people.changes import Refused
from connectors.people.identities import settled
from connectors.people.joining import DAY
from connectors.people.names import spelled
from connectors.people.senders import Sender

MOST_CLAIMED_TEAMS = 1000
"""Anybody with a token can claim teams; beyond so many, new names are not made teams."""

_CLAIMS = """
    SELECT s.id, s.email, s.account_uuid, s.account_id, s.install_id, o.team, coalesce(max(o.cost_center), ''),
        (min(i.first_at) AT TIME ZONE 'UTC')::date, (max(i.last_at) AT TIME ZONE 'UTC')::date
    FROM connectors_installation i JOIN audit_subject s ON s.id = i.subject_id JOIN audit_origin o ON o.id = i.origin_id
    WHERE o.team <> '' GROUP BY s.id, o.team
"""


class Claim(NamedTuple):
    """A team that a person's telemetry named, and from which day to which."""

    team: str
    first: dt.date
    last: dt.date
    cost_center: str = ""


class Span(NamedTuple):
    """A team from one day to another (both inclusive; None: open)."""

    team: str
    first: dt.date | None
    last: dt.date | None


Range = tuple[dt.date | None, dt.date | None]


def spans(claims: Iterable[Claim], taken: Sequence[Range]) -> list[Span]:
    """One team a day: the one that was first claimed last, on the days that nothing better covers."""
    starts: dict[dt.date, Claim] = {}
    for claim in sorted(claims, key=lambda claim: (claim.first, claim.last, claim.team)):
        starts[claim.first] = claim
    found: list[Span] = []
    for claim in starts.values():
        if found and found[-1].team == claim.team:
            continue
        if found:
            found[-1] = found[-1]._replace(last=claim.first - DAY)
        found.append(Span(claim.team, claim.first, None))
    return [part for span in found for part in _without(span, taken)]


def _without(span: Span, taken: Sequence[Range]) -> list[Span]:
    """What is left of a span."""
    left = [span]
    for first, last in taken:
        cut: list[Span] = []
        for part in left:
            if overlaps((part.first, part.last), (first, last)):
                if first is not None and (part.first is None or part.first < first):
                    cut.append(part._replace(last=first - DAY))
                if last is not None and (part.last is None or part.last > last):
                    cut.append(part._replace(first=last + DAY))
            else:
                cut.append(part)
        left = cut
    return left


def overlaps(one: Range, other: Range) -> bool:
    return (one[0] or dt.date.min) <= (other[1] or dt.date.max) and (other[0] or dt.date.min) <= (one[1] or dt.date.max)


def team_named(name: str, cost_center: str = "") -> Team:
    """The team of that name, made if there is none. A cost centre that is told is noted where none is."""
    name, cost_center = (spelled("", text)[:NAME_LENGTH] for text in (name, cost_center))
    team = Team.objects.filter(name__iexact=name).first() or Team.objects.create(name=name, cost_center=cost_center)
    if cost_center and not team.cost_center:
        team.cost_center = cost_center
        team.save(update_fields=["cost_center"])
    return team


def refresh_claims() -> int:
    """Makes the memberships of basis telemetry what telemetry claims now; how many people's changed."""
    with settled():
        claimed = _claims()
        current: dict[int, list[Membership]] = {}
        for each in Membership.objects.select_related("team").order_by("first_day", "pk"):
            current.setdefault(each.person_id, []).append(each)
        with_claims = {each.person_id for rows in current.values() for each in rows if each.basis == "telemetry"}
        return sum(
            _refresh(person, claimed.get(person, []), current.get(person, [])) for person in {*claimed, *with_claims}
        )


def _claims() -> dict[int, list[Claim]]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMS)
        rows = cursor.fetchall()
    people = senders.people_of(Sender(row[0], row[1], row[2], row[3], row[4], row[8]) for row in rows)
    found: dict[int, list[Claim]] = {}
    for row in rows:
        if row[0] in people:
            name = spelled("", row[5])[:NAME_LENGTH]
            found.setdefault(people[row[0]], []).append(Claim(name, row[7], row[8], row[6]))
    return found


def _refresh(person: int, claims: Sequence[Claim], current: Sequence[Membership]) -> bool:
    taken = [(each.first_day, each.last_day) for each in current if each.basis != "telemetry"]
    old = [each for each in current if each.basis == "telemetry"]
    cost_centers = {claim.team: claim.cost_center for claim in claims}
    wanted = [span for span in spans(claims, taken) if _may_be(span.team)]
    if [(each.team.name.lower(), each.first_day, each.last_day) for each in old] == [
        (span.team.lower(), span.first, span.last) for span in wanted
    ]:
        return False
    Membership.objects.filter(pk__in=[each.pk for each in old]).delete()
    Membership.objects.bulk_create(
        Membership(
            person_id=person, team=team_named(span.team, cost_centers.get(span.team, "")),
            first_day=span.first, last_day=span.last, basis="telemetry",
        )
        for span in wanted
    )  # fmt: skip
    return True


def _may_be(team: str) -> bool:
    return Team.objects.filter(name__iexact=team).exists() or Team.objects.count() < MOST_CLAIMED_TEAMS


def place(person: Person, team: Team, first: dt.date | None, last: dt.date | None, *, by: acts.Who) -> Membership:
    """Puts somebody in a team by hand; telemetry's claims give way. Raises Refused for days that are taken."""
    with settled():
        other = in_the_way(person, (first, last))
        if other is not None:
            days = f"from {other.first_day or 'ever'} to {other.last_day or 'today and on'}"
            raise Refused(f"They are in “{other.team}” {days}. Take them out of it, or choose other days.")
        made = Membership.objects.create(person=person, team=team, first_day=first, last_day=last, basis="manual")
        _record("placed", made, by)
        claims = list(person.memberships.filter(basis="telemetry").select_related("team"))
        for each in claims:
            left = _without(Span(each.team.name, each.first_day, each.last_day), [(first, last)])
            each.delete()
            Membership.objects.bulk_create(
                Membership(person=person, team=each.team, first_day=part.first, last_day=part.last, basis="telemetry")
                for part in left
            )
    return made


def unplace(membership: Membership, *, by: acts.Who) -> None:
    with settled():
        _record("unplaced", membership, by)
        membership.delete()


def _record(act: str, membership: Membership, by: acts.Who) -> None:
    person = membership.person
    detail = {"team": membership.team_id}
    PersonChange.objects.create(by=str(by), act=act, person=person, detail=detail)
    facts = {"person.id": str(person.pk), "team.id": str(membership.team_id)}
    content = {"person": " ".join(filter(None, (person.name, person.email)))}
    acts.require(f"person.{act}", by=by, facts=facts, content=content)


def in_the_way(person: Person, wanted: Range, but: Iterable[int] = ()) -> Membership | None:
    """A membership by hand or by a list on one of these days."""
    rows = person.memberships.exclude(basis="telemetry").exclude(pk__in=list(but)).select_related("team")
    return next((each for each in rows if overlaps((each.first_day, each.last_day), wanted)), None)


def on(day: dt.date) -> Q:
    """Memberships that hold on that day."""
    return (Q(first_day=None) | Q(first_day__lte=day)) & (Q(last_day=None) | Q(last_day__gte=day))
