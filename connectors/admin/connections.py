"""Connections in the admin: a list, and a page for each that says how it is."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.listing import markup
from audit.listing.changelist import KeysetChangeList
from audit.listing.keyset import Keyset
from audit.listing.pages import facts
from audit.listing.terms import Empty
from connectors.admin import connection_words as say
from connectors.admin.connection_acts import ConnectionActs
from connectors.connections import health
from connectors.connections.health import STATES, Health
from connectors.models import Connection, Pull
from connectors.pulls import backfills
from connectors.vendors import registry

LAST_RUNS = 10
CHECKING = "Every endpoint is asked again…"


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        state = self.value()
        return queryset.filter(health.in_state(state)) if state in STATES else queryset


class ConnectionAdmin(ConnectionActs):
    list_title = "Connections"
    list_lede = "vendors’ organisations that are read"
    list_add = "Connect"
    list_display = ("name", "vendor_shown", "organization", "key", "state", "lag", "trouble_shown", "next_run")
    list_filter = (StateFilter,)
    list_long = ("trouble_shown",)
    list_wide = ("key",)
    keysets = {"newest": Keyset("-created_at", "-id")}
    search_fields = ("name", "organization_name", "organization_id")

    # ── The list ────────────────────────────────────────────────────────────────────────────────

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Connection.objects.defer("secret").prefetch_related("capabilities")

    def nothing_found(self, request: HttpRequest, cl: KeysetChangeList) -> Empty:
        if cl.is_narrowed:
            return super().nothing_found(request, cl)
        return Empty(
            "Nothing is connected yet",
            "A connection reads from a vendor who uses what and what it costs: Claude Enterprise with an Analytics "
            "key, Claude Console with an Admin key, OpenAI with an Admin key. It takes ten minutes, most of them to "
            "find whoever may make the key.",
        )

    @staticmethod
    def _health(connection: Any) -> Health:
        if not hasattr(connection, "health"):
            connection.health = health.of(connection, timezone.now())
        return connection.health  # type: ignore[no-any-return]

    vendor_shown = admin.display(description="vendor")(lambda self, each: registry.title(each.vendor))
    organization = admin.display(description="organisation")(lambda self, each: markup.visible(_organization(each)))
    key = admin.display(description="key")(lambda self, each: say.key(each))
    state = admin.display(description="state")(lambda self, each: say.badge(self._health(each)))
    lag = admin.display(description="lag")(lambda self, each: say.lag(self._health(each)))
    next_run = admin.display(description="next run")(
        lambda self, each: say.next_run(self._health(each), timezone.now())
    )

    @admin.display(description="last error")
    def trouble_shown(self, connection: Connection) -> SafeString:
        return markup.visible(next(iter(self._health(connection).told), ""))

    # ── One connection ──────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        state = self.admin_site.admin_view(self.state_view)
        return [path("<uuid:key>/state/", state, name="connectors_connection_state"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        connection: Connection = self.found(request, object_id)
        now, found = timezone.now(), self._health(connection)
        kept = connection.backfills.order_by("-pk")[:5]
        return self.page(
            request,
            "connection",
            connection.name,
            connection=connection,
            badge=say.badge(found),
            health=found,
            facts=facts(self._facts(connection, found)),
            capabilities=self._capabilities(connection),
            runs=[(run, _title(run), say.pull_state(run), say.pull_day(run)) for run in _runs(connection)],
            backfills=[(each, backfills.progress(each, now)) for each in kept],
            may_change=self.has_change_permission(request, connection),
            may_delete=self.has_delete_permission(request, connection),
            page=self._pages(connection),
        )

    def _facts(self, connection: Connection, found: Health) -> dict[str, Any]:
        return {
            "Vendor": registry.title(connection.vendor),
            "Organisation": _organization(connection),
            "Key": say.key(connection),
            "Fingerprint": format_html('<span class="id">{}</span>', connection.fingerprint),
            "Key set": say.done_by(connection.key_set_at, connection.key_set_by),
            "Connected": say.done_by(connection.created_at, connection.created_by),
            "Last read": say.moment(connection.last_read_at),
            "Lag": say.lag(found),
            "Next run": say.next_run(found, timezone.now()),
        }

    def _capabilities(self, connection: Connection) -> list[dict[str, Any]]:
        known = {each.endpoint: each for each in connection.capabilities.all()}
        order = [*(name for name in _titles(connection) if name in known), *known]
        return [
            {
                "title": health.title(connection, known[name]),
                "name": name,
                "allowed": say.allowed(known[name]),
                "told": known[name].told,
                "status": known[name].status,
                "days": say.days(known[name], registry.endpoint(connection.vendor, name)),
                "checked": say.moment(known[name].checked_at),
            }
            for name in dict.fromkeys(order)
        ]

    def state_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Whether a check is under way, for the page that waits for it."""
        connection: Connection = self.found(request, key)
        state = {"unfinished": connection.check_asked_at is not None, "done": 0, "total": 1, "told": CHECKING}
        return JsonResponse(state, headers={"Cache-Control": "no-store"})


def _organization(connection: Connection) -> str:
    return connection.organization_name or connection.organization_id


def _titles(connection: Connection) -> dict[str, str]:
    vendor = registry.VENDORS.get(connection.vendor)
    return {each.name: each.title for each in vendor.endpoints} if vendor else {}


def _title(run: Pull) -> str:
    return registry.endpoint_title(run.connection.vendor, run.endpoint)


def _runs(connection: Connection) -> QuerySet:
    return connection.pulls.select_related("connection").exclude(started_at=None).order_by("-started_at")[:LAST_RUNS]
