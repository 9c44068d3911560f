"""Sealed events folded into installations. What was counted, and up to which number, is committed together."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from audit import alone, identifiers, parts
from audit.models import Origin
from audit.vocabulary import Agent
from connectors import canary
from connectors.models import Installation, RosterCursor
from connectors.roster import switches
from connectors.roster.switches import Evidence

WORK = "installations"
EVENTS_AT_ONCE = 5000

_SIDES = [condition.rpartition(" ")[::2] for condition in switches.TELLING]
_NEWEST = """,
       max(event.id::text COLLATE "C") FILTER (WHERE event.agent = 'claude_code' AND {})"""
_FOLDED = """
SELECT event.token_id, event.agent, event.subject_id, event.origin_id, max(event.source_id), count(*),
       min(event.id::text COLLATE "C"), max(event.id::text COLLATE "C"){}
FROM audit_seal seal JOIN audit_event event ON event.id = seal.event_id
    LEFT JOIN audit_content content ON content.event_id = event.id
WHERE seal.seq >= %s AND seal.seq < %s AND event.token_id > 0
    AND NOT (event.kind = 'other' AND event.event_name = ANY(%s))
GROUP BY event.token_id, event.agent, event.subject_id, event.origin_id
""".format("".join(_NEWEST.format(condition) for condition in switches.TELLING.values()))


class Key(NamedTuple):
    """Who sends with what: one row of the roster. On none are acts of the portal, which come with no token, and records
    that it sends itself to test its endpoint."""

    token_id: int
    agent: str
    subject_id: UUID | None
    origin_id: int | None


@dataclass(slots=True)
class Seen:
    """What some events say of one installation."""

    source_id: int
    events: int
    first_at: dt.datetime
    last_at: dt.datetime
    evidence: Evidence = field(default_factory=dict)

    def joined(self, other: "Seen") -> "Seen":
        return Seen(
            self.source_id,
            self.events + other.events,
            min(self.first_at, other.first_at),
            max(self.last_at, other.last_at),
            switches.joined(self.evidence, other.evidence),
        )


def fold(most: int = EVENTS_AT_ONCE) -> int:
    """Counts the next sealed events; how many numbers that was. 0 when there are no more, or another is at it."""
    with alone.at(WORK) as is_alone:
        return _fold(most) if is_alone else 0


def rebuild() -> int | None:
    """Counts everything again from the first event; how many that were. None if another is at it."""
    with alone.at(WORK) as is_alone:
        if not is_alone:
            return None
        counted = 0
        with transaction.atomic():
            Installation.objects.all().delete()
            RosterCursor.objects.all().delete()
            while more := _fold(EVENTS_AT_ONCE):
                counted += more
        return counted


@transaction.atomic
def _fold(most: int) -> int:
    RosterCursor.objects.get_or_create(pk=RosterCursor.ONLY)
    cursor = RosterCursor.objects.select_for_update().get(pk=RosterCursor.ONLY)
    beyond = min(_sealed(), cursor.next_seq + most)
    counted = beyond - cursor.next_seq
    if counted <= 0:
        return 0
    _write(read(cursor.next_seq, beyond))
    cursor.next_seq = beyond
    cursor.save(update_fields=["next_seq"])
    return counted


def _sealed() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(seq) + 1, 0) FROM audit_seal")
        return int(cursor.fetchone()[0])


def read(first: int, beyond: int) -> dict[Key, Seen]:
    """What the events numbered from `first` to before `beyond` say, by installation."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLDED, [first, beyond, list(canary.NAMES)])
        rows = cursor.fetchall()
    own = _of_origins({row[3] for row in rows if row[1] == Agent.CLAUDE_CODE})
    return {Key(*row[:4]): _seen(row, own.get(row[3], {}) if row[1] == Agent.CLAUDE_CODE else {}) for row in rows}


def _seen(row: Sequence[Any], of_origin: dict[str, bool]) -> Seen:
    source_id, events, first, last, *found = row[4:]
    evidence: Evidence = {}
    for (switch, side), event in zip(_SIDES, found, strict=True):
        if event:
            evidence.setdefault(switch, {})[side] = event
    for switch, is_on in of_origin.items():
        evidence[switch] = {"on" if is_on else "off": last}
    first_at, last_at = identifiers.received_at(UUID(first)), identifiers.received_at(UUID(last))
    return Seen(source_id, events, first_at, last_at, evidence)


def _of_origins(ids: Iterable[int | None]) -> dict[int | None, dict[str, bool]]:
    origins = Origin.objects.filter(pk__in=[each for each in ids if each is not None]).values_list("pk", "bytes")
    return {pk: switches.of_origin(parts.attributes(data)) for pk, data in origins}


def _write(seen: dict[Key, Seen]) -> None:
    subjects = Q(subject_id__in={key.subject_id for key in seen if key.subject_id}) | Q(subject_id=None)
    known = Installation.objects.filter(subjects, token_id__in={key.token_id for key in seen})
    before = {Key(row.token_id, row.agent, row.subject_id, row.origin_id): row for row in known}
    rows = []
    for key, more in sorted(seen.items(), key=lambda item: str(item[0])):
        row = before.get(key)
        told = more
        if row is not None:
            told = Seen(row.source_id, row.events, row.first_at, row.last_at, row.evidence).joined(more)
        rows.append(
            Installation(
                **key._asdict(),
                source_id=told.source_id,
                events=told.events,
                first_at=told.first_at,
                last_at=told.last_at,
                evidence=told.evidence,
                switches=switches.states(told.evidence),
            )
        )
    Installation.objects.bulk_create(  # bulk_update took eight times as long
        rows,
        update_conflicts=True,
        unique_fields=Key._fields,
        update_fields=["events", "first_at", "last_at", "evidence", "switches"],
    )
