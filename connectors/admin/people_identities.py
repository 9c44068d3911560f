"""Names by which sources know somebody: those that are nobody's first, each with a way to say whose it is."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import acts
from audit.listing.keyset import Keyset
from connectors.admin.people import PEOPLE
from connectors.admin.people_forms import MapForm
from connectors.admin.people_pages import NamingAdmin, basis, name_of, person_link, sessions_url, validity
from connectors.models import Identity, Person
from connectors.people import changes
from connectors.people.identities import UNMAPPED


class WhoseFilter(SimpleListFilter):
    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("shared", "shared by several"),
            ("aside", "set aside by hand"),
            ("mapped", "somebody’s"),
            ("all", "all"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "shared":
            return queryset.filter(basis="shared")
        if self.value() == "aside":
            return queryset.filter(person=None, basis="manual")
        if self.value() == "mapped":
            return queryset.exclude(person=None)
        return queryset if self.value() == "all" else queryset.filter(UNMAPPED).exclude(basis="manual")

    def choices(self, changelist: Any) -> Any:
        first, *rest = super().choices(changelist)
        return [{**first, "display": "nobody’s yet"}, *rest]


class IdentityAdmin(NamingAdmin):
    """Who may see people sees their names; whose a name is changes who may change people."""

    keysets = {"Newest": Keyset("-id")}
    list_title = "Names"
    list_lede = "as sources spell them"
    list_siblings = PEOPLE
    list_display = ("name", "kind", "whose", "validity", "basis_shown", "seen", "give")
    list_filter = (WhoseFilter, "kind")
    list_long = ("name",)
    list_display_links = None
    search_fields = ("value",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Identity.objects.exclude(basis="erased").select_related("person")

    def get_list_display(self, request: HttpRequest) -> Any:
        may = self.has_change_permission(request)
        return self.list_display if may else [each for each in self.list_display if each != "give"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.has_perm("connectors.view_person")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("connectors.change_person") and self.has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def nothing_found(self, request: HttpRequest, cl: Any) -> Any:
        empty = super().nothing_found(request, cl)
        if cl.is_narrowed:
            return empty
        return type(empty)("Every name is somebody’s", "New ones appear here when telemetry or a vendor brings them.")

    @admin.display(description="name")
    def name(self, identity: Identity) -> SafeString:
        return name_of(identity)

    @admin.display(description="whose")
    def whose(self, identity: Identity) -> SafeString:
        return person_link(identity.person)

    @admin.display(description="on which days")
    def validity(self, identity: Identity) -> str:
        return validity(identity.first_day, identity.last_day)

    @admin.display(description="how known")
    def basis_shown(self, identity: Identity) -> SafeString:
        return basis(identity.basis)

    @admin.display(description="seen")
    def seen(self, identity: Identity) -> str:
        return validity(identity.first_seen, identity.last_seen) if identity.first_seen else ""

    @admin.display(description="give it to")
    def give(self, identity: Identity) -> SafeString:
        return format_html(
            '<a href="{}">Say whose it is</a>', reverse("admin:connectors_identity_map", args=[identity.pk])
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.map_view)
        return [path("<str:object_id>/map/", view, name="connectors_identity_map"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:connectors_identity_map", args=[object_id]))

    def map_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        identity: Identity | None = self.get_object(request, object_id)
        if identity is None or not self.has_change_permission(request, identity):
            raise PermissionDenied
        form = MapForm(request.POST or None, initial={"who": request.GET.get("who", "")})
        if request.method == "POST" and form.is_valid():
            return self._give(request, identity, form.cleaned_data)
        return self.form_page(
            request,
            "people_map",
            "Say whose this name is",
            form,
            identity=identity,
            name=name_of(identity),
            whose=person_link(identity.person),
            basis=basis(identity.basis),
            sessions=sessions_url(self.admin_site, request, identity),
        )

    def _give(self, request: HttpRequest, identity: Identity, data: dict[str, Any]) -> HttpResponse:
        person = self._person(identity, data)
        changes.give(
            [(identity.kind, identity.value)],
            person,
            by=acts.person(request.user),
            reason=data["reason"],
            from_day=data["from_day"],
        )
        if person is None:
            messages.success(request, "Set aside: it is nobody’s, and stays so.")
            return HttpResponseRedirect(self.url("changelist"))
        messages.success(request, "It is theirs now, with what hangs on it. It can be undone below.")
        return HttpResponseRedirect(reverse("admin:connectors_person_change", args=[person.pk]))

    @staticmethod
    def _person(identity: Identity, data: dict[str, Any]) -> Person | None:
        if data["to"] == "new":
            return Person.objects.create(email=identity.value if identity.kind == Identity.Kind.EMAIL else "")
        person: Person | None = data["who"] if data["to"] == "person" else None
        return person
