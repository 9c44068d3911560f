"""Sessions over time, above their list: what the query finds, and how much of it ran while nobody was asked."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, DateTimeField, Func, Q, QuerySet, Value
from django.utils import timezone

from audit import query
from audit.listing import counting, words
from audit.query import Query
from audit.timeline.shows import BYPASS

HEIGHT = 52  # pixels; the theme's axis stands there
BARS = 84
PATIENCE_MS = 100
USUAL = dt.timedelta(days=7)
_STEPS = tuple(dt.timedelta(minutes=each) for each in (1, 5, 15, 30, 60, 120, 360, 720, 1440, 2880, 10_080, 43_200))
_EPOCH = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)  # a Monday: weeks begin on one


@dataclass(frozen=True, slots=True)
class Bar:
    """Places in percent, heights in pixels."""

    x: float
    width: float
    height: float
    under_bypass: float
    told: str

    @property
    def y(self) -> float:
        return round(HEIGHT - self.height, 1)

    @property
    def bypass_y(self) -> float:
        return round(HEIGHT - self.under_bypass, 1)


@dataclass(frozen=True, slots=True)
class Histogram:
    bars: Sequence[Bar]
    labels: Sequence[tuple[float, str]]
    summary: str
    caption: str = ""


def of_sessions(found: QuerySet, asked: Query, now: dt.datetime | None = None) -> Histogram | None:
    """What is found in the time that was asked about, else in the last week; None where that cannot be told quickly."""
    start, end = window(asked, now or timezone.now())
    step = step_of(end - start)
    start = _EPOCH + (start - _EPOCH) // step * step
    try:
        with counting.deadline(PATIENCE_MS):
            counts = dict(_counted(found, start, end, step))
    except counting.TooSlow:
        return None
    return replace(drawn(counts, start, end, step), caption=caption(asked, start, end)) if counts else None


def caption(asked: Query, start: dt.datetime, end: dt.datetime) -> str:
    """Which sessions are drawn: the list below may go further back."""
    if asked.values("after"):
        return f"Started from {start:%d %b %H:%M} to {end:%d %b %H:%M} UTC"
    until = f"before {end:%d %b %H:%M} UTC" if asked.values("before") else "until now"
    return f"Started in the {USUAL.days} days {until}; the list may go further back"


def window(asked: Query, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The half-open time that a query is about."""
    moments = {
        name: [moment for value in asked.values(name) if (moment := query.moment(value, now))]
        for name in ("after", "before")
    }
    end = min(moments["before"], default=now)
    start = max(moments["after"], default=end - USUAL)
    return start, max(end, start + _STEPS[0])


def step_of(span: dt.timedelta) -> dt.timedelta:
    """The shortest step that makes no more than BARS bars."""
    return next((step for step in _STEPS if span <= step * BARS), max(span / BARS, _STEPS[-1]))


def _counted(
    found: QuerySet, start: dt.datetime, end: dt.datetime, step: dt.timedelta
) -> Iterator[tuple[dt.datetime, tuple[int, int]]]:
    place = Func(Value(step), "first_at", Value(start), function="date_bin", output_field=DateTimeField())
    rows = found.order_by().filter(first_at__gte=start, first_at__lt=end).annotate(place=place).values_list("place")
    for at, count, bypass in rows.annotate(Count("pk"), bypass=Count("pk", filter=Q(modes_seen__contains=[BYPASS]))):
        yield at, (count, bypass)


def drawn(
    counts: dict[dt.datetime, tuple[int, int]], start: dt.datetime, end: dt.datetime, step: dt.timedelta
) -> Histogram:
    """Pure: bars that are measured already."""
    places = max(-(-(end - start) // step), 1)
    width, highest = 100 / places, max(count for count, _ in counts.values())
    bars: list[Bar] = []
    labels: list[tuple[float, str]] = []
    for place in range(places):
        at = start + place * step
        count, bypass = counts.get(at, (0, 0))
        if count:
            heights = [round(each * (HEIGHT - 6) / highest, 1) for each in (count, bypass)]
            told = f"{at:%d %b %H:%M} UTC: {words.number(count)}{f', {bypass} under bypass' if bypass else ''}"
            bars.append(Bar(round(place * width, 2), round(width * 0.9, 2), heights[0], heights[1], told))
        if label := _label(at, step, first=not labels):
            labels.append((round(place * width, 2), label))
    busiest = max(counts, key=lambda moment: counts[moment])
    total = sum(count for count, _ in counts.values())
    summary = f"{words.counted(total, 'session')} from {start:%d %b %H:%M} to {end:%d %b %H:%M} UTC; most, "
    return Histogram(bars, _apart(labels), f"{summary}{words.number(highest)}, from {busiest:%d %b %H:%M}.")


def _label(at: dt.datetime, step: dt.timedelta, *, first: bool) -> str:
    """Days where bars are hours, hours where they are minutes, months where they are days."""
    if step < dt.timedelta(minutes=30):
        return f"{at:%H:%M}" if at.minute == 0 else ""
    if step < dt.timedelta(days=1):
        return "" if at.hour or at.minute else f"{at.day} {at:%b}" if first else str(at.day)
    return f"{at.day} {at:%b}"


def _apart(labels: Sequence[tuple[float, str]], least: float = 6.0) -> list[tuple[float, str]]:
    kept: list[tuple[float, str]] = []
    for x, label in labels:
        if x <= 100 - least and (not kept or x - kept[-1][0] >= least):
            kept.append((x, label))
    return kept
