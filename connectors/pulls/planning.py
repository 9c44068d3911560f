"""Which days of which endpoints are due. The days are found by a pure function; `plan` makes the rows."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Max, Q

from connectors.models import Connection, Pull
from connectors.vendors import registry
from connectors.vendors.shape import Endpoint

FIRST_DAYS = 7
"""How many days before it was made a connection reads by itself; a backfill reads the rest."""
CATCH_UP_DAYS = 60
"""How far back days are still read by themselves after the portal was off."""
RETRY_FAILED = dt.timedelta(hours=6)
DAY = dt.timedelta(days=1)


@dataclass(slots=True)
class Known:
    """When each day of an endpoint was last read, and last failed. A list's only day is None."""

    done: dict[dt.date | None, dt.datetime] = field(default_factory=dict)
    failed: dict[dt.date | None, dt.datetime] = field(default_factory=dict)


def settled_at(endpoint: Endpoint, day: dt.date) -> dt.datetime:
    """From when on there are figures of that day."""
    return dt.datetime.combine(day + DAY, dt.time(), dt.UTC) + endpoint.settled_after


def final_at(endpoint: Endpoint, day: dt.date) -> dt.datetime:
    """From when on its figures change no more."""
    return settled_at(endpoint, day) + dt.timedelta(days=endpoint.restated_for)


def newest_day(endpoint: Endpoint, now: dt.datetime) -> dt.date:
    """The newest day that has settled."""
    return (now.astimezone(dt.UTC) - endpoint.settled_after).date() - DAY


def due_days(endpoint: Endpoint, first: dt.date, known: Known, now: dt.datetime) -> list[dt.date | None]:
    """What should be read now, newest first: days that never were, and once a day those that may have been restated."""
    candidates: set[dt.date | None] = {None}
    if endpoint.daily:
        newest = newest_day(endpoint, now)
        oldest = max(filter(None, (first, endpoint.earliest, newest - dt.timedelta(days=CATCH_UP_DAYS))))
        candidates = {newest - dt.timedelta(days=back) for back in range((newest - oldest).days + 1)}
        candidates |= {day for day in known.done if day is not None and day <= newest}
    found = [day for day in candidates if _is_due(endpoint, day, known, now)]
    return sorted(found, key=lambda day: day or dt.date.min, reverse=True)


def _is_due(endpoint: Endpoint, day: dt.date | None, known: Known, now: dt.datetime) -> bool:
    failed = known.failed.get(day)
    if failed is not None and failed > now - RETRY_FAILED:
        return False
    read = known.done.get(day)
    if read is None:
        return True
    may_have_changed = day is None or read < final_at(endpoint, day)
    return may_have_changed and read.astimezone(dt.UTC).date() < now.astimezone(dt.UTC).date()


def next_at(endpoints: Sequence[Endpoint], now: dt.datetime) -> dt.datetime | None:
    """When the next of these has something new: a day that settles, or midnight for lists and restated days."""
    midnight = dt.datetime.combine(now.astimezone(dt.UTC).date() + DAY, dt.time(), dt.UTC)
    moments = [
        min(midnight, settled_at(each, newest_day(each, now) + DAY))
        if each.restated_for or not each.daily
        else settled_at(each, newest_day(each, now) + DAY)
        for each in endpoints
    ]
    return min(moments, default=None)


def plan(now: dt.datetime) -> int:
    """Queues what is due for every connection that is not paused; how many pulls that made."""
    return sum(plan_one(connection, now) for connection in Connection.objects.filter(paused_at=None))


def plan_one(connection: Connection, now: dt.datetime) -> int:
    """Days that are queued already stay as they are: there is one unfinished pull of each."""
    known = _known(connection, now)
    first = connection.created_at.astimezone(dt.UTC).date() - dt.timedelta(days=FIRST_DAYS)
    wanted = [
        Pull(connection=connection, endpoint=endpoint.name, day=day, cause="schedule", not_before=now)
        for endpoint in readable(connection)
        for day in due_days(endpoint, first, known[endpoint.name], now)
    ]
    waiting = set(connection.pulls.filter(state__in=Pull.UNFINISHED).values_list("endpoint", "day"))
    new = [pull for pull in wanted if (pull.endpoint, pull.day) not in waiting]
    Pull.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def again(pull: Pull) -> Pull | None:
    """Queues the same day, or list, once more; None if it is queued already."""
    same = pull.connection.pulls.filter(endpoint=pull.endpoint, state__in=Pull.UNFINISHED)
    if (same.filter(day=pull.day) if pull.day else same.filter(day=None)).exists():
        return None
    return Pull.objects.create(connection=pull.connection, endpoint=pull.endpoint, day=pull.day, cause="person")


def readable(connection: Connection) -> Iterator[Endpoint]:
    """The endpoints that the key is not known to be refused at."""
    vendor = registry.VENDORS.get(connection.vendor)
    refused = set(connection.capabilities.filter(allowed=False).values_list("endpoint", flat=True))
    for endpoint in vendor.endpoints if vendor else ():
        if endpoint.name not in refused:
            yield endpoint


def _known(connection: Connection, now: dt.datetime) -> Mapping[str, Known]:
    """Of the last months only: older days change no more, and are read again only by a backfill."""
    vendor = registry.VENDORS.get(connection.vendor)
    longest = max((each.restated_for for each in vendor.endpoints), default=0) if vendor else 0
    since = now.date() - dt.timedelta(days=CATCH_UP_DAYS + longest + FIRST_DAYS)
    ended = connection.pulls.filter(state__in=(Pull.State.DONE, Pull.State.FAILED)).exclude(day__lt=since)
    refused = Q(status__in=(401, 402, 403)) | Q(finished_at__lt=connection.key_set_at)  # they wait for another answer
    ended = ended.exclude(refused, state=Pull.State.FAILED)
    found: dict[str, Known] = defaultdict(Known)
    for name, day, state, at in ended.values_list("endpoint", "day", "state").annotate(at=Max("finished_at")):
        known = found[name]
        (known.done if state == Pull.State.DONE else known.failed)[day] = at
    return found
