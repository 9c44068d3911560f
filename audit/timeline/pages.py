"""One page of a session's timeline: a merge of its tool uses, its other events and its gaps.

Every query stays inside one session and reads one stream in the order of an index, so a session of fifty thousand
events opens like one of fifty.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from audit import identifiers, parts
from audit.models import Event, Gap, Seal, Session, ToolUse
from audit.timeline import content, rows
from audit.timeline.keys import GAP, Key, cursor, key, merged
from audit.timeline.rows import TOOL_USE, Row, Text
from audit.timeline.shows import FACTS_TEXT, SHOWS, TOOL_KINDS
from audit.vocabulary import Kind

LIMIT = 200
LONGEST_WAIT = dt.timedelta(days=1)
_MICROSECOND = dt.timedelta(microseconds=1)

UNCLOCKED = Q(occurred_at__isnull=True) | Q(flags__contains=["skew"])
"""Events whose client's clock cannot be right: they stand where they were received."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order, and the cursors of the neighbouring pages (None: there is none)."""

    rows: list[Row]
    previous: str | None
    next: str | None
    show: str


def page(
    session: Session,
    *,
    after: str = "",
    before: str = "",
    limit: int = LIMIT,
    show: str = "steps",
    with_content: bool = False,
) -> Page:
    """At most `limit` rows after (or before) a cursor; the first ones without one. `show` is a key of SHOWS.

    With `show="all"` every event of the session is a row or merged in one. Raises BadCursor, and KeyError for a show
    that does not exist.
    """
    backwards = bool(before)
    edge = key(before or after) if before or after else None
    reader = _Reader(session, show, edge, limit + 1, backwards=backwards)
    keyed = merged(reader.streams(), limit + 1, backwards=backwards)
    more = len(keyed) > limit
    kept = [row for _, row in (keyed[-limit:] if backwards else keyed[:limit])]
    _complete(session, kept, reader.texts, with_content=with_content)
    earlier, later = (more, True) if backwards else (edge is not None, more)
    return Page(
        kept,
        cursor(kept[0].key) if kept and earlier else None,
        cursor(kept[-1].key) if kept and later else None,
        show,
    )


def before(session: Session, place: Key, show: str = "steps", rows_before: int = 20) -> str:
    """The cursor after which a page begins that has `place` on it, a few rows down; "" for the first page."""
    earlier = page(session, before=cursor(place), limit=rows_before, show=show)
    return cursor(earlier.rows[0].key) if earlier.previous else ""


def rows_of(uses: Iterable[ToolUse], session: Session) -> list[Row]:
    """Tool uses of one session as rows of its timeline, in their order of time, without content."""
    found = sorted(map(rows.of_use, uses), key=lambda row: row.key)
    _complete(session, found, {}, with_content=False)
    return found


