"""Events: the list, and the page of one with its exact bytes."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from audit import leaf
from audit.admin import event_detail, fields, rights, rows, session_page
from audit.admin.base import EvidenceAdmin
from audit.admin.rights import Rights
from audit.listing.keyset import Keyset
from audit.models import Content, Event, Session

PARTS = ("header", *leaf.PARTS)


class EventPages(EvidenceAdmin):
    """The page of one event, and its parts as files: the same for every list of events."""

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
            "use": session_page.use_of(session, event) if session else None,
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


@admin.register(Event)
class EventAdmin(EventPages):
    keysets = {"received": Keyset("-id")}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.part_view)
        return [path("<uuid:event>/<slug:part>.json", view, name="audit_event_part"), *super().get_urls()]

    def part_view(self, request: HttpRequest, event: UUID, part: str) -> HttpResponse:
        """The bytes of one part, exactly as they were hashed."""
        data = _part(self._event(request, str(event)), part, rights.of(request))
        response = HttpResponse(data, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{event}.{part}.json"'
        response["Cache-Control"] = "no-store"
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
