"""What coverage is judged by, read at once: seats, devices, senders by person and host, and use by person."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from audit.vocabulary import Agent
from connectors.coverage.judging import DECIDABLE, Rule, Seen, Used
from connectors.models import Device, Identity, Seat
from connectors.people import senders
from connectors.people.identities import UNMAPPED
from connectors.people.senders import Sender

CODING = frozenset(Agent) - {Agent.PORTAL, Agent.OTHER}

_SENDERS = """
    SELECT i.subject_id, s.email, s.account_uuid, s.account_id, s.install_id, lower(coalesce(s.host, '')), i.token_id,
        (i.first_at AT TIME ZONE 'UTC')::date, (i.last_at AT TIME ZONE 'UTC')::date, i.switches
    FROM connectors_installation i LEFT JOIN audit_subject s ON s.id = i.subject_id ORDER BY i.last_at, i.id
"""
_TELEMETRY = """
    SELECT i.person_id, min(u.day), max(u.day), array_agg(DISTINCT u.day) FILTER (WHERE u.day > %(after)s)
    FROM connectors_usageday u JOIN connectors_identity i ON i.id = u.identity_id
    WHERE u.connection_id IS NULL AND i.person_id IS NOT NULL GROUP BY 1
"""
_USAGE = """
    SELECT i.person_id, CASE WHEN i.person_id IS NULL THEN i.id END, u.agent, coalesce(u.remote, false),
        array_agg(DISTINCT u.day)
    FROM connectors_usageday u JOIN connectors_identity i ON i.id = u.identity_id
    WHERE u.connection_id IS NOT NULL AND u.day > %(after)s AND (i.person_id IS NOT NULL OR i.kind = 'api_key')
        AND (u.sessions + u.prompts + u.requests + u.lines_added + u.lines_removed + u.commits + u.pull_requests
            + u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_creation_tokens > 0
            OR u.cost_reported > 0 OR u.tools <> '{}')
    GROUP BY 1, 2, 3, 4
"""


class Stranger(NamedTuple):
    """A sender who is nobody known. Without a subject: whatever came with that token and says nothing."""

    key: str
    subject_id: UUID | None
    identity_id: int | None
    says: str
    """The kind of its strongest name; "" if it says none."""
    shared: bool
    host: str
    seen: Seen


@dataclass(slots=True)
class Fleet:
    """All of it. Seats and devices are rows of their tables, as tuples of what is asked of them."""

    seats: list[tuple[int, int | None, dt.date]] = field(default_factory=list)
    """Seat, person, when it was first listed."""
    devices: list[tuple[int, str, int | None, dt.date]] = field(default_factory=list)
    """Device, host, the owner's person, when it was imported."""
    seen: dict[int, Seen] = field(default_factory=dict)
    """By person."""
    hosts: dict[str, Seen] = field(default_factory=dict)
    """By host, spelled as `host_names` has it."""
    strangers: list[Stranger] = field(default_factory=list)
    used: dict[int, Used] = field(default_factory=dict)
    """By person."""
    keys: dict[int, Used] = field(default_factory=dict)
    """By identity, of API keys that are nobody's."""

    @property
    def tells_use(self) -> bool:
        return bool(self.used or self.keys)


@dataclass(slots=True)
class _Sighting:
    """A sender put together from its installations, oldest first, so that the newest switch is the last."""

    sender: Sender | None
    host: str
    first: dt.date
    last: dt.date
    switches: dict[str, bool] = field(default_factory=dict)

    @property
    def off(self) -> frozenset[str]:
        return frozenset(name for name in DECIDABLE if self.switches.get(name) is False)

    @property
    def seen(self) -> Seen:
        return Seen(self.first, self.last, frozenset(), self.off)


def read(rule: Rule, today: dt.date) -> Fleet:
    after = today - dt.timedelta(days=rule.window_days)
    fleet = Fleet()
    _read_expected(fleet)
    sightings = _sightings()
    people = senders.people_of(each.sender for each in sightings.values() if each.sender)
    silent = today - dt.timedelta(days=rule.silent_after_days)
    by_person: dict[int, list[_Sighting]] = defaultdict(list)
    for sighting in sightings.values():
        if sighting.sender and sighting.sender.subject_id in people:
            by_person[people[sighting.sender.subject_id]].append(sighting)
    telemetry = _telemetry(after)
    for person in by_person.keys() | telemetry.keys():
        fleet.seen[person] = _together(by_person.get(person, []), telemetry.get(person), silent)
    fleet.hosts = _hosts(sightings.values(), silent)
    fleet.strangers = _strangers(sightings, people, after)
    _read_usage(fleet, after)
    return fleet


