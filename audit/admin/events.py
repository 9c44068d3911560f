"""Events: the list, and the page of one with its exact bytes."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import cached_property

from audit import leaf
from audit.admin import asking, event_detail, facets, fields, panel, rights, rows, telling
from audit.admin.base import Column, EvidenceAdmin, attribute, column
from audit.admin.changelist import EvidenceChangeList
from audit.admin.rights import Rights
from audit.listing import markup
from audit.listing.changelist import Choice
from audit.listing.export import Column as Downloaded
from audit.listing.keyset import Keyset
from audit.models import Content, Event, Session
from audit.vocabulary import Agent, Kind

ACTS_VAR = "acts"
PARTS = ("header", *leaf.PARTS)
_SAME_DAY = dt.timedelta(hours=12)


RECEIVED = column("received", "received", lambda event: markup.time(event.received_at))
HAPPENED = column("happened", "happened", lambda event: markup.time(event.occurred_at, _shape(event)))


def _shape(event: Event) -> str:
    """The hour is enough where it happened on the day it was received."""
    late = event.occurred_at is None or abs(event.received_at - event.occurred_at) > _SAME_DAY
    return "moment" if late else "clock"


def people(rights: Rights) -> list[Column]:
    """Whose event it is, and in which session."""
    return [
        column("person", "person", lambda event: telling.person_of_event(event, rights)),
        column("session", "session", lambda event: telling.session_link(event.session, event.session_id)),
    ]


class EventPages(EvidenceAdmin):
    """What all lists of events share, and the page of one event."""

    keysets = {"Received": Keyset("-id")}
    list_select_related = ("subject", "origin", "content")

    def downloaded(self, rights: Rights) -> list[Downloaded]:
        return [
            *_COLUMNS,
            ("person", lambda event: telling.name(event.subject, rights)),
            *_emitter(),
            *_content(rights),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Event | None:
        try:
            events = self.get_queryset(request).select_related("subject", "origin")
            return events.filter(pk=UUID(object_id)).first()
        except ValueError:
            return None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        event = self._event(request, object_id)
        held = rights.of(request)
        session = Session.objects.filter(pk=event.session).first() if event.session else None
        context = {
            **self.admin_site.each_context(request),
            "title": f"{event.event_name} {event.pk}",
            "opts": self.opts,
            "original": event,
            "has_view_permission": True,
            "name": rows.name(event),
            "session": session,
            "use": panel.use_of(session, event) if session else None,
            "sections": fields.of_event(event, held),
            "event": event_detail.of_events([event], held).events[0],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/audit/event/change_form.html", context)

    def _event(self, request: HttpRequest, object_id: str) -> Event:
        event = self.get_object(request, object_id)
        if event is None:
            raise Http404("No such event")
        if not self.has_view_permission(request, event):
            raise PermissionDenied
        return event


class EventChangeList(EvidenceChangeList):
    """What agents did. The portal's own acts are in it only on demand: one is made for each look at this list."""

    @cached_property
    def _asks_for_agents(self) -> bool:
        return any(term.name == "agent" for term in self.asked.query.terms)

    def within(self, rows: QuerySet) -> QuerySet:
        shows_all = self._asks_for_agents or ACTS_VAR in self.request.GET
        return rows if shows_all else rows.exclude(agent=Agent.PORTAL)

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return {name: value for name, value in super().get_filters_params(params).items() if name != ACTS_VAR}

    @property
    def scopes(self) -> list[Choice]:
        if self._asks_for_agents:
            return []
        shown = ACTS_VAR in self.request.GET
        return [
            Choice("Agents’ events", self.get_query_string({ACTS_VAR: None}), not shown),
            Choice("With the portal’s own acts", self.get_query_string({ACTS_VAR: "shown"}), shown),
        ]


