"""Permission decisions: each tool use, what was asked, who or what decided it, and what came of it."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html

from audit import search
from audit.admin import asking, facets, telling
from audit.admin.base import Column, EvidenceAdmin, attribute, column
from audit.admin.rights import Rights
from audit.listing import markup
from audit.listing.export import Column as Downloaded
from audit.listing.keyset import Keyset
from audit.models import ToolUse


@admin.register(ToolUse)
class DecisionAdmin(EvidenceAdmin):
    bar = asking.DECISIONS
    keysets = {"Received": Keyset("-position")}
    list_title = "Permission decisions"
    list_filter = (
        facets.TIME, facets.DECISION, facets.DECIDED_BY, facets.MODE, facets.OUTCOME, facets.TOOL, facets.SERVER,
        facets.TEAM, facets.REPOSITORY, facets.AGENT,
    )  # fmt: skip
    list_select_related = ("subject",)
    list_minor = ("repository",)
    list_wide = ("repository",)
    list_long = ("tool", "decision", "outcome")
    list_plain = ("tool", "decision", "mode", "outcome", "person")
    examples = (
        ("mode:bypass tool:Edit", "Edits made while nobody was asked"),
        ("decided_by:person grant:always", "Standing permissions a person gave"),
        ("mcp_server:prod-db after:-7d", "Who called the production database, and with what"),
        ('decision:reject path:"payments/"', "What was refused in the payments folder"),
        ("decided_by:unknown", "Decisions of which nobody can say who made them"),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return search.decisions()

    def columns(self, rights: Rights) -> list[Column]:
        return [
            column("time", "at", lambda use: markup.time(use.at)),
            column("tool and input", "tool", lambda use: _tool(use, rights)),
            column("decision", "decision", _decision),
            column("mode", "mode", lambda use: markup.mode(use.mode, use.mode_provenance)),
            column("outcome", "outcome", lambda use: markup.outcome(use.outcome, use.duration_ms)),
            column("person", "person", lambda use: telling.person(use.subject, rights)),
            column("repository", "repository", lambda use: telling.repository(use.repository)),
            column("session", "session", lambda use: telling.session_link(use.session_id, use.session_vendor_id)),
        ]

    def downloaded(self, rights: Rights) -> list[Downloaded]:
        content = ("command", "path", "host") if rights.content else ()
        return [
            *map(attribute, ("at", "agent", "session_vendor_id", "tool_use_id", "prompt_id", "request_id", "agent_id")),
            ("person", lambda use: telling.name(use.subject, rights)),
            *map(attribute, ("team", "repository", "tool_name", "tool_source", "mcp_server", "mcp_server_provenance")),
            *map(attribute, ("mcp_tool", "decision", "decided_by", "grant", "basis", "decision_raw", "decisions")),
            *map(attribute, ("mode", "mode_provenance", "outcome", "error", "duration_ms", *content)),
            *map(attribute, ("decision_event", "result_event")),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A tool use is read in its session; one without a session, at the event that tells of it."""
        use = self._use(request, object_id)
        event = use.decision_event or use.result_event or use.position
        if use.session_id is None:
            return HttpResponseRedirect(telling.event_url(event))
        return HttpResponseRedirect(f"{telling.session_url(use.session_id)}?event={event}")

    def _use(self, request: HttpRequest, object_id: str) -> ToolUse:
        try:
            use = self.get_queryset(request).filter(pk=UUID(object_id)).first()
        except ValueError:
            use = None
        if use is None or not self.has_view_permission(request, use):
            raise Http404("No such tool use")
        return use  # type: ignore[no-any-return]


def _tool(use: ToolUse, rights: Rights) -> str:
    """The tool, and what it was to do where that is known and may be seen."""
    told = (use.command or use.path or use.host or "") if rights.content else ""
    return telling.with_input(telling.tool(use), told)


def _decision(use: ToolUse) -> str:
    return format_html("{} {}", markup.badge(use.decision, use.decided_by, use.basis), telling.grant(use.grant))