class _Reader:
    """The streams of one page, each sorted and at most as long as the page."""

    def __init__(self, session: Session, show: str, edge: Key | None, limit: int, *, backwards: bool) -> None:
        self.session, self.show, self.edge, self.limit, self.backwards = session, SHOWS[show], edge, limit, backwards
        self.complete = show == "all"
        self.texts: dict[UUID, Text] = {}

    def streams(self) -> Iterator[list[tuple[Key, Row]]]:
        yield [(row.key, row) for row in self._uses()]
        if self.show.events is not None:
            yield [(row.key, row) for row in self._clocked()]
            yield [(row.key, row) for row in self._unclocked()]
        if self.show.gaps:
            yield [(row.key, row) for row in self._gaps()]

    def _uses(self) -> Iterator[Row]:
        uses = ToolUse.objects.filter(self.show.uses, session=self.session.pk)
        for use in self._sorted(self._beyond(uses, "at", "position"), "at", "position"):
            row = rows.of_use(use)
            self.texts[row.id] = Text(use.command, use.path, use.host)
            yield row

    def _clocked(self) -> Iterator[Row]:
        events = self._beyond(self._events().exclude(UNCLOCKED), "occurred_at", "id")
        yield from map(_event_row, self._sorted(events, "occurred_at", "id"))

    def _unclocked(self) -> Iterator[Row]:
        """They stand where their ids say they were received."""
        events = self._events().filter(UNCLOCKED)
        if self.edge:
            first, following = (identifiers.lower_bound(at) for at in (self.edge.at, self.edge.at + _MICROSECOND))
            here = Q(id__gte=first, id__lt=following)
            if self.backwards:
                same = here & Q(id__lt=self.edge.id) if self.edge.rank != GAP else Q(pk__in=[])
                events = events.filter(Q(id__lt=first) | same)
            else:
                same = here & Q(id__gt=self.edge.id) if self.edge.rank != GAP else here
                events = events.filter(Q(id__gte=following) | same)
        yield from map(_event_row, self._sorted(events, "id"))

    def _gaps(self) -> Iterator[Row]:
        gaps = self._beyond(Gap.objects.filter(session=self.session.pk), "at", "id", rank=GAP)
        yield from map(rows.of_gap, self._sorted(gaps, "at", "id"))

    def _events(self) -> QuerySet:
        """Those the show names; tool events only if no tool use tells of them (a second decision on the same use)."""
        own = events_of(self.session).only(*rows.EVENT_COLUMNS)
        if self.complete:
            told = ToolUse.objects.filter(
                Q(decision_event=OuterRef("id")) | Q(result_event=OuterRef("id")),
                tool_use_id=OuterRef("tool_use_id"),
                session=OuterRef("session"),
            )
            left = Q(kind__in=TOOL_KINDS, tool_use_id__isnull=False) & ~Q(Exists(told))
            return own.filter(~Q(kind__in=TOOL_KINDS) | left)
        return own.alias(**FACTS_TEXT).filter(self.show.events).exclude(kind__in=TOOL_KINDS)

    def _beyond(self, queryset: QuerySet, time: str, identifier: str, rank: int = 1) -> QuerySet:
        """Rows of `rank` on the far side of the edge."""
        if self.edge is None:
            return queryset
        if self.edge.rank == rank:
            comparison = TupleLessThan if self.backwards else TupleGreaterThan
            return queryset.filter(comparison(Tuple(F(time), F(identifier)), (self.edge.at, self.edge.id)))
        inclusive = (self.edge.rank < rank) != self.backwards
        lookup = ("lt" if self.backwards else "gt") + ("e" if inclusive else "")
        return queryset.filter(**{f"{time}__{lookup}": self.edge.at})

    def _sorted(self, queryset: QuerySet, *fields: str) -> QuerySet:
        ordered = queryset.order_by(*fields)
        return (ordered.reverse() if self.backwards else ordered)[: self.limit]


def events_of(session: Session) -> QuerySet[Event]:
    """A session's events; the bounds spare the database every partition the session has nothing in."""
    return Event.objects.filter(session=session.pk, id__gte=session.first_event, id__lte=session.last_event)


def _event_row(event: Event) -> Row:
    return rows.of_event(event, parts.values(parts.attributes(event.facts)))


def _complete(session: Session, found: Sequence[Row], texts: dict[UUID, Text], *, with_content: bool) -> None:
    """Seal numbers, waits and content, one query each for the whole page."""
    seals = {
        event: (seq, sealed_at)
        for event, seq, sealed_at in Seal.objects.filter(event_id__in=[row.id for row in found]).values_list(
            "event_id", "seq", "sealed_at"
        )
    }
    asked_at = _requests(session, found)
    for row in found:
        row.seq, row.sealed_at = seals.get(row.id, (None, None))
        row.waited_ms = waited_ms(row, asked_at.get(row.request_id))
    content.fill(found, texts, shown=with_content)


def _requests(session: Session, found: Sequence[Row]) -> dict[Any, dt.datetime]:
    """When the model's answer that asked for a tool had come, by request id."""
    asking = [row for row in found if row.kind == TOOL_USE and row.decided_by == "person" and row.request_id]
    if not asking:
        return {}
    requests = events_of(session).filter(
        kind=Kind.API_REQUEST,
        request_id__in={row.request_id for row in asking},
        occurred_at__gte=asking[0].at - LONGEST_WAIT,
        occurred_at__lte=asking[-1].at,
    )
    times = requests.exclude(UNCLOCKED).order_by("-occurred_at").values_list("request_id", "occurred_at")
    return {request: at for request, at in times if at}


def waited_ms(row: Row, asked_at: dt.datetime | None) -> int | None:
    """How long a person took, inferred; the request may also be reported after the decision, which tells nothing."""
    if row.kind != TOOL_USE or row.decided_by != "person" or asked_at is None or asked_at > row.at:
        return None
    return (row.at - asked_at) // dt.timedelta(milliseconds=1)
