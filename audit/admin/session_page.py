"""What the page of one session shows, gathered and put into words. The template only writes it down."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from audit import leaf, timeline, unseen
from audit.admin import addresses, event_detail, panel, rows, telling
from audit.admin.changelist import link
from audit.admin.panel import Chosen
from audit.admin.rights import Rights
from audit.admin.rows import Drawn
from audit.listing import markup, words
from audit.models import Erased, Event, Seal, Session
from audit.query import Term
from audit.timeline import counts, headings, posture
from audit.timeline.headings import Heading
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


def context(request: HttpRequest, session: Session, rights: Rights) -> dict[str, Any]:
    """Raises BadCursor for a place that is none, and Http404 for an event that is not of this session."""
    chosen = _chosen(request, session)
    show = _show(request, chosen)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if chosen and not after and not before:
        after = timeline.before(session, chosen.key, show)
    page = timeline.page(session, after=after, before=before, show=show, with_content=rights.content)
    strip = posture.read(session)
    return {
        "session": session,
        "unjudged": words.UNJUDGED,
        "evidence": _evidence(session),
        "erased": _erased(session),
        "facts": facts(session, rights),
        "strip": strip,
        "legend": [(kind, told, strip.totals.get(kind, 0)) for kind, told in posture.TICKS.items()],
        "at_end_provenance": "stated" if strip.at_end and strip.at_end.stated else "derived",
        "segments": _segments(session, show),
        "every": Segment("Every event", session.events, _url(show="all"), show == "all"),
        "groups": _Drawer(session, rights, chosen, show=show, after=after, before=before).groups(page),
        "page": page,
        "earlier": _url(show=show, before=page.previous) if page.previous else "",
        "later": _url(show=show, after=page.next) if page.next else "",
        "panel": panel.of(chosen, session, rights) if chosen else None,
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
        ("Repository", telling.repository(session.repository)),
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
    return f"{words.money(session.cost_usd)} · {words.counted(asked + session.output_tokens, 'token')}{cached}"


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


def _erased(session: Session) -> int:
    """How many of its events had content that was erased."""
    if not Erased.objects.filter(part="content").exists():
        return 0
    had_some = Event.objects.filter(session=session.pk).exclude(content_commitment=leaf.ABSENT)
    return had_some.filter(content=None).count()


def _segments(session: Session, show: str) -> list[Segment]:
    found = counts.counts(session)
    offered = (*SEGMENTS, show) if show not in (*SEGMENTS, "all") else SEGMENTS
    return [Segment(timeline.SHOWS[name].label, found[name], _url(show=name), name == show) for name in offered]


def _url(**parameters: Any) -> str:
    return "?" + urlencode({key: value for key, value in parameters.items() if value and value != "steps"})


class _Drawer:
    """Draws the rows of a page, one after another: each keeps the mode in force for those that state none."""

    def __init__(self, session: Session, rights: Rights, chosen: Chosen | None, **place: str) -> None:
        self.session, self.rights, self.place = session, rights, place
        self.chosen = chosen.event.pk if chosen else None
        self.mode: str | None = None

    def draw(self, row: Row) -> Drawn:
        drawn = rows.drawn(row, self.rights, self.mode)
        self.mode = row.to_mode or row.mode or self.mode
        if row.kind != GAP_ROW:
            drawn.select = f"{_url(**self.place, event=row.id)}#{drawn.anchor}"
            drawn.panel = addresses.of("admin:audit_session_panel", self.session.pk, row.id)
            drawn.current = self.chosen is not None and self.chosen in row.events
        return drawn

    def groups(self, page: timeline.Page) -> list[Group]:
        found = []
        for group in headings.groups(self.session, page):
            title = self.draw(group.heading.row) if group.heading.row else None
            found.append(Group(group.heading, [self.draw(row) for row in group.rows], title))
        return found


def _chosen(request: HttpRequest, session: Session) -> Chosen | None:
    text = request.GET.get("event")
    if not text:
        return None
    try:
        return panel.choose(session, UUID(text))
    except ValueError as error:
        raise Http404("No such event") from error


def _show(request: HttpRequest, chosen: Chosen | None) -> str:
    """What was asked for; an event that is no step is shown among all events."""
    asked = request.GET.get("show", "")
    if asked in timeline.SHOWS:
        return asked
    return "steps" if chosen is None or chosen.is_step else "all"
