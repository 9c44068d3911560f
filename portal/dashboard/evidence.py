"""Can I trust the evidence?"""

import datetime as dt
import statistics

from django.conf import settings
from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from audit import identifiers, verifications, witnesses
from audit.listing import counting, words
from audit.listing.tiles import Tile
from audit.models import Event, Seal, Session
from audit.vocabulary import Agent
from connectors import canary
from connectors.canary import sender
from connectors.coverage import figures
from connectors.models import Covered
from ingest.models import Answered, Quarantined
from portal import trust
from portal.dashboard.lists import Lists
from portal.dashboard.parts import per_cent

RECENT_EVENTS = 1000


def tiles(lists: Lists, since: dt.datetime, now: dt.datetime) -> list[Tile]:
    found = [_sealed(lists, now), *_cosigned(now), _verified(lists, now), *loops_only(now), _endpoint(lists, now)]
    if lists.may_open("connectors.covered"):
        found.append(_coverage(lists))
    if lists.may_open("audit.session"):
        found += [_lag(lists), _complete(lists, since, now)]
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


def _cosigned(now: dt.datetime) -> list[Tile]:
    """Nothing where no witness is configured."""
    standing = witnesses.standing(now)
    if standing is None:
        return []
    meaning = "The newest number that a witness outside this portal has cosigned"
    value = "–" if standing.size is None else f"#{words.number(standing.size - 1)}"
    ago = f"{words.span(now - standing.at)} ago" if standing.at else ""
    note = (
        f"{ago} {standing.reason}" if standing.state == "ok" else f"{standing.verdict.lower()}, last {ago or 'never'}"
    )
    return [Tile("Cosigned to", meaning, value, note=note, state={"ok": "", "warn": "due"}.get(standing.state, "bad"))]


def _verified(lists: Lists, now: dt.datetime) -> Tile:
    """Also told to those who may not open the list."""
    last, url = verifications.newest(), lists.url("audit.verification")
    meaning = "When the whole ledger was last recomputed from its stored bytes"
    if last is None or last.finished_at is None:
        return Tile("Verified", meaning, "–", url=url, note="not yet")
    value, unit = words.span(now - last.finished_at).rsplit(" ", 1)
    if last.faults:
        note, state = f"{words.number(last.faults)} faults in {words.number(last.size)} events", "bad"
    else:
        overdue = now - last.finished_at > dt.timedelta(hours=settings.AUDIT_VERIFIED_WITHIN_HOURS)
        note, state = f"nothing wrong in {words.number(last.size)} events", "due" if overdue else ""
    return Tile("Verified", meaning, value, f"{unit} ago", url, note, state)


def _endpoint(lists: Lists, now: dt.datetime) -> Tile:
    """Also told to those who may not open the list."""
    url = lists.url("connectors.canaryrun", cause="schedule")
    meaning = "When a record that the portal sends itself through its public address last arrived as evidence"
    standing = sender.standing(now)
    if standing.state == "off":
        return Tile("Public endpoint", meaning, "off", url=url, note=standing.reason)
    state = {"failing": "bad", "silent": "bad"}.get(standing.state, "")
    note = standing.reason.partition(": ")[0] if state else standing.reason
    if standing.at is None:
        return Tile("Public endpoint", meaning, "never" if state else "–", url=url, note=note, state=state)
    value, unit = words.span(now - standing.at).rsplit(" ", 1)
    return Tile("Public endpoint", meaning, value, f"{unit} ago", url, note, state)


