"""Sessions: the list, and the page of one with its timeline."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.html import format_html

from audit.admin import asking, facets, histogram, panel, rights, session_page, telling
from audit.admin.base import Column, EvidenceAdmin, attribute, column
from audit.admin.changelist import EvidenceChangeList, link
from audit.admin.histogram import Histogram
from audit.admin.rights import Rights
from audit.listing import counting, markup, words
from audit.listing.changelist import COUNT_VAR
from audit.listing.counting import Count
from audit.listing.export import Column as Downloaded
from audit.listing.keyset import BadCursor, Keyset
from audit.listing.terms import Download
from audit.models import Event, Session
from audit.query import Term
from audit.timeline import counts

PATIENCE_MS = 60
"""Sessions found in so many texts that it takes longer take far longer: twice the time counted no more of them."""


class SessionChangeList(EvidenceChangeList):
    """Sessions that are found in texts are looked for once: their keys are counted, and the histogram is drawn of them.

    Where that takes too long, it would take the histogram too long as well, and none is drawn.
    """

    _keys: Sequence[UUID] = ()
    _uncounted = False

    def _count(self, request: HttpRequest) -> Count:
        if not self.asked.reads_texts or request.GET.get(COUNT_VAR) == "exact":
            return super()._count(request)
        try:
            with counting.deadline(PATIENCE_MS):
                self._keys = [row["pk"] for row in self.matches()]
        except counting.TooSlow:
            self._uncounted = True
            return Count(len(self.result_list), exact=False)
        number = len(self._keys)
        return Count(min(number, counting.LIMIT), exact=number <= counting.LIMIT)

    @cached_property
    def histogram(self) -> Histogram | None:
        """The sessions of the list over time."""
        if self._uncounted or not self.result_list:
            return None
        all_known = 0 < len(self._keys) <= counting.LIMIT
        found = Session.objects.filter(pk__in=self._keys) if all_known else self.queryset
        return histogram.of_sessions(found, self.asked.query)


@admin.register(Session)
class SessionAdmin(EvidenceAdmin):
    bar = asking.SESSIONS
    keysets = {"Started": Keyset("-first_at", "-id"), "Last seen": Keyset("-last_at", "-id")}
    list_filter = (facets.TIME, facets.AGENT, facets.MODE, facets.GRADE, facets.TEAM, facets.REPOSITORY,
                   facets.DECISION, facets.DECIDED_BY, facets.SERVER, facets.TOOL)  # fmt: skip
    list_select_related = ("subject",)
    list_numeric = ("by_person", "by_policy", "by_hook", "rejected", "unknown", "tools", "cost")
    list_minor = ("agent", "repository", "started")
    list_long = ("posture", "evidence")
    list_wide = ("agent", "by_hook", "tools", "cost")
    list_plain = ("posture", "evidence", "person", "repository", "agent")
    examples = (
        ("mode:bypass after:-7d", "Sessions that ran while nobody was asked"),
        ("repository:payments-api decision:reject", "Where something was refused in a repository"),
        ("mcp_server:prod-db after:-7d", "Who called the production database"),
        ("decided_by:person tool:Bash", "Where a person allowed or refused a shell command"),
        ("has:gap", "Sessions where records are missing"),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EvidenceChangeList]:
        return SessionChangeList

    def columns(self, rights: Rights) -> list[Column]:
        return [
            column("session", "session", lambda row: _shortened(row.session_id)),
            column("agent", "agent", lambda row: telling.agent(row.agent)),
            column("person", "person", lambda row: telling.person_of(row, rights)),
            column("repository", "repository", lambda row: telling.repository(row.repository)),
            column("started", "started", lambda row: markup.time(row.first_at)),
            column("posture", "posture", lambda row: markup.minibar(row.modes)),
            column("evidence", "evidence", telling.grade),
            *(column(label, name, _linked(name)) for name, (label, _) in _COUNTED.items()),
            column("tools", "tools", lambda row: markup.number(row.tool_uses)),
            column("cost", "cost", lambda row: words.money(row.cost_usd)),
        ]

    def downloaded(self, rights: Rights) -> list[Downloaded]:
        return [
            *map(attribute, ("id", "session_id", "agent", "service_version", "entrypoint")),
            ("person", lambda row: telling.name(row.subject, rights)),
            ("host", lambda row: row.host if rights.identity else None),
            *map(attribute, ("os", "team", "cost_center", "repository", "first_at", "last_at", "events", "missing")),
            *map(attribute, ("grade", "tool_uses", "decisions", "modes", "outcomes", "tools", "mcp_servers")),
            *map(attribute, ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")),
            attribute("cost_usd"),
        ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.panel_view)
        return [path("<uuid:session>/panel/<uuid:event>/", view, name="audit_session_panel"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        session = self._session(request, object_id)
        try:
            found = session_page.context(request, session, rights.of(request))
        except BadCursor as error:
            raise Http404("That page of the timeline does not exist") from error
        context = {
            **self.admin_site.each_context(request),
            "title": f"Session {session.session_id}",
            "opts": self.opts,
            "original": session,
            "has_view_permission": True,
            "downloads": self._events_of(session, request),
            **found,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/audit/session/change_form.html", context)

    def panel_view(self, request: HttpRequest, session: UUID, event: UUID) -> HttpResponse:
        """The side panel by itself, for the page's script."""
        found = self._session(request, str(session))
        shown = panel.of(panel.choose(found, event), found, rights.of(request))
        return TemplateResponse(request, "admin/audit/session/panel.html", {"panel": shown})

    def _events_of(self, session: Session, request: HttpRequest) -> list[Download]:
        """The session's events as files."""
        events = self.admin_site.get_model_admin(Event)
        assert isinstance(events, EvidenceAdmin)
        return events.downloads(request, link("", Term("session", session.session_id)))

    def _session(self, request: HttpRequest, object_id: str) -> Session:
        session = self.get_object(request, object_id)
        if session is None:
            raise Http404("No such session")
        if not self.has_view_permission(request, session):
            raise PermissionDenied
        return session  # type: ignore[no-any-return]


_COUNTED = {
    "by_person": ("by person", "person"),
    "by_policy": ("by policy", "policy"),
    "by_hook": ("by hook", "hook"),
    "rejected": ("rejected", "rejected"),
    "unknown": ("unknown", "unknown"),
}
"""Column: what stands above it, and the show of the session's page that has its rows."""


def _linked(name: str) -> Callable[[Session], str]:
    """A count that leads to exactly its rows."""
    _, show = _COUNTED[name]

    def cell(session: Session) -> str:
        count = counts.decided(session, show)
        shown = markup.number(count)
        return (
            format_html('<a href="{}?show={}">{}</a>', telling.session_url(session.pk), show, shown) if count else shown
        )

    return cell


def _shortened(session_id: str) -> str:
    return format_html(
        '<span class="id" title="{}">{}</span>', markup.visible_plain(session_id), markup.visible(session_id[:8])
    )
