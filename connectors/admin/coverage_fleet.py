"""Seats as vendors list them, and devices as they were imported, with the import."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import acts
from audit.listing import markup, words
from audit.listing.keyset import Keyset
from connectors.admin.coverage import COVERAGE
from connectors.admin.people_import import SHOWN, ListForm, Preview, import_page
from connectors.admin.people_pages import NamingAdmin, person_link
from connectors.coverage import devices, looking
from connectors.models import Device, Seat


class GoneFilter(admin.SimpleListFilter):
    title = "listed"
    parameter_name = "listed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "still"), ("no", "no more")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(gone_at__isnull=self.value() == "yes") if self.value() in ("yes", "no") else queryset


class SeatAdmin(NamingAdmin):
    """What vendors' lists of users say. Nothing to change here: it is theirs."""

    keysets = {"Newest": Keyset("-id")}
    list_title = "Seats"
    list_lede = "as connected vendors list their users"
    list_empty = (
        "Users of a vendor appear here once a connection may read the vendor’s list of them. Coverage compares it"
        " with who reports."
    )
    list_siblings = COVERAGE
    list_display = ("account", "whose", "connection", "role_shown", "first_listed", "last_listed", "gone")
    list_filter = (GoneFilter, "connection")
    list_display_links = None
    list_select_related = ("connection", "identity__person")
    search_fields = ("external_id", "name", "identity__value", "identity__person__name")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.has_perm("connectors.view_person")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="account")
    def account(self, seat: Seat) -> SafeString:
        return format_html('<span class="id">{}</span>', markup.visible(seat.external_id))

    @admin.display(description="whose")
    def whose(self, seat: Seat) -> SafeString:
        return person_link(seat.identity.person) if seat.identity.person else markup.visible(seat.identity.value)

    @admin.display(description="role")
    def role_shown(self, seat: Seat) -> SafeString:
        return markup.visible(seat.role)

    @admin.display(description="gone")
    def gone(self, seat: Seat) -> SafeString:
        return markup.time(seat.gone_at, "date") if seat.gone_at else SafeString("")


class DeviceListForm(ListForm):
    complete = forms.BooleanField(
        label="The list is complete: devices that it does not have go", required=False, initial=False
    )


class DeviceAdmin(NamingAdmin):
    """Devices come and go with lists; what a list says is not edited here."""

    keysets = {"Newest": Keyset("-id")}
    list_title = "Devices"
    list_lede = "imported, such as from an MDM"
    list_empty = (
        "Import the list of machines on which agents may run: serial numbers, hosts, owners. Coverage compares it."
    )
    list_add = "Import a list"
    list_siblings = COVERAGE
    list_display = ("device", "serial_shown", "owner", "platform_shown", "imported", "covered")
    list_display_links = None
    search_fields = ("serial", "host", "email")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Device.objects.all()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "serial" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.has_perm("connectors.view_person")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="device")
    def device(self, device: Device) -> SafeString:
        return markup.visible(device.host or device.serial)

    @admin.display(description="serial number")
    def serial_shown(self, device: Device) -> SafeString:
        return format_html('<span class="id">{}</span>', markup.visible(device.serial))

    @admin.display(description="owner")
    def owner(self, device: Device) -> SafeString:
        return markup.visible(device.email)

    @admin.display(description="platform")
    def platform_shown(self, device: Device) -> SafeString:
        return markup.visible(device.platform)

    @admin.display(description="imported")
    def imported(self, device: Device) -> SafeString:
        return markup.time(device.imported_at, "date")

    @admin.display(description="coverage")
    def covered(self, device: Device) -> SafeString:
        url = f"{reverse('admin:connectors_covered_changelist')}?{urlencode({'q': device.serial})}"
        return format_html('<a href="{}">Show</a>', url)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="connectors_device_import"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(self.url("import"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(self.url("changelist"))

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied

        def preview(text: str, more: dict[str, Any]) -> Preview:
            listed = devices.read(text)
            outcome = devices.preview(listed.rows, complete=self._complete(more, listed.faults))
            faults = [(fault.line, fault.told) for fault in listed.faults]
            return Preview(len(listed.rows), outcome.changes, outcome.told[:SHOWN], [], faults[:SHOWN])

        def apply(text: str, more: dict[str, Any]) -> str:
            listed = devices.read(text)
            complete = self._complete(more, listed.faults)
            done = devices.apply(listed.rows, complete=complete, by=acts.person(request.user), text=text)
            looking.look()
            return f"Imported: {words.counted(done.changes, 'change')}."

        return import_page(self, request, "coverage_import", "Import devices", DeviceListForm, preview, apply)

    @staticmethod
    def _complete(more: dict[str, Any], faults: Any) -> bool:
        """A list with a line that cannot be used takes nothing away: it might be that device's."""
        return bool(more.get("complete")) and not faults
