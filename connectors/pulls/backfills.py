"""Ranges of days that somebody asked for: what they take, their pulls, how far they are."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Avg, Count, Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from audit import acts
from connectors.models import Backfill, Capability, Connection, Pull
from connectors.pulls import claims, pace, planning
from connectors.vendors.shape import Endpoint

LONGEST_DAYS = 400
USUAL_SECONDS = 1.0
"""Of a request, before there is one to go by."""

_State = Pull.State


@dataclass(frozen=True, slots=True)
class Estimate:
    """`days` of endpoints that will be asked for (one pull each), `requests` for all their pages, and about how long
    that takes. `known`: days of endpoints in the range that were read for good and are left out."""

    days: int
    known: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Days of endpoints by what became of them; `held`: those that wait at endpoints which refuse the key."""

    total: int
    done: int
    failed: int
    stopped: int
    held: int
    rows: int
    restated: int
    left: dt.timedelta | None
    finished_at: dt.datetime | None

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.stopped

    @property
    def is_unfinished(self) -> bool:
        return self.ended < self.total


def estimate(connection: Connection, first: dt.date, last: dt.date, *, again: bool = False) -> Estimate:
    """What asking for these days would take."""
    days = list(_days(connection, first, last, again=True))
    wanted = days if again else list(_days(connection, first, last, again=False))
    done = connection.pulls.filter(state=_State.DONE, day__isnull=False, pages_taken__gt=0)
    pages = dict(done.values_list("endpoint").annotate(pages=Avg("pages_taken")))
    requests = round(sum(pages.get(endpoint.name, 1) for endpoint, _ in wanted))
    each = max(_seconds_a_page(connection), pace.spacing(connection.vendor).total_seconds())
    return Estimate(len(wanted), len(days) - len(wanted), requests, requests * each)


def _seconds_a_page(connection: Connection) -> float:
    recent = connection.pulls.filter(state=_State.DONE, pages_taken__gt=0, attempts=1).order_by("-pk")[:100]
    took = list(recent.values_list("started_at", "finished_at", "pages_taken"))
    pages = sum(count for _, _, count in took)
    seconds = sum((end - begin).total_seconds() for begin, end, _ in took if begin and end)
    return seconds / pages if pages else USUAL_SECONDS


def _days(connection: Connection, first: dt.date, last: dt.date, *, again: bool) -> Iterator[tuple[Endpoint, dt.date]]:
    """Newest first, each with every endpoint that has it. Without `again`, not those that were read for good."""
    now = timezone.now()
    endpoints = [each for each in planning.readable(connection) if each.daily]
    read = connection.pulls.filter(state=_State.DONE, day__gte=first, day__lte=last)
    known = {(name, day): at for name, day, at in read.values_list("endpoint", "day").annotate(at=Max("finished_at"))}
    for back in range((last - first).days + 1):
        day = last - dt.timedelta(days=back)
        for endpoint in endpoints:
            if day > planning.newest_day(endpoint, now) or (endpoint.earliest and day < endpoint.earliest):
                continue
            at = known.get((endpoint.name, day))
            if again or at is None or at < planning.final_at(endpoint, day):
                yield endpoint, day


def ask(connection: Connection, first: dt.date, last: dt.date, *, by: acts.Who, again: bool = False) -> Backfill:
    """Queues a pull for each day of each endpoint. One that is queued already by itself becomes the backfill's."""
    with transaction.atomic():
        asked = Backfill.objects.create(connection=connection, first_day=first, last_day=last, asked_by=str(by))
        asked.refresh_from_db()
        waiting = connection.pulls.filter(state__in=Pull.UNFINISHED, backfill=None, day__gte=first, day__lte=last)
        waiting.update(backfill=asked)
        taken = set(connection.pulls.filter(state__in=Pull.UNFINISHED).values_list("endpoint", "day"))
        pulls = [
            Pull(connection=connection, backfill=asked, endpoint=endpoint.name, day=day, cause="backfill")
            for endpoint, day in _days(connection, first, last, again=again)
            if (endpoint.name, day) not in taken
        ]
        Pull.objects.bulk_create(pulls, ignore_conflicts=True, batch_size=2000)
        _told("backfill.asked", asked, by)
    return asked


def progress(backfill: Backfill, now: dt.datetime) -> Progress:
    refused = Capability.objects.filter(connection=backfill.connection_id, allowed=False).values("endpoint")
    counted = backfill.pulls.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state=_State.DONE)),
        failed=Count("pk", filter=Q(state=_State.FAILED)),
        stopped=Count("pk", filter=Q(state=_State.STOPPED)),
        held=Count("pk", filter=Q(state__in=Pull.UNFINISHED, endpoint__in=refused)),
        rows=Sum("rows", default=0),
        restated=Sum("restated", default=0),
        started=Min("started_at"),
        finished=Max("finished_at"),
    )
    started, finished = counted.pop("started"), counted.pop("finished")
    ended = counted["done"] + counted["failed"] + counted["stopped"]
    left = None
    if started and 0 < ended < counted["total"]:
        left = (now - started) / ended * (counted["total"] - ended)
    return Progress(**counted, left=left, finished_at=finished if ended == counted["total"] else None)


def stop(backfill: Backfill, *, by: acts.Who) -> None:
    """Nothing more of it is read; what was read stays. Again: nothing changes."""
    with transaction.atomic():
        if Backfill.objects.filter(pk=backfill.pk, stopped_at=None).update(stopped_at=timezone.now()):
            claims.let_go(Pull.objects.filter(backfill=backfill), _State.STOPPED)
            _told("backfill.stopped", backfill, by)


def try_again(backfill: Backfill, *, by: acts.Who) -> int:
    """Queues the failed days once more; how many those were."""
    with transaction.atomic():
        queued = _queue(Pull.objects.filter(backfill=backfill, state=_State.FAILED))
        if queued:
            _told("backfill.tried_again", backfill, by)
    return queued


def revive(connection: Connection) -> int:
    """Queues again what failed for the key or the endpoint, now that they answer; how many days of backfills."""
    refused = connection.capabilities.filter(allowed=False).values("endpoint")
    failed = Pull.objects.filter(
        connection=connection,
        state=_State.FAILED,
        status__in=(401, 402, 403),
        backfill__isnull=False,
        backfill__stopped_at=None,
    )
    return _queue(failed.exclude(endpoint__in=refused))


def _queue(failed: QuerySet[Pull]) -> int:
    """Those of them that no later pull of the same day has taken the place of."""
    later = Q(state__in=Pull.UNFINISHED) | Q(state__in=(_State.DONE, _State.FAILED), pk__gt=OuterRef("pk"))
    same_day = Pull.objects.filter(
        later, connection=OuterRef("connection"), endpoint=OuterRef("endpoint"), day=OuterRef("day")
    )
    again = failed.exclude(Exists(same_day))
    return again.update(
        state=_State.QUEUED,
        claimed_by="",
        lease_until=None,
        not_before=timezone.now(),
        finished_at=None,
        failures=0,
        restarts=0,
    )


def _told(act: str, backfill: Backfill, by: acts.Who) -> None:
    days = {"backfill.first_day": backfill.first_day.isoformat(), "backfill.last_day": backfill.last_day.isoformat()}
    facts = {"backfill.id": backfill.pk, "connection.id": str(backfill.connection_id), **days}
    acts.require(act, by=by, facts=facts, content={"connection.name": backfill.connection.name})
