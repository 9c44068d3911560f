"""Sessions: the list, and the page of one with its timeline."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from audit.admin import rights, session_page
from audit.admin.base import EvidenceAdmin
from audit.listing.keyset import BadCursor
from audit.models import Session


@admin.register(Session)
class SessionAdmin(EvidenceAdmin):
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
            "downloads": self.downloads(request, ""),
            **found,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/audit/session/change_form.html", context)

    def panel_view(self, request: HttpRequest, session: UUID, event: UUID) -> HttpResponse:
        """The side panel by itself, for the page's script."""
        panel = session_page.panel(self._session(request, str(session)), event, rights.of(request))
        return TemplateResponse(request, "admin/audit/session/panel.html", {"panel": panel})

    def _session(self, request: HttpRequest, object_id: str) -> Session:
        session = self.get_object(request, object_id)
        if session is None:
            raise Http404("No such session")
        if not self.has_view_permission(request, session):
            raise PermissionDenied
        return session  # type: ignore[no-any-return]
