"""The strip over a session: which permission mode was in force when, and where people, refusals and gaps were.

Pure from points to percentages; `read` gathers the points. Claude Code does not report the mode a session starts in:
it is derived from the first record that states one.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from django.db.models import Count, F, FloatField, Func, IntegerField, Q, QuerySet, Value, Window
from django.db.models.functions import Lag

from audit.listing import words
from audit.models import Gap, Session, ToolUse
from audit.timeline.pages import UNCLOCKED, events_of
from audit.vocabulary import Kind

BUCKETS = 240
MOST_CHANGES = 300
_MINUTES_ARE_ENOUGH = dt.timedelta(minutes=10)
_THINNEST = 0.2  # percent of the width
_LABEL_APART = 9.0  # percent of the width between two times under the strip


class Point(NamedTuple):
    """From `at` on, the mode is `mode`. `before` is the mode it was until then, where the record says so."""

    at: dt.datetime
    mode: str
    stated: bool = True
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one mode; `x` and `width` in percent. `stated`: a record says so, at its beginning."""

    mode: str
    start: dt.datetime
    end: dt.datetime
    x: float
    width: float
    stated: bool = True

    @property
    def css(self) -> str:
        return words.mode_class(self.mode)

    @property
    def lasted(self) -> str:
        return words.span(self.end - self.start)


@dataclass(frozen=True, slots=True)
class Tick:
    kind: str
    x: float


@dataclass(frozen=True, slots=True)
class Strip:
    """Ready to be drawn. `totals` counts what the ticks stand for; `cut`: there were more changes than are drawn."""

    segments: Sequence[Segment]
    ticks: Sequence[Tick]
    totals: dict[str, int]
    labels: Sequence[tuple[float, dt.datetime]]
    start: dt.datetime
    end: dt.datetime
    cut: bool

    @property
    def in_seconds(self) -> bool:
        """Whether the times under the strip need seconds to be told apart."""
        return self.end - self.start < _MINUTES_ARE_ENOUGH

    @property
    def at_end(self) -> Segment | None:
        return self.segments[-1] if self.segments else None

    @property
    def by_mode(self) -> dict[str, str]:
        """How long each mode lasted in all, longest first."""
        lengths: Counter[str] = Counter()
        for segment in self.segments:
            lengths[segment.mode] += (segment.end - segment.start) // dt.timedelta(milliseconds=1)
        return {mode: words.milliseconds(length) for mode, length in lengths.most_common()}

    @property
    def summary(self) -> str:
        """The strip in a sentence, for those who cannot see it."""
        shares = [
            f"{segment.mode} from {segment.start:%H:%M:%S} UTC for {segment.lasted}" for segment in self.segments[:20]
        ]
        told = ", ".join(shares) if shares else "No record of this session states a permission mode"
        counted = [f"{count} {TICKS[kind]}" for kind, count in self.totals.items() if count]
        return ". ".join(filter(None, (told, ", ".join(counted)))) + "."


TICKS = {
    "person": "accepted by person",
    "rejected": "rejected by anyone",
    "cancelled": "cancelled",
    "mcp": "MCP connections",
    "gap": "gaps",
}


def read(session: Session) -> Strip:
    points = _points(session)
    ticks, totals = _ticks(session)
    return strip(points, session.first_at, session.last_at, ticks, totals)


def strip(
    points: Iterable[Point],
    start: dt.datetime,
    end: dt.datetime,
    ticks: Sequence[Tick] = (),
    totals: dict[str, int] | None = None,
) -> Strip:
    """Lays out the modes between start and end. Points need not be sorted; those that change nothing are left out."""
    changes = _changes(sorted(points, key=lambda point: point.at))
    if changes and changes[0].at > start:
        first = changes[0]
        changes = _changes([Point(start, first.before or first.mode, stated=False), *changes])
    cut = len(changes) > MOST_CHANGES
    changes = changes[:MOST_CHANGES]
    ends = [*(point.at for point in changes[1:]), end][: len(changes)]
    span = max((end - start).total_seconds(), 0.001)
    segments = []
    for point, until in zip(changes, ends, strict=True):
        left, right = (_percent(moment, start, span) for moment in (point.at, until))
        width = max(round(right - left, 2), _THINNEST)
        left = min(left, 100 - width)
        segments.append(Segment(point.mode, point.at, max(until, point.at), left, width, point.stated))
    return Strip(segments, ticks, totals or {}, _labels(segments), start, end, cut)


