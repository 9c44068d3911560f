"""Teams: what usage and cost are summed up for."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.listing.changes import RecordedChanges
from audit.listing.keyset import Keyset
from audit.listing.readonly import ListingAdmin
from connectors.admin.people import PEOPLE
from connectors.models import Team


class TeamAdmin(RecordedChanges, ListingAdmin):
    """Teams come from imported lists, from claims of telemetry, and by hand. One that somebody was in stays."""

    act_noun = "team"
    keysets = {"Name": Keyset("name", "id")}
    list_title = "Teams"
    list_lede = "from lists, by hand, or as telemetry claims them"
    list_empty = "Teams come with an imported list of people, by hand, or from what telemetry claims."
    list_add = "Add a team"
    list_siblings = PEOPLE
    list_display = ("name", "cost_center", "people", "ever")
    list_numeric = ("people", "ever")
    search_fields = ("name", "cost_center")
    fields = ("name", "cost_center")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        today = timezone.now().date()
        current = (Q(memberships__first_day=None) | Q(memberships__first_day__lte=today)) & (
            Q(memberships__last_day=None) | Q(memberships__last_day__gte=today)
        )
        return Team.objects.annotate(
            current=Count("memberships__person", filter=current, distinct=True),
            every=Count("memberships__person", distinct=True),
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.memberships.exists())

    @admin.display(description="people today")
    def people(self, team: Any) -> SafeString:
        url = reverse("admin:connectors_person_changelist")
        return format_html('<a href="{}?team={}">{}</a>', url, team.pk, team.current)

    @admin.display(description="ever")
    def ever(self, team: Any) -> str:
        return str(team.every)