def _read_expected(fleet: Fleet) -> None:
    seats = Seat.objects.filter(gone_at=None).order_by("pk")
    fleet.seats = list(seats.values_list("pk", "identity__person_id", "first_listed"))
    owners = dict(
        Identity.objects.filter(kind=Identity.Kind.EMAIL, last_day=None)
        .exclude(person=None)
        .values_list("value", "person_id")
    )
    for key, host, email, at in Device.objects.order_by("pk").values_list("pk", "host", "email", "imported_at"):
        fleet.devices.append((key, host, owners.get(email), at.astimezone(dt.UTC).date()))


def _sightings() -> dict[str, _Sighting]:
    found: dict[str, _Sighting] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SENDERS)
        for subject, email, uuid, account, install, host, token, first, last, switches in cursor.fetchall():
            told: dict[str, bool] = _switches(switches)
            key = str(subject) if subject else f"token-{token}"
            known = found.get(key)
            if known is None:
                sender = Sender(subject, email, uuid, account, install, last) if subject else None
                found[key] = _Sighting(sender, host, first, last, told)
            else:
                known.first, known.last = min(known.first, first), max(known.last, last)
                known.switches |= told
                known.sender = known.sender and known.sender._replace(last_day=known.last)
    return found


def _switches(told: Any) -> dict[str, bool]:
    read = json.loads(told) if isinstance(told, str) else told
    return {name: value for name, value in read.items() if isinstance(value, bool)}


def _together(
    sightings: Iterable[_Sighting], told: tuple[dt.date, dt.date, frozenset[dt.date]] | None, silent: dt.date
) -> Seen:
    """All of a person's senders; a switch is off if it is off with any that still sends."""
    known = list(sightings)
    firsts = [each.first for each in known] + ([told[0]] if told else [])
    lasts = [each.last for each in known] + ([told[1]] if told else [])
    off = frozenset[str]().union(*(each.off for each in known if each.last >= silent))
    return Seen(min(firsts), max(lasts), told[2] if told else frozenset(), off)


def _telemetry(after: dt.date) -> dict[int, tuple[dt.date, dt.date, frozenset[dt.date]]]:
    with connection.cursor() as cursor:
        cursor.execute(_TELEMETRY, {"after": after})
        return {person: (first, last, frozenset(days or ())) for person, first, last, days in cursor.fetchall()}


def host_names(host: str) -> tuple[str, ...]:
    """The spellings by which a host is found: as it is, and without its domain."""
    lower = host.strip().lower()
    short = lower.split(".", 1)[0]
    return (lower,) if short == lower or not short or short.isdecimal() else (lower, short)


def _hosts(sightings: Iterable[_Sighting], silent: dt.date) -> dict[str, Seen]:
    by_host: dict[str, list[_Sighting]] = defaultdict(list)
    for sighting in sightings:
        for name in host_names(sighting.host) if sighting.host else ():
            by_host[name].append(sighting)
    return {name: _together(known, None, silent) for name, known in by_host.items()}


def _strangers(sightings: dict[str, _Sighting], people: dict[UUID, int], after: dt.date) -> list[Stranger]:
    """Without those that somebody set aside as nobody's."""
    rows = Identity.objects.filter(UNMAPPED, last_day=None).values_list("kind", "value", "pk", "basis")
    known = {(kind, value): (pk, basis) for kind, value, pk, basis in rows}
    found: list[Stranger] = []
    for key, each in sightings.items():
        sender = each.sender
        if each.last <= after or (sender and sender.subject_id in people):
            continue
        name = sender.name if sender else None
        pk, basis = known.get(name, (None, "")) if name else (None, "")
        if basis == "manual":
            continue
        subject_id, says = sender.subject_id if sender else None, name[0] if name else ""
        found.append(Stranger(key, subject_id, pk, says, basis == "shared", each.host, each.seen))
    return found


def _read_usage(fleet: Fleet, after: dt.date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, {"after": after})
        rows = cursor.fetchall()
    by_person: dict[int, list[Any]] = defaultdict(list)
    by_key: dict[int, list[Any]] = defaultdict(list)
    for person, key, *told in rows:
        (by_person[person] if person is not None else by_key[key]).append(told)
    fleet.used = {person: _used(told) for person, told in by_person.items()}
    fleet.keys = {key: _used(told) for key, told in by_key.items()}


def _used(rows: Iterable[Any]) -> Used:
    days: set[dt.date] = set()
    unseeable: set[dt.date] = set()
    agents: set[str] = set()
    remote = False
    for agent, is_remote, told in rows:
        seeable = agent in CODING and not is_remote
        (days if seeable else unseeable).update(told)
        if agent not in CODING:
            agents.add(agent)
        remote |= is_remote
    return Used(frozenset(days), frozenset(unseeable - days), frozenset(agents), remote)
