"""MCP servers: the list, and the page of one with the sessions that used it."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from audit.admin import asking, facets, rights, telling
from audit.admin.base import Column, EvidenceAdmin, attribute, column
from audit.admin.changelist import link
from audit.admin.rights import Rights
from audit.listing import markup, words
from audit.listing.export import Column as Downloaded
from audit.listing.keyset import BadCursor, Keyset
from audit.models import McpServer, McpUse
from audit.query import Term

USES = Keyset("-last_at", "-id")
USES_AT_ONCE = 50


@admin.register(McpServer)
class McpServerAdmin(EvidenceAdmin):
    bar = asking.SERVERS
    keysets = {"Last seen": Keyset("-last_at", "-id")}
    list_filter = (facets.TIME, facets.TRANSPORT, facets.SCOPE)
    list_numeric = ("connected", "failed_to", "calls", "rejected", "failed")
    list_minor = ("scope", "seen")
    list_long = ("server", "scope")
    list_plain = ("server", "scope")
    examples = (
        ("prod", "Servers with “prod” in their name"),
        ("transport:http", "Servers on the network"),
        ("scope:project", "Servers that a repository brings along"),
        ("after:-7d", "Servers seen this week"),
        ("-scope:managed", "Servers that are not managed"),
    )

    def columns(self, rights: Rights) -> list[Column]:
        return [
            column("server", "server", _name),
            column("scope", "scope", _reached),
            column("tools", "tools", lambda row: markup.number(len(row.tools))),
            column("connected", "connected", lambda row: markup.number(row.connections)),
            column("not reached", "failed_to", lambda row: markup.number(row.failures)),
            column("calls", "calls", _calls),
            column("rejected", "rejected", lambda row: markup.number(row.rejected)),
            column("failed", "failed", lambda row: markup.number(row.failed_calls)),
            column("first seen", "first", lambda row: markup.time(row.first_at, "date")),
            column("last seen", "seen", lambda row: markup.time(row.last_at)),
        ]

    def downloaded(self, rights: Rights) -> list[Downloaded]:
        return [
            *map(attribute, ("id", "name", "transports", "scopes", "tools", "first_at", "last_at", "connections")),
            *map(attribute, ("failures", "calls", "rejected", "failed_calls")),
        ]

    def evidence_told(self, request: HttpRequest, cl: Any) -> str:
        return "A server is listed once an agent connected to it or called it. What no agent reports is not here."

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        server = self._server(request, object_id)
        uses = McpUse.objects.filter(server=server.pk).select_related("session", "session__subject")
        try:
            page = USES.page(
                uses, USES_AT_ONCE, after=request.GET.get("older", ""), before=request.GET.get("newer", "")
            )
        except BadCursor as error:
            raise Http404("That page of sessions does not exist") from error
        held = rights.of(request)
        context = {
            **self.admin_site.each_context(request),
            "title": str(server),
            "opts": self.opts,
            "original": server,
            "has_view_permission": True,
            "server": server,
            "tiles": tiles(server),
            "tools": sorted(server.tools.items(), key=lambda item: (-item[1], item[0])),
            "uses": [(use, telling.person_of(use.session, held)) for use in page.rows],
            "newer": f"?newer={page.previous}" if page.previous else "",
            "older": f"?older={page.next}" if page.next else "",
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/audit/mcpserver/change_form.html", context)

    def _server(self, request: HttpRequest, object_id: str) -> McpServer:
        try:
            server = McpServer.objects.filter(pk=UUID(object_id)).first()
        except ValueError:
            server = None
        if server is None:
            raise Http404("No such MCP server")
        if not self.has_view_permission(request, server):
            raise PermissionDenied
        return server


def _name(server: McpServer) -> str:
    return markup.visible(server.name) if server.name else telling.HIDDEN_SERVER


def _reached(server: McpServer) -> str:
    return markup.visible(" · ".join([*server.scopes, *server.transports]))


def _calls(server: McpServer) -> str:
    """Calls, leading to exactly those; servers without a name share one row, and no query can name them."""
    shown = markup.number(server.calls)
    return format_html('<a href="{}">{}</a>', decisions_url(server), shown) if server.calls and server.name else shown


def decisions_url(server: McpServer, *terms: Term) -> str:
    return link(reverse("admin:audit_tooluse_changelist"), Term("mcp_server", server.name), *terms)


def tiles(server: McpServer) -> list[tuple[str, int, str, str]]:
    """(words, count, address of exactly those rows or "", note) for the head of a server's page."""
    connections = reverse("admin:audit_mcpconnection_changelist")
    named = Term("mcp_server", server.name)

    def to(url: str) -> str:
        return url if server.name else ""

    return [
        ("Connections", server.connections, to(link(connections, named, Term("outcome", "success"))), ""),
        ("Not reached", server.failures, to(link(connections, named, Term("outcome", "failure"))), ""),
        ("Calls", server.calls, to(decisions_url(server)), f"{words.number(len(server.tools))} tools"),
        ("Rejected", server.rejected, to(decisions_url(server, Term("decision", "accept", True))), "or cancelled"),
        ("Failed", server.failed_calls, to(decisions_url(server, Term("outcome", "failure"))), ""),
    ]