def _lag(lists: Lists) -> Tile:
    """From the newest events, whose ids carry the receive time. What is replayed has a long lag, and rightly."""
    agents = Event.objects.exclude(agent=Agent.PORTAL).exclude(event_name__in=canary.NAMES)
    newest = agents.order_by("-id").values_list("id", "occurred_at")[:RECENT_EVENTS]
    lags = [(identifiers.received_at(id) - happened).total_seconds() for id, happened in newest if happened is not None]
    meaning = "From happening to being received; what is replayed counts as late"
    window = f"newest {words.counted(len(lags), 'event')}"
    if len(lags) < 2:
        return Tile("Ingest lag", meaning, "–", note="not enough data")
    worst = dt.timedelta(seconds=statistics.quantiles(lags, n=100)[98])
    median = dt.timedelta(seconds=statistics.median(lags))
    value, unit = words.span(worst).rsplit(" ", 1)
    return Tile(
        "Ingest lag", meaning, value, f"{unit} at p99", lists.url("audit.event"), f"median {words.span(median)}",
        window=window,
    )  # fmt: skip


def _complete(lists: Lists, since: dt.datetime, now: dt.datetime) -> Tile:
    """Whatever has a gap counts at once; what has none so far only once it is judged."""
    broken, pending = Q(missing__gt=0), ~Q(unjudged=[])
    sums = Session.objects.filter(last_at__gte=since).aggregate(
        sessions=Count("pk", filter=broken | ~pending),
        broken=Count("pk", filter=broken),
        pending=Count("pk", filter=pending & ~broken),
        missing=Sum("missing"),
    )
    url = lists.asking("audit.session", ("has", "gap"), ("after", since))
    note = f"{words.number(sums['broken'])} of {words.number(sums['sessions'])} have a gap" if sums["sessions"] else ""
    yet = f"{words.number(sums['pending'])} not judged yet" if sums["pending"] else ""
    return Tile(
        "Sessions complete",
        f"Active sessions of which no numbered event is missing; in all, {words.number(sums['missing'] or 0)} are",
        per_cent(sums["sessions"] - sums["broken"], sums["sessions"]),
        "%" if sums["sessions"] else "",
        url,
        "; ".join(filter(None, (note, yet))) or "no session in this time",
        "due" if sums["broken"] else "",
        window=f"last {(now - since).days + 1} days",
    )


def _coverage(lists: Lists) -> Tile:
    """Who reports of those who should, as it was last looked at."""
    covered, every = figures.expected()
    meaning = "Of all seats that vendors list and devices that were imported, those that report"
    if not every:
        url, note = lists.url("connectors.covered"), "not enough data: no seat or device is known"
        return Tile("Fleet coverage", meaning, "–", url=url, note=note)
    gaps = figures.by_state().get(Covered.State.GAP, 0)
    silent = f"{words.number(every - covered)} of {words.number(every)} do not" if covered < every else "all report"
    used = f"{words.number(gaps)} used, not reported" if gaps else ""
    url = lists.url("connectors.covered", expected="missing" if covered < every else "covered")
    state = "bad" if gaps else "due" if covered < every else ""
    note = "; ".join(filter(None, (used, silent)))
    return Tile("Fleet coverage", meaning, per_cent(covered, every), "%", url, note, state)


def _quarantine(lists: Lists) -> Tile:
    waiting = Quarantined.objects.waiting()
    count = counting.capped(waiting)
    oldest = waiting.aggregate(at=Min("received_at"))["at"] if count.number else None
    return Tile(
        "Quarantine",
        "Requests and records that could not be stored as events, waiting to be replayed or set aside",
        count.short,
        url=lists.url("ingest.quarantined", state="waiting"),
        note=f"oldest {words.span(timezone.now() - oldest)} ago" if oldest else "nothing waits",
        state="due" if count.number else "",
    )


def _refused(lists: Lists, now: dt.datetime) -> Tile:
    hour = now.replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=23)
    refused = Answered.objects.filter(hour__gte=hour).exclude(outcome="stored")
    total = refused.aggregate(requests=Sum("requests"))["requests"] or 0
    most = refused.values("outcome").annotate(requests=Sum("requests")).order_by("-requests").first()
    return Tile(
        "Refused requests",
        "What the receiver did not take, by the hour in which it was sent",
        words.number(total),
        url=lists.url("ingest.answered", hour__gte=hour),
        note=f"most: {most['outcome']}" if most else "none",
        window="last 24 hours",
    )
