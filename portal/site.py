"""The admin site: the product's face. Its context is what the frame of every page shows."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.db import transaction
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from audit import acts
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
        from audit.admin import search  # their pages register here when they are imported
        from connectors.admin import collector, linter

        return [
            path("search/", self.admin_view(search.view), name="search"),
            path("connectors/linter/", self.admin_view(linter.view), name="connectors_linter"),
            path("connectors/collector/", self.admin_view(collector.view), name="connectors_collector"),
            # Django lets only those log out who may see pages; whoever may not would stay logged in.
            path("logout/", self.logout, name="logout"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = {**super().each_context(request), "environment": settings.ENVIRONMENT}
        if context["has_permission"]:
            groups = navigation.navigation(self, request)
            context["navigation"] = groups
            context["current_group"] = next((group for group in groups if group.current), None)
            context["trust"] = trust.trust()
        else:
            context["api_only"] = roles.is_api_only(request.user)
        return context

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """One's own, which is recorded like those that an administrator sets."""
        if request.method != "POST":
            return super().password_change(request, extra_context)
        with transaction.atomic():
            response = super().password_change(request, extra_context)
            if response.status_code == HTTPStatus.FOUND:
                facts = {"object.kind": "user", "object.id": str(request.user.pk), "fields": "password"}
                acts.require("user.changed", by=acts.person(request.user), facts=facts)
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**dashboard.context(self, request), **(extra_context or {})})
