"""MCP connections: which servers agents reached, failed to reach, and lost."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audit import search
from audit.admin import asking, facets, telling
from audit.admin.base import Column, column
from audit.admin.events import HAPPENED, RECEIVED, EventPages, people
from audit.admin.rights import Rights
from audit.listing import markup, words
from audit.models import Event, McpConnection
from audit.vocabulary import Kind


@admin.register(McpConnection)
class McpConnectionAdmin(EventPages):
    bar = asking.EVENTS
    list_filter = (facets.TIME, facets.SERVER, facets.OUTCOME, facets.TEAM, facets.REPOSITORY, facets.AGENT)
    list_long = ("server", "status")
    list_plain = ("server", "status", "person")
    examples = (
        ("mcp_server:prod-db after:-7d", "Who connected to the production database"),
        ("outcome:failure", "Servers that could not be reached"),
        ("team:payments", "What one team connects to"),
        ("-mcp_server:prod-db", "Everything but one server"),
        ("has:gap", "Connections in sessions where records are missing"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return search.events(kind=Kind.MCP_CONNECTION)

    def columns(self, rights: Rights) -> list[Column]:
        return [
            RECEIVED,
            HAPPENED,
            column("server", "server", telling.server),
            column("status", "status", _status),
            column("transport", "transport", lambda event: markup.visible(event.mcp_transport or "not sent")),
            column("scope", "scope", lambda event: markup.visible(event.mcp_scope or "not sent")),
            column("lasted", "lasted", _lasted),
            *people(rights),
        ]


def _status(event: Event) -> str:
    told = {"connected": ("ok", "connected"), "failed": ("bad", f"failed · {event.error}" if event.error else "failed")}
    kind, said = told.get(event.mcp_status or "", ("off", event.mcp_status or "not sent"))
    return markup.state(kind, markup.visible_plain(said))


def _lasted(event: Event) -> str:
    """The time to connect; of a disconnection, how long the connection had lived."""
    return words.milliseconds(event.duration_ms) if event.duration_ms is not None else ""
