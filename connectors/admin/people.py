"""People: who they are by all sources, in which team, and when they were last seen."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from audit.listing import markup
from audit.listing.keyset import Keyset
from connectors.admin.people_pages import days, today
from connectors.admin.people_person import PersonPages, team_of
from connectors.models import Membership, Person, Team
from connectors.people import memberships

PEOPLE = (
    ("People", "connectors.person"),
    ("Names", "connectors.identity"),
    ("Teams", "connectors.team"),
)


class TeamFilter(SimpleListFilter):
    title = "team"
    parameter_name = "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        named = Team.objects.order_by("name").values_list("pk", "name")[:200]
        return [("none", "in none"), *((str(key), name) for key, name in named)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        placed = Membership.objects.filter(memberships.on(today()))
        if self.value() == "none":
            return queryset.exclude(pk__in=placed.values("person"))
        key = self.value() or ""
        known = key.isdecimal() and len(key) < 19
        return queryset.filter(pk__in=placed.filter(team=int(key)).values("person")) if known else queryset


class MergedFilter(SimpleListFilter):
    title = "merged"
    parameter_name = "merged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "into somebody else")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(merged_into__isnull=self.value() != "yes")

    def choices(self, changelist: Any) -> Any:
        current, merged = super().choices(changelist)
        return [{**current, "display": "no"}, merged]


class PersonAdmin(PersonPages):
    """A list to search, a page for each, and the acts that change who is who. Nobody is deleted: they are erased."""

    keysets = {"E-mail": Keyset("email", "id"), "Newest": Keyset("-id")}
    list_title = "People"
    list_lede = "joined from telemetry, vendors and lists"
    list_empty = (
        "Whoever sends telemetry with an e-mail address, has a seat at a connected vendor or stands in an "
        "imported list appears here within minutes."
    )
    list_add = "Import a list"
    list_siblings = PEOPLE
    list_display = ("person", "email_shown", "team", "names", "sources", "seen")
    list_numeric = ("names",)
    list_plain = ("email_shown",)
    list_filter = (TeamFilter, MergedFilter)
    search_fields = ("name", "email", "identities__value")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Person.objects.select_related("merged_into").prefetch_related("identities", "memberships__team")

    @admin.display(description="person")
    def person(self, person: Person) -> SafeString:
        return markup.visible(person.name or f"#{person.pk}")

    @admin.display(description="e-mail")
    def email_shown(self, person: Person) -> SafeString:
        return markup.visible(person.email)

    @admin.display(description="team today")
    def team(self, person: Person) -> SafeString:
        day = today()
        current = [
            each for each in person.memberships.all() if (each.first_day or day) <= day <= (each.last_day or day)
        ]
        return team_of(current[0]) if current else mark_safe('<span class="faint">none</span>')

    @admin.display(description="names")
    def names(self, person: Person) -> SafeString:
        return markup.number(len(person.identities.all()))

    @admin.display(description="known from")
    def sources(self, person: Person) -> SafeString:
        found = sorted({each.basis for each in person.identities.all()})
        return format_html_join(" ", "{}", ((markup.tag(each),) for each in found))

    @admin.display(description="last seen")
    def seen(self, person: Person) -> str:
        return days([each.last_seen for each in person.identities.all()]) or "never"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """To import a list; nobody is added one by one."""
        return super().has_add_permission(request) and request.user.has_perm("connectors.change_person")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:connectors_person_import"))