def _changes(points: Sequence[Point]) -> list[Point]:
    return [*points[:1], *(point for before, point in pairwise(points) if point.mode != before.mode)]


def _percent(moment: dt.datetime, start: dt.datetime, span: float) -> float:
    return round(min(max((moment - start).total_seconds() / span, 0), 1) * 100, 2)


def _labels(segments: Sequence[Segment]) -> list[tuple[float, dt.datetime]]:
    """Times under the beginnings of segments, where there is room; the end has one anyway."""
    labels: list[tuple[float, dt.datetime]] = []
    for segment in segments:
        room = not labels or segment.x - labels[-1][0] >= _LABEL_APART
        if room and segment.x <= 100 - _LABEL_APART:
            labels.append((segment.x, segment.start))
    return labels


def _points(session: Session) -> list[Point]:
    """Decisions where the mode is not that of the one before, and the changes that were reported."""
    uses = ToolUse.objects.filter(session=session.pk, decisions__gt=0, mode__isnull=False)
    before = Window(Lag("mode"), order_by=[F("at").asc(), F("position").asc()])
    turns = uses.annotate(before=before).filter(Q(before__isnull=True) | ~Q(mode=F("before"))).order_by("at")
    points = [
        Point(at, mode, provenance == "stated")
        for at, mode, provenance in turns.values_list("at", "mode", "mode_provenance")[: MOST_CHANGES + 1]
        if mode
    ]
    if session.kinds.get(Kind.MODE_CHANGE):
        changes = events_of(session).filter(kind=Kind.MODE_CHANGE, to_mode__isnull=False).exclude(UNCLOCKED)
        stated = changes.order_by("occurred_at").values_list("occurred_at", "to_mode", "from_mode")
        points += [Point(at, mode, before=before) for at, mode, before in stated[: MOST_CHANGES + 1] if at and mode]
    return points


def _ticks(session: Session) -> tuple[list[Tick], dict[str, int]]:
    uses = ToolUse.objects.filter(session=session.pk)
    found: list[tuple[str, int, int]] = []
    for kind, marked in (
        ("person", uses.filter(decided_by="person", decision="accept")),
        ("rejected", uses.filter(decision="reject")),
        ("cancelled", uses.filter(decision="cancel")),
    ):
        found += _bucketed(kind, marked, "at", session)
    if session.kinds.get(Kind.MCP_CONNECTION):
        connections = events_of(session).filter(kind=Kind.MCP_CONNECTION).exclude(UNCLOCKED)
        found += _bucketed("mcp", connections, "occurred_at", session)
    if session.gaps:
        found += _bucketed("gap", Gap.objects.filter(session=session.pk), "at", session)
    totals = dict.fromkeys(TICKS, 0)
    for kind, _, count in found:
        totals[kind] += count
    return [Tick(kind, round((bucket - 0.5) * 100 / BUCKETS, 2)) for kind, bucket, _ in found], totals


def _bucketed(kind: str, queryset: QuerySet, time: str, session: Session) -> list[tuple[str, int, int]]:
    """(kind, which of BUCKETS stretches of the session, how many): ticks nearer than that cannot be told apart."""
    first, last = session.first_at.timestamp(), session.last_at.timestamp()
    seconds: Any = Func(F(time), template="extract(epoch from %(expressions)s)::float8", output_field=FloatField())
    place = Func(
        seconds, Value(first), Value(max(last, first + 0.001)), Value(BUCKETS),
        function="width_bucket", output_field=IntegerField(),
    )  # fmt: skip
    counted = queryset.order_by().annotate(place=place).values_list("place").annotate(count=Count("pk"))
    return [(kind, min(max(place, 1), BUCKETS), count) for place, count in counted]
