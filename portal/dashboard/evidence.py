"""Can I trust the evidence?"""

import datetime as dt
import statistics

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from audit import identifiers
from audit.listing import counting, words
from audit.models import Event, Seal, Session
from ingest.models import Answered, Quarantined
from portal import trust
from portal.dashboard.lists import Lists
from portal.dashboard.parts import Tile, per_cent

RECENT_EVENTS = 1000


def tiles(lists: Lists, since: dt.datetime, now: dt.datetime) -> list[Tile]:
    found = [_sealed(lists, now), *loops_only(now)]
    if lists.may_open("audit.session"):
        found += [_lag(lists), _complete(lists, since)]
    if lists.may_open("ingest.quarantined"):
        found += [_quarantine(lists), _refused(lists, now)]
    return found


def loops_only(now: dt.datetime) -> list[Tile]:
    silent = trust.silent_loops(now)
    note = "; ".join(silent) or "receiver, sealer, projector"
    meaning = "Processes that left a sign of life in the last 20 seconds"
    return [Tile("At work", meaning, f"{3 - len(silent)} of 3", note=note, state="bad" if silent else "")]


def _sealed(lists: Lists, now: dt.datetime) -> Tile:
    newest = Seal.objects.order_by("-seq").values_list("seq", "sealed_at").first()
    meaning = "The highest number given: numbers follow each other without a hole"
    if newest is None:
        return Tile("Sealed to", meaning, "–", note="no event has a number yet", state="due")
    note = f"{words.span(now - newest[1])} ago"
    return Tile("Sealed to", meaning, f"#{words.number(newest[0])}", url=lists.url("audit.event"), note=note)


def _lag(lists: Lists) -> Tile:
    """From the newest events, whose ids carry the receive time. What is replayed has a long lag, and rightly."""
    newest = Event.objects.order_by("-id").values_list("id", "occurred_at")[:RECENT_EVENTS]
    lags = [(identifiers.received_at(id) - happened).total_seconds() for id, happened in newest if happened is not None]
    meaning = f"From happening to being received, over the newest {len(lags)} events; what is replayed counts as late"
    if len(lags) < 2:
        return Tile("Ingest lag", meaning, "–", note="not enough data")
    worst = dt.timedelta(seconds=statistics.quantiles(lags, n=100)[98])
    median = dt.timedelta(seconds=statistics.median(lags))
    value, unit = words.span(worst).rsplit(" ", 1)
    return Tile(
        "Ingest lag", meaning, value, f"{unit} at p99", lists.url("audit.event"), f"median {words.span(median)}"
    )


def _complete(lists: Lists, since: dt.datetime) -> Tile:
    sums = Session.objects.filter(last_at__gte=since).aggregate(
        sessions=Count("pk"), broken=Count("pk", filter=Q(missing__gt=0)), missing=Sum("missing")
    )
    url = lists.asking("audit.session", ("has", "gap"), ("after", since))
    note = f"{words.number(sums['broken'])} of {words.number(sums['sessions'])} have a gap"
    return Tile(
        "Sessions complete",
        f"Sessions of which no numbered event is missing; {words.number(sums['missing'] or 0)} events are",
        per_cent(sums["sessions"] - sums["broken"], sums["sessions"]),
        "%" if sums["sessions"] else "",
        url,
        note if sums["sessions"] else "no session in this time",
        "due" if sums["broken"] else "",
    )


def _quarantine(lists: Lists) -> Tile:
    waiting = Quarantined.objects.filter(replayed_at__isnull=True)
    count = counting.capped(waiting)
    oldest = waiting.aggregate(at=Min("received_at"))["at"] if count.number else None
    return Tile(
        "Quarantine",
        "Requests and records that could not be stored as events, kept to be replayed",
        count.short,
        url=lists.url("ingest.quarantined", replayed_at__isnull=True),
        note=f"oldest {words.span(timezone.now() - oldest)} ago" if oldest else "everything sent became evidence",
        state="due" if count.number else "",
    )


def _refused(lists: Lists, now: dt.datetime) -> Tile:
    hour = now.replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=23)
    refused = Answered.objects.filter(hour__gte=hour).exclude(outcome="stored")
    total = refused.aggregate(requests=Sum("requests"))["requests"] or 0
    most = refused.values("outcome").annotate(requests=Sum("requests")).order_by("-requests").first()
    return Tile(
        "Refused requests",
        "What the receiver did not take in the last 24 hours",
        words.number(total),
        url=lists.url("ingest.answered", hour__gte=hour),
        note=f"most: {most['outcome']}" if most else "none in 24 hours",
    )
