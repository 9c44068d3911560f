"""What the page of one session shows, gathered and put into words. The template only writes it down."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from audit import timeline, unseen
from audit.admin import event_detail, fields, rows, telling
from audit.admin.changelist import link
from audit.admin.rights import Rights
from audit.admin.rows import Drawn
from audit.listing import markup, words
from audit.models import Event, Seal, Session, ToolUse
from audit.query import Term
from audit.timeline import counts, headings, posture
from audit.timeline.headings import Heading
from audit.timeline.pages import events_of
from audit.timeline.rows import GAP_ROW, Row
from audit.timeline.shows import SEGMENTS

QUIET_AFTER = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Segment:
    """One of the views of the same rows."""

    label: str
    count: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    heading: Heading
    rows: Sequence[Drawn]
    title: Drawn | None


@dataclass(frozen=True, slots=True)
class Panel:
    """The chosen event: its fields, and everything of the event or events it stands for."""

    title: str
    url: str
    badge: str
    sections: Sequence[fields.Section]
    detail: event_detail.Detail


def context(request: HttpRequest, session: Session, rights: Rights) -> dict[str, Any]:
    """Raises BadCursor for a place that is none, and Http404 for an event that is not of this session."""
    show = request.GET.get("show", "")
    show = show if show in timeline.SHOWS else "steps"
    page = timeline.page(
        session,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        show=show,
        with_content=rights.content,
    )
    chosen = _chosen(request)
    strip = posture.read(session)
    return {
        "session": session,
        "grade": telling.completeness(session),
        "evidence": _evidence(session),
        "facts": facts(session, rights),
        "strip": strip,
        "legend": [(kind, told, strip.totals.get(kind, 0)) for kind, told in posture.TICKS.items()],
        "at_end_provenance": "stated" if strip.at_end and strip.at_end.stated else "derived",
        "segments": _segments(session, show),
        "every": Segment("Every event", session.events, _url(show="all"), show == "all"),
        "groups": _Drawer(request, session, rights, chosen).groups(page),
        "page": page,
        "earlier": _url(show=show, before=page.previous) if page.previous else "",
        "later": _url(show=show, after=page.next) if page.next else "",
        "panel": panel(session, chosen, rights) if chosen else None,
        "unseen": unseen.by(session.agent),
        "switches": unseen.switches(session),
        "rights": rights,
        "person_url": telling.sessions_of(session.subject, rights),
        "events_url": link(reverse("admin:audit_event_changelist"), Term("session", session.session_id)),
    }


def facts(session: Session, rights: Rights) -> list[tuple[str, str]]:
    """The head of the page: what is known of the session, claims marked as claims."""
    version = " ".join(filter(None, (telling.agent(session.agent), session.service_version)))
    host = session.host if rights.identity else None
    return [
        ("Person", telling.person(session.subject, rights)),
        ("Agent", markup.visible(" · ".join(filter(None, (version, session.entrypoint or session.terminal))))),
        ("Host", markup.visible(" · ".join(filter(None, (host, session.os))) or "not sent")),
        ("Repository", telling.claimed(session.repository)),
        ("Team", _team(session)),
        ("Ran", words.span(session.last_at - session.first_at)),
        ("Cost", _cost(session)),
    ]


def _team(session: Session) -> str:
    if not session.cost_center:
        return telling.claimed(session.team)
    return format_html("{} · {}", telling.claimed(session.team), telling.claimed(session.cost_center))


def _cost(session: Session) -> str:
    """What the client reckons, and how many tokens went in and out; cached ones cost a tenth."""
    asked = session.input_tokens + session.cache_read_tokens + session.cache_creation_tokens
    cached = f", {session.cache_read_tokens * 100 // asked} % cached" if asked else ""
    return f"{words.money(session.cost_usd)} · {words.number(asked + session.output_tokens)} tokens{cached}"


def _evidence(session: Session) -> dict[str, Any]:
    """Numbers in the ledger of the first and the last event received, and how long the session has been silent."""
    ends = dict(
        Seal.objects.filter(event_id__in=(session.first_event, session.last_event)).values_list("event_id", "seq")
    )
    silent = timezone.now() - session.last_at
    newest = Event.objects.filter(pk=session.last_event).only("id", "header", "leaf_hash").first()
    return {
        "first": ends.get(session.first_event),
        "last": ends.get(session.last_event),
        "quiet": words.span(silent) if silent > QUIET_AFTER else "",
        "source": event_detail.header(newest) if newest else None,
        "leaf_hash": bytes(newest.leaf_hash).hex() if newest else "",
        "expected": session.events + session.missing,
    }


def _segments(session: Session, show: str) -> list[Segment]:
    found = counts.counts(session)
    offered = (*SEGMENTS, show) if show not in (*SEGMENTS, "all") else SEGMENTS
    return [Segment(timeline.SHOWS[name].label, found[name], _url(show=name), name == show) for name in offered]


def _url(**parameters: Any) -> str:
    return "?" + urlencode({key: value for key, value in parameters.items() if value and value != "steps"})


class _Drawer:
    """Draws the rows of a page, one after another: each keeps the mode in force for those that state none."""

    def __init__(self, request: HttpRequest, session: Session, rights: Rights, chosen: UUID | None) -> None:
        self.session, self.rights, self.chosen = session, rights, chosen
        self.query = {name: value for name, value in request.GET.items() if name in ("show", "after", "before")}
        self.mode: str | None = None

    def draw(self, row: Row) -> Drawn:
        drawn = rows.drawn(row, self.rights, self.mode)
        self.mode = row.to_mode or row.mode or self.mode
        if row.kind != GAP_ROW:
            drawn.select = f"{_url(**self.query, event=row.id)}#{drawn.anchor}"
            drawn.panel = reverse("admin:audit_session_panel", args=[self.session.pk, row.id])
            drawn.current = self.chosen is not None and self.chosen in row.events
        return drawn

    def groups(self, page: timeline.Page) -> list[Group]:
        found = []
        for group in headings.groups(self.session, page):
            title = self.draw(group.heading.row) if group.heading.row else None
            found.append(Group(group.heading, [self.draw(row) for row in group.rows], title))
        return found


def _chosen(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET["event"])
    except KeyError:
        return None
    except ValueError as error:
        raise Http404("No such event") from error


def panel(session: Session, event_id: UUID, rights: Rights) -> Panel:
    """The event with the tool use it belongs to, if it belongs to one. Raises Http404."""
    event = events_of(session).select_related("subject", "origin").filter(pk=event_id).first()
    if event is None:
        raise Http404("No such event in this session")
    use = use_of(session, event)
    if use is None:
        return Panel(
            rows.name(event), telling.event_url(event.pk), "", fields.of_event(event, rights),
            event_detail.of_events([event], rights),
        )  # fmt: skip
    (row,) = timeline.rows_of([use], session)
    return Panel(
        telling.tool(use),
        telling.event_url(event.pk),
        markup.badge(use.decision, use.decided_by, use.basis),
        fields.of_use(use, row, rights),
        event_detail.of_use(use, rights),
    )


def use_of(session: Session, event: Event) -> ToolUse | None:
    """The tool use that tells of this event; a further decision on it is told by itself."""
    if event.kind not in ("tool_decision", "tool_result"):
        return None
    uses = ToolUse.objects.select_related("subject", "origin").filter(session=session.pk)
    mine = uses.filter(tool_use_id=event.tool_use_id) if event.tool_use_id else uses.filter(position=event.pk)
    return mine.filter(Q(decision_event=event.pk) | Q(result_event=event.pk)).first()
