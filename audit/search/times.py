"""When an event happened, on a table that is in the order in which events were received.

PostgreSQL would read all that was received after an interval to find what happened in it. But nothing is received
before it happened (beyond what a clock may be ahead), and what happened in time and was received later belongs to a
session that reaches over the interval's end. So ids are bounded on both sides and no event is left out: those of
impossible clocks, flagged `skew` when they were received, have an index of their own and widen the bounds.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from audit import identifiers
from audit.models import Session

AHEAD = dt.timedelta(minutes=10)
"""A clock that is further ahead is flagged."""

_SKEWED = """
    SELECT min(id::text COLLATE "C"), max(id::text COLLATE "C") FROM audit_event
    WHERE flags @> ARRAY['skew'] AND occurred_at >= coalesce(%(after)s, '-infinity'::timestamptz)
        AND occurred_at < coalesce(%(before)s, 'infinity'::timestamptz)
"""
_LATE = """
    SELECT max(id::text COLLATE "C") FROM audit_event
    WHERE (session = ANY(%(sessions)s) OR session IS NULL) AND occurred_at < %(before)s AND id >= %(received)s
"""


def happened(after: dt.datetime | None, before: dt.datetime | None) -> Q:
    """Events from `after` on and before `before`; those that say no time by when they were received."""
    if after is None and before is None:
        return Q()
    told, received = Q(), Q(occurred_at=None)
    if after:
        told &= Q(occurred_at__gte=after)
        received &= Q(id__gte=_first_id(after))
    if before:
        told &= Q(occurred_at__lt=before)
        received &= Q(id__lt=_first_id(before))
    return _bounds(after, before) & (told | received)


def _bounds(after: dt.datetime | None, before: dt.datetime | None) -> Q:
    earliest_skewed, latest_skewed = _ids(_SKEWED, after=after, before=before)
    bounds = Q()
    if after:
        first = _first_id(max(after, identifiers.EPOCH + AHEAD) - AHEAD)
        bounds &= Q(id__gte=min(first, earliest_skewed or first))
    if before:
        last = _last_arrival(before)
        bounds &= Q(id__lte=max(last, latest_skewed or last))
    return bounds


def _last_arrival(before: dt.datetime) -> UUID:
    """No event that happened before a moment, by a possible clock, has a greater id."""
    end = _first_id(before)
    sessions = list(Session.objects.filter(first_at__lt=before, last_event__gte=end).values_list("id", flat=True))
    (late,) = _ids(_LATE, sessions=sessions, before=before, received=end)
    return late or end


def _first_id(moment: dt.datetime) -> UUID:
    return identifiers.lower_bound(max(moment, identifiers.EPOCH))


def _ids(query: str, **values: Any) -> list[UUID | None]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [UUID(text) if text else None for text in cursor.fetchone()]
