"""Coverage: who should report and does not, with how that is judged."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from audit import acts
from audit.listing import markup
from audit.listing.keyset import Keyset
from connectors.admin.coverage_tiles import LOOKS, MEANINGS, tiles
from connectors.admin.people_pages import NamingAdmin, name_of, person_link
from connectors.coverage import looking
from connectors.coverage.figures import EXPECTED
from connectors.coverage.judging import REPORTS
from connectors.models import Covered, Device, Installation, Seat

COVERAGE = (
    ("Coverage", "connectors.covered"),
    ("Seats", "connectors.seat"),
    ("Devices", "connectors.device"),
    ("Installations", "connectors.installation"),
)
LONGEST_DAYS = 366
State = Covered.State


class StateFilter(SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return State.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(state=self.value()) if self.value() in State.values else queryset


class ExpectedFilter(SimpleListFilter):
    title = "seats and devices"
    parameter_name = "expected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("covered", "that report"), ("missing", "that do not")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("covered", "missing"):
            return queryset
        wanted = queryset.filter(kind__in=EXPECTED)
        return wanted.filter(state__in=REPORTS) if self.value() == "covered" else wanted.exclude(state__in=REPORTS)


class RuleForm(forms.Form):
    silent_after_days = forms.IntegerField(
        label="Silent after", min_value=1, max_value=LONGEST_DAYS, help_text="Days without telemetry that are allowed."
    )
    window_days = forms.IntegerField(
        label="Use and strangers of the last",
        min_value=2,
        max_value=LONGEST_DAYS,
        help_text="Days of which vendors are asked for use; who was seen before that and has no seat is left out.",
    )


class CoveredAdmin(NamingAdmin):
    """Rows are computed: there is nothing to add, change or delete. Names are for those who may see people."""

    keysets = {"Worst first": Keyset("rank", "id")}
    list_title = "Coverage"
    list_lede = "who should report, and does not"
    list_siblings = COVERAGE
    list_display = ("what", "kind", "state_shown", "why", "since_shown", "seen", "used", "person_shown")
    list_numeric = ("used",)
    list_long = ("what", "why")
    list_wide = ("person_shown",)
    list_display_links = None
    list_filter = (StateFilter, "kind", ExpectedFilter)
    change_list_template = "admin/connectors/covered/change_list.html"
    _named_search = (
        "person__name",
        "person__email",
        "device__serial",
        "device__host",
        "seat__external_id",
        "identity__value",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        related = ("person", "device", "identity", "seat__identity", "seat__connection")
        may = request.user.has_perm
        return Covered.objects.select_related(*related).annotate(
            to_devices=Value(may("connectors.view_device")), to_names=Value(may("connectors.change_identity"))
        )

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display if may_name(request) else [f"{_UNNAMED.get(each, each)}" for each in self.list_display]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self._named_search if may_name(request) else ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("connectors.view_installation")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """To change how it is judged, and to look again."""
        return request.user.has_perm("connectors.add_device") and self.has_view_permission(request, obj)

    def _record(self, request: HttpRequest, page: str, keys: dict[str, Any]) -> None:
        if may_name(request):
            super()._record(request, page, keys)

    # ── Columns ─────────────────────────────────────────────────────────────────────────────────

    @admin.display(description="what")
    def what(self, row: Covered) -> SafeString:
        return named(row)

    @admin.display(description="what")
    def pseudonym(self, row: Covered) -> str:
        return unnamed(row)

    @admin.display(description="state")
    def state_shown(self, row: Covered) -> SafeString:
        state = State(row.state)
        return format_html('<span title="{}">{}</span>', MEANINGS[state], markup.state(LOOKS[state], str(state.label)))

    @admin.display(description="reason")
    def why(self, row: Covered) -> SafeString:
        return markup.visible(row.reason)

    @admin.display(description="since")
    def since_shown(self, row: Covered) -> str:
        return _day(row.since)

    @admin.display(description="last seen")
    def seen(self, row: Covered) -> str:
        return _day(row.last_seen) or "never"

    @admin.display(description="days of use")
    def used(self, row: Covered) -> SafeString:
        return markup.number(row.usage_days)

    @admin.display(description="person")
    def person_shown(self, row: Covered) -> SafeString:
        return person_link(row.person) if row.person else mark_safe('<span class="faint">nobody known</span>')

    @admin.display(description="person")
    def person_number(self, row: Covered) -> str:
        return f"person-{row.person_id}" if row.person_id else ""

    # ── The page ────────────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        views = {"rule": self.rule_view, "look": self.look_view}
        return [
            *(
                path(f"{name}/", self.admin_site.admin_view(view), name=f"connectors_covered_{name}")
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        rule = looking.rule()
        initial = {"silent_after_days": rule.silent_after_days, "window_days": rule.window_days}
        more = {
            "tiles": tiles(self.url("changelist")),
            "rule": rule,
            "rule_form": RuleForm(initial=initial),
            "may_look": self.has_change_permission(request),
        }
        return super().changelist_view(request, {**(extra_context or {}), **more})

    def nothing_found(self, request: HttpRequest, cl: Any) -> Any:
        empty = super().nothing_found(request, cl)
        if cl.is_narrowed:
            return empty
        if Seat.objects.exists() or Device.objects.exists() or Installation.objects.exists():
            now = " Look again does it now." if self.has_change_permission(request) else ""
            return type(empty)("Not computed yet", f"It is computed every ten minutes.{now}")
        told = (
            "Coverage needs to know who should report: connect a vendor that lists its users, or import the list of "
            "devices. Whoever reports without either appears here as well."
        )
        return type(empty)("Not enough data: no seat, device or sender is known", told)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(self.url("changelist"))

    def rule_view(self, request: HttpRequest) -> HttpResponse:
        self._may_post(request)
        form = RuleForm(request.POST)
        if form.is_valid():
            looking.change_rule(**form.cleaned_data, by=acts.person(request.user))
            messages.success(request, "Judged anew.")
        else:
            wrong = ", ".join(str(form.fields[name].label) for name in form.errors)
            messages.error(request, f"Not changed: “{wrong}” takes a number of days up to {LONGEST_DAYS}.")
        return HttpResponseRedirect(self.url("changelist"))

    def look_view(self, request: HttpRequest) -> HttpResponse:
        self._may_post(request)
        if looking.look() is None:
            messages.info(request, "Somebody is looking already; reload the page in a moment.")
        else:
            messages.success(request, "Looked again.")
        return HttpResponseRedirect(self.url("changelist"))

    def _may_post(self, request: HttpRequest) -> None:
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied


_UNNAMED = {"what": "pseudonym", "person_shown": "person_number"}


def may_name(request: HttpRequest) -> bool:
    return request.user.has_perm("connectors.view_person")


def unnamed(row: Covered) -> str:
    """What a row is about, without saying whose name it is."""
    return f"{row.kind.replace('_', ' ')} {row.key[:8] if row.kind == Covered.Kind.SENDER else row.key}"


def named(row: Any) -> SafeString:
    """What a row is about, and where it leads whoever may follow (`to_devices`, `to_names`)."""
    if row.seat is not None:
        who = person_link(row.person) if row.person else name_of(row.seat.identity)
        return format_html('{} <small class="quiet">{}</small>', who, markup.visible(row.seat.connection.name))
    if row.device is not None:
        url = f"{reverse('admin:connectors_device_changelist')}?serial={row.device.serial}"
        told = row.device.host or row.device.serial
        if not row.to_devices:
            return markup.visible(told)
        return format_html('<a href="{}">{}</a>', url, markup.visible(told))
    if row.person is not None:
        return person_link(row.person)
    if row.identity is not None and not row.to_names:
        return name_of(row.identity)
    if row.identity is not None:
        url = reverse("admin:connectors_identity_map", args=[row.identity.pk])
        return format_html('{} <small><a href="{}">Say whose it is</a></small>', name_of(row.identity), url)
    return format_html('<span class="id quiet">{}</span>', unnamed(row))


def _day(day: Any) -> str:
    return str(day) if day else ""
