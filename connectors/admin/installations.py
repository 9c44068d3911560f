"""The roster of installations: who sends with what, and which switches of the client are on."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.admin import recording, rights
from audit.admin.recording import RecordedPages
from audit.listing import markup
from audit.listing.changelist import KeysetChangeList
from audit.listing.export import Column
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from audit.listing.terms import Empty
from connectors.models import Installation, Source, Token
from connectors.roster import clients
from connectors.roster.switches import BY_NAME, SWITCHES

STATES = {True: ("ok", "on"), False: ("off", "off"), None: ("warn", "not known")}
NOT_SENT = SafeString('<span class="faint">not sent</span>')


COLUMNS = (
    "host",
    "who",
    "client",
    "entry",
    "terminal",
    "os",
    "switches_on",
    "token",
    "events",
    "gaps",
    "seen",
)


class SourceFilter(admin.SimpleListFilter):
    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Source.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value() or ""
        return queryset.filter(source_id=int(value)) if value.isdecimal() else queryset


class RotationFilter(admin.SimpleListFilter):
    """Of tokens that were rotated: who still uses the old one."""

    title = "after a rotation"
    parameter_name = "rotation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (clients.STILL, "Still with the old token"),
            (clients.SILENT, "Not seen since"),
            (clients.MOVED, "With the new token"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(rotation=self.value()) if self.value() else queryset


class SwitchFilter(admin.SimpleListFilter):
    title = "switch"
    parameter_name = "switch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (f"{switch.name}.{'on' if is_on else 'off'}", f"{short(switch.name)} {'on' if is_on else 'off'}")
            for switch in SWITCHES
            for is_on in (True, False)
            if is_on or switch.off
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name, _, state = (self.value() or "").partition(".")
        return queryset.filter(switches__contains={name: state == "on"}) if name in BY_NAME else queryset


class GapFilter(admin.SimpleListFilter):
    title = "gaps"
    parameter_name = "gaps"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "Events missing"), ("none", "None missing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "some":
                return queryset.filter(missing__gt=0)
            case "none":
                return queryset.filter(missing=0)
        return queryset


def short(switch: str) -> str:
    """A switch without what all of them begin with."""
    return switch.removeprefix("OTEL_LOG_").removeprefix("OTEL_METRICS_INCLUDE_").replace("_", " ").lower()


class InstallationAdmin(RecordedPages, ReadOnlyAdmin):
    """Hosts are shown to whoever looks after tokens; who sits at them only to those who may see identities."""

    keysets = {"Last seen": Keyset("-last_at", "-id"), "First seen": Keyset("-first_at", "-id")}
    list_title = "Installations"
    list_lede = "clients as they describe themselves, by the token they send with"
    list_display = ("host",)  # COLUMNS, two of which depend on who looks
    list_filter = (SourceFilter, RotationFilter, SwitchFilter, GapFilter, "agent")
    list_numeric = ("events", "gaps")
    list_minor = ("terminal", "os", "seen")
    list_wide = ("terminal", "os", "entry")
    list_long = ("switches_on",)
    search_fields = ("host",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return clients.after_rotation(clients.described(Installation.objects.all()))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if not search_term:
            return queryset, False
        return clients.found(queryset, search_term, by_identity=rights.of(request).identity), False

    def get_list_display(self, request: HttpRequest) -> Any:
        held, may_open = rights.of(request), request.user.has_perm("connectors.view_ingesttoken")
        shown = {"who": lambda row: who(row, held), "token": lambda row: _token(row, may_open)}
        for name, column in shown.items():
            column.__name__, column.short_description = name, name  # type: ignore[attr-defined]
        return [shown.get(name, name) for name in COLUMNS]

    @admin.display(description="host")
    def host(self, row: Any) -> SafeString:
        return markup.claim(row.host) if row.host else NOT_SENT

    @admin.display(description="client")
    def client(self, row: Any) -> SafeString:
        return markup.visible(" ".join(filter(None, (row.service_name or row.agent, row.service_version))))

    @admin.display(description="entry point")
    def entry(self, row: Any) -> SafeString:
        return markup.visible(row.entrypoint) if row.entrypoint else NOT_SENT

    @admin.display(description="terminal")
    def terminal(self, row: Any) -> SafeString:
        return markup.visible(row.terminal)

    @admin.display(description="OS")
    def os(self, row: Any) -> SafeString:
        return markup.visible(row.os)

    @admin.display(description="switches on")
    def switches_on(self, row: Any) -> SafeString:
        on = [switch.name for switch in SWITCHES if row.switches.get(switch.name)]
        return format_html_join(" ", "{}", ((markup.tag(short(name)),) for name in on))

    @admin.display(description="events")
    def events(self, row: Any) -> SafeString:
        return markup.number(row.events)

    @admin.display(description="missing")
    def gaps(self, row: Any) -> SafeString:
        return markup.warning(f"{row.missing} missing") if row.missing else markup.number(0)

    @admin.display(description="last seen")
    def seen(self, row: Any) -> SafeString:
        return markup.time(row.last_at, "ago")

    def download_columns(self, request: HttpRequest) -> Sequence[Column]:
        held = rights.of(request)
        plain = (
            "id", "source_id", "token_id", "agent", "host", "service_name", "service_version", "entrypoint", "terminal",
            "os", "first_at", "last_at", "events", "missing", "rotation",
        )  # fmt: skip
        return [
            *((name, _attribute(name)) for name in plain),
            ("who", lambda row: name_of(row, held)),
            *((switch.name, _switch(switch.name)) for switch in SWITCHES),
        ]

    def nothing_found(self, request: HttpRequest, cl: KeysetChangeList) -> Empty:
        if cl.is_narrowed:
            return super().nothing_found(request, cl)
        told = (
            "A client is listed within a minute of its first event. Metrics tell of no installation: a source that"
            " takes metrics only has none here."
        )
        return Empty("No installation has been seen yet", told)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row: Any = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "list_title": self.list_title,
            "list_url": reverse("admin:connectors_installation_changelist"),
            "title": row.host or "Installation",
            "row": row,
            "who": who(row, rights.of(request)),
            "client": self.client(row),
            "token": Token.objects.filter(pk=row.token_id).select_related("source").first(),
            "may_open_token": request.user.has_perm("connectors.view_ingesttoken"),
            "may_open_source": request.user.has_perm("connectors.view_source"),
            "told": told(row, may_open=request.user.has_perm("audit.view_event")),
        }
        return TemplateResponse(request, "admin/connectors/installation.html", context)


def _token(row: Any, may_open: bool) -> SafeString:
    shown = format_html('<span class="id">{}…{}</span>', row.token_prefix, row.token_end)
    if not may_open:
        return shown
    url = reverse("admin:connectors_ingesttoken_change", args=[row.token_id])
    return format_html('<a href="{}" title="{}">{}</a>', url, markup.visible_plain(row.token_name), shown)


def _attribute(name: str) -> Any:
    return lambda row: getattr(row, name)


def _switch(name: str) -> Any:
    return lambda row: row.switches.get(name)


def name_of(row: Any, held: rights.Rights) -> str:
    """Who it says it is, to those who may know; to others the pseudonym that evidence has for them."""
    pseudonym = f"p-{row.subject_id.hex[:8]}" if row.subject_id else ""
    if not held.identity:
        return pseudonym
    return row.email or row.account_id or row.account_uuid or pseudonym


def named(request: HttpRequest, rows: Iterable[Any], shown_on: str, key: int) -> list[tuple[Any, SafeString]]:
    """Rows with who it is, for a page of something else; that they are shown is recorded first. Raises NotRecorded."""
    held = rights.of(request)
    found = [(row, who(row, held)) for row in rows]
    if found:
        recording.viewed(request, shown_on, str(key), part="installations")
    return found


def who(row: Any, held: rights.Rights) -> SafeString:
    name = name_of(row, held)
    return markup.claim(name) if name else NOT_SENT


def told(row: Any, *, may_open: bool) -> list[tuple[str, SafeString, str, str]]:
    """Each switch: its name, its state, what tells, and the event that does, for those who may open it."""
    rows = []
    for switch in SWITCHES:
        is_on = row.switches.get(switch.name)
        said = row.evidence.get(switch.name, {})
        because = {True: switch.on, False: switch.off, None: "nothing that came tells"}[is_on]
        event = said.get("on" if is_on else "off", "") if is_on is not None else ""
        url = reverse("admin:audit_event_change", args=[event]) if event and may_open else ""
        rows.append((switch.name, markup.state(*STATES[is_on]), because, url))
    return rows
