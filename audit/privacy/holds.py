"""Legal holds: placed and released with a reason, each recorded; the database refuses what they cover.

A hold by query covers what its question found when it was placed and every time it is asked again: on a schedule, and
before anything is erased or purged.
"""

import contextlib
from collections.abc import Sequence
from uuid import UUID

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import acts, pasted
from audit.admin import asking
from audit.admin.rights import Rights
from audit.exceptions import AuditError, Held
from audit.models import Event, Hold, Session, Subject
from audit.privacy import identities
from audit.search import lookups
from audit.vocabulary import Agent

MOST_COUNTED = 100_000
_ALL = Rights(content=True, identity=True)


class BadHold(AuditError):
    """What is to be held cannot be read; the message says why."""


def place(kind: str, value: str, *, reason: str, by: str) -> Hold:
    """A hold in force from now on. Raises BadHold for a query with a fault and a session that is none."""
    value, reason = check(kind, value.strip()), pasted.masked(reason)
    with transaction.atomic():
        hold = Hold.objects.create(kind=kind, value=value, reason=reason, placed_by=by, placed_at=timezone.now())
        acts.record(
            "hold.placed",
            by=by,
            facts={"hold.id": hold.pk, "hold.kind": kind},
            content={"reason": reason, "value": value},
        )
        _find(hold)
    return hold


def release(hold: Hold, *, reason: str, by: str) -> Hold:
    """Ends a hold. What waits for it is done by the next run of the schedule."""
    reason = pasted.masked(reason)
    with transaction.atomic():
        act = acts.record("hold.released", by=by, facts={"hold.id": hold.pk}, content={"reason": reason})
        with connection.cursor() as cursor:
            cursor.execute("SELECT audit_release_hold_v1(%s, %s, %s, %s)", [hold.pk, by, reason, act])
    hold.refresh_from_db()
    return hold


def check(kind: str, value: str) -> str:
    """What is held, as the database reads it: a session by our id. Raises BadHold if that cannot be held."""
    if pasted.holds_secret(value):
        raise BadHold("A token or key stands in this. Evidence holds none of them: ask without it.")
    if kind == "query":
        asked = asking.read(value, asking.EVENTS, _ALL)
        if asked.query.faults or not asked.query.terms:
            told = " ".join(fault.message.rstrip(".") + "." for fault in asked.query.faults)
            raise BadHold(f"This query is not understood. {told}".strip())
    if kind == "session":
        return _session(value)
    return _person(value) if kind == "person" else value


def covers(kind: str, value: str) -> int:
    """How many events there are now that such a hold would cover; counted up to MOST_COUNTED. `value` as of `check`."""
    return sum(found.order_by()[:MOST_COUNTED].count() for found in _covered(kind, value))


def _covered(kind: str, value: str) -> list[QuerySet[Event]]:
    events = Event.objects.exclude(agent=Agent.PORTAL)
    if kind == "person":
        return [events.filter(subject_id__in=identities.of(value))]
    if kind == "session":
        return [events.filter(session=value)]
    if kind == "repository":
        return [events.filter(origin_id__in=lookups.emitters(repository=value))]
    asked = asking.read(value, asking.EVENTS, _ALL)
    rows = asked.answer(Event.objects.all())
    return asked.saying(rows) or [rows]


def refresh() -> None:
    """Asks the questions of the holds in force again."""
    for hold in Hold.objects.filter(kind="query", released_at=None):
        _find(hold)


def any_in_force() -> bool:
    return Hold.objects.filter(released_at=None).exists()


def covering(subjects: Sequence[object]) -> list[int]:
    """The holds in force on identities or on an event of theirs, by number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_holds_on_identities_v1(%s::uuid[]) ORDER BY 1", [list(subjects)])
        return [hold for (hold,) in cursor.fetchall()]


def refused(error: Exception) -> Held | None:
    """The hold because of which the database refused; None if it refused for another reason."""
    cause = error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error
    if isinstance(cause, psycopg.Error) and cause.diag.message_hint == "hold":
        number = "".join(character for character in cause.diag.message_primary or "" if character.isdigit())
        return Held(int(number))
    return None


def _person(value: str) -> str:
    """Instead of a pseudonym, which the database does not know, what all of that person's identities share."""
    if not lookups.is_pseudonym(value):
        return value
    subject = Subject.objects.filter(pk__in=lookups.people(value)).first()
    return value if subject is None else subject.email or str(subject.pk)


def _session(value: str) -> str:
    """Our id of a session that is named by ours or by its vendor's. Raises BadHold."""
    found = list(Session.objects.filter(session_id=value).values_list("pk", flat=True)[:2])
    if not found:
        with contextlib.suppress(ValueError):
            found = list(Session.objects.filter(pk=UUID(value)).values_list("pk", flat=True))
    if len(found) != 1:
        raise BadHold("There is no such session." if not found else "Several sessions are called that.")
    return str(found[0])


def _find(hold: Hold) -> None:
    if hold.kind != "query":
        return
    for found in _covered(hold.kind, hold.value):
        try:
            query, parameters = found.values("pk").query.sql_with_params()
        except EmptyResultSet:
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO audit_held (hold_id, event_id) SELECT %s, id FROM ({query}) AS found (id)"  # noqa: S608
                " ON CONFLICT DO NOTHING",
                [hold.pk, *parameters],
            )
