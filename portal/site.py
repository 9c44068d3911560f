"""The admin site: the product's face. Its context is what the frame of every page shows."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from portal import dashboard, navigation, roles, trust


class PortalSite(AdminSite):
    site_title = "Agent Governance Portal"
    site_header = "Agent Governance"
    index_title = "Overview"
    site_url = None
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, save those whose every role is for the API alone."""
        return super().has_permission(request) and not roles.is_api_only(request.user)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from audit.admin.search import view  # its pages register here when they are imported

        return [path("search/", self.admin_view(view), name="search"), *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = {**super().each_context(request), "environment": settings.ENVIRONMENT}
        if context["has_permission"]:
            groups = navigation.navigation(self, request)
            context["navigation"] = groups
            context["current_group"] = next((group for group in groups if group.current), None)
            context["trust"] = trust.trust()
        return context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**dashboard.context(self, request), **(extra_context or {})})