@admin.register(Event)
class EventAdmin(EventPages):
    bar = asking.EVENTS
    list_filter = (
        facets.TIME, facets.KIND, facets.DECISION, facets.DECIDED_BY, facets.MODE, facets.OUTCOME, facets.TOOL,
        facets.SERVER, facets.TEAM, facets.AGENT,
    )  # fmt: skip
    list_wide = ("mode",)
    list_long = ("what",)
    list_plain = ("kind", "what", "decision", "mode", "person")
    examples = (
        ("mode:bypass tool:Edit", "Edits made while nobody was asked"),
        ("kind:mode_change after:-7d", "Who switched to another mode"),
        ("mcp_server:prod-db after:-7d", "Who called the production database, and with what"),
        ('decision:reject path:"payments/"', "What was refused in the payments folder"),
        ("agent:portal after:-1d", "What was done in this portal: who looked at what, exported, revoked"),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EvidenceChangeList]:
        return EventChangeList

    def columns(self, rights: Rights) -> list[Column]:
        return [
            RECEIVED,
            HAPPENED,
            column("kind", "kind", lambda event: telling.spoken(event.kind)),
            column("tool and input", "what", lambda event: _what(event, rights)),
            column("decision", "decision", _decision),
            column("mode", "mode", _mode),
            *people(rights),
        ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.part_view)
        return [path("<uuid:event>/<slug:part>.json", view, name="audit_event_part"), *super().get_urls()]

    def part_view(self, request: HttpRequest, event: UUID, part: str) -> HttpResponse:
        """The bytes of one part, exactly as they were hashed."""
        data = _part(self._event(request, str(event)), part, rights.of(request))
        response = HttpResponse(data, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{event}.{part}.json"'
        return response


def _part(event: Event, part: str, held: Rights) -> bytes:
    if part not in PARTS:
        raise Http404("Events have no such part")
    if (part == "content" and not held.content) or (part == "subject" and not held.identity):
        raise PermissionDenied
    if part in ("header", "facts"):
        data = getattr(event, part)
    elif part == "content":
        data = Content.objects.filter(pk=event.pk).values_list("bytes", flat=True).first()
    else:
        interned = getattr(event, part)
        data = interned.bytes if interned else None
    if data is None:
        raise Http404("This event does not have that part, or not any more")
    return bytes(data)


_COLUMNS = [
    attribute(name)
    for name in (
        "id", "agent", "kind", "event_name", "occurred_at", "received_at", "session_id", "sequence", "prompt_id",
        "request_id", "agent_id", "tool_use_id", "tool_name", "tool_source", "mcp_server", "mcp_server_provenance",
        "mcp_tool", "mcp_transport", "mcp_status", "mcp_scope", "decision", "decided_by", "grant", "basis",
        "decision_raw", "mode", "mode_provenance", "from_mode", "to_mode", "trigger", "outcome", "error", "duration_ms",
        "model", "query_source", "input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens",
        "cost_usd", "flags", "leaf_hash",
    )
]  # fmt: skip


def _emitter() -> list[Downloaded]:
    names = ("service_version", "entrypoint", "terminal", "os", "team", "cost_center", "repository")
    return [(name, _of(lambda event: event.origin, name)) for name in names]


def _content(rights: Rights) -> list[Downloaded]:
    return [(name, _of(_content_of, name)) for name in ("command", "path", "host")] if rights.content else []


def _of(related: Callable[[Event], Any], name: str) -> Callable[[Event], Any]:
    return lambda event: getattr(related(event), name, None)


def _content_of(event: Event) -> Content | None:
    """Events without content have no row; Django says so by raising."""
    try:
        return event.content
    except Content.DoesNotExist:
        return None


def _what(event: Event, rights: Rights) -> str:
    """The tool and its input, else what the vendor calls the event."""
    content = _content_of(event) if rights.content else None
    told = (content.command or content.path or content.host or "") if content else ""
    if event.agent == Agent.PORTAL:
        told = telling.act(event)
    what = telling.tool(event) if event.tool_name or event.mcp_server else rows.name(event)
    return telling.with_input(what, told)


def _decision(event: Event) -> str:
    return markup.badge(event.decision, event.decided_by, event.basis) if event.kind == Kind.TOOL_DECISION else ""


def _mode(event: Event) -> str:
    return markup.mode(event.mode, event.mode_provenance) if event.mode else ""
