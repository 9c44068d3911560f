"""Connections in the admin: made by how an organisation buys, checked before they are kept, and looked after.

A key goes in by a form and comes out nowhere: pages show its kind, a fingerprint and its last four characters.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from audit import acts
from audit.listing import markup, words
from audit.listing.changelist import KeysetChangeList
from audit.listing.keyset import Keyset
from audit.listing.pages import facts
from audit.listing.terms import Empty
from audit.tasks import soon
from connectors import tasks
from connectors.admin import connection_words as say
from connectors.admin.connection_forms import BackfillForm, ConnectForm, DeleteForm, KeyForm, RenameForm, ways
from connectors.admin.connection_pages import ConnectionPages, only_post
from connectors.connections import health, lifecycle
from connectors.connections.health import STATES, Health
from connectors.connections.keys import WrongKey
from connectors.connections.lifecycle import NotConnected
from connectors.models import Connection, Pull
from connectors.pulls import backfills
from connectors.vendors import registry

LAST_RUNS = 10
key_form = method_decorator(sensitive_post_parameters("key"))


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        state = self.value()
        return queryset.filter(health.in_state(state)) if state in STATES else queryset


class ConnectionAdmin(ConnectionPages):
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

    # ── Addresses ───────────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "key": self.key_view,
            "rename": self.rename_view,
            "pause": self.pause_view,
            "resume": self.resume_view,
            "check": self.check_view,
            "state": self.state_view,
            "backfill": self.backfill_view,
        }
        own = [
            path(f"<uuid:key>/{name}/", self.admin_site.admin_view(view), name=f"connectors_connection_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def _pages(self, connection: Connection) -> dict[str, str]:
        names = ("change", "key", "rename", "pause", "resume", "check", "state", "backfill", "delete", "history")
        runs = f"{reverse('admin:connectors_pull_changelist')}?connection__id__exact={connection.pk}"
        return {name: self.url(name, connection.pk) for name in names} | {"runs": runs}

    def _changed(self, request: HttpRequest, key: Any) -> Connection:
        """The connection, for who may change it."""
        connection: Connection = self.found(request, key)
        if not self.has_change_permission(request, connection):
            raise PermissionDenied
        return connection

    def _back(self, request: HttpRequest, connection: Connection, message: str) -> HttpResponse:
        messages.success(request, message)
        return HttpResponseRedirect(self.url("change", connection.pk))

    def _form(
        self, request: HttpRequest, template: str, title: str, form: Any, connection: Connection, **context: Any
    ) -> HttpResponse:
        pages = self._pages(connection)
        return self.form_page(request, template, title, form, connection=connection, page=pages, **context)

    # ── Connecting ──────────────────────────────────────────────────────────────────────────────

    @key_form
    @sensitive_variables("key", "form")
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First how Claude is bought, then the form for that."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        vendor = registry.VENDORS.get(request.GET.get("vendor", ""))
        if vendor is None:
            token_url = reverse("admin:connectors_ingesttoken_add")
            return self.page(request, "connection_choose", "Connect", ways=ways(), token_url=token_url)
        form = ConnectForm(request.POST or None, vendor=vendor)
        if request.method == "POST" and form.is_valid():
            name, key = form.cleaned_data["name"], form.cleaned_data["key"]
            try:
                connection = lifecycle.connect(vendor.slug, name, key, by=acts.person(request.user))
            except (WrongKey, NotConnected) as refusal:
                form.refuse(str(refusal))
            else:
                self.log_addition(request, connection, "Connected.")
                soon(tasks.do_pulls)
                return self._back(request, connection, f"{connection} is connected. The last days are read now.")
        return self.form_page(request, "connection_new", f"Connect {vendor.title}", form, vendor=vendor)

    @key_form
    @sensitive_variables("form")
    def key_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        connection = self._changed(request, key)
        vendor = registry.VENDORS.get(connection.vendor)
        if vendor is None:
            messages.error(request, "This version has no module for this vendor, so it cannot check a key.")
            return HttpResponseRedirect(self.url("change", connection.pk))
        form = KeyForm(request.POST or None, vendor=vendor)
        if request.method == "POST" and form.is_valid():
            try:
                lifecycle.change_key(connection, form.cleaned_data["key"], by=acts.person(request.user))
            except (WrongKey, NotConnected) as refusal:
                form.refuse(str(refusal))
            else:
                self.log_change(request, connection, "Key changed.")
                soon(tasks.do_pulls)
                return self._back(request, connection, "The new key is in use. Revoke the old one at the vendor.")
        return self._form(request, "connection_key", "Change key", form, connection)

    # ── One connection ──────────────────────────────────────────────────────────────────────────

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

    # ── What is done to it ──────────────────────────────────────────────────────────────────────

    def check_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        connection = self._changed(request, key)
        if refused := only_post(request):
            return refused
        lifecycle.ask_check(connection, by=acts.person(request.user))
        soon(tasks.do_pulls)
        return HttpResponseRedirect(self.url("change", connection.pk))

    def pause_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        connection = self._changed(request, key)
        if refused := only_post(request):
            return refused
        lifecycle.pause(connection, by=acts.person(request.user))
        self.log_change(request, connection, "Paused.")
        return self._back(request, connection, "Paused: nothing is read until it is resumed.")

    def resume_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        connection = self._changed(request, key)
        if refused := only_post(request):
            return refused
        lifecycle.resume(connection, by=acts.person(request.user))
        self.log_change(request, connection, "Resumed.")
        soon(tasks.do_pulls)
        return self._back(request, connection, "Resumed. Days that were missed are read by themselves.")

    def rename_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        connection = self._changed(request, key)
        form = RenameForm(request.POST or None, connection=connection)
        if request.method == "POST" and form.is_valid():
            lifecycle.rename(connection, form.cleaned_data["name"], by=acts.person(request.user))
            self.log_change(request, connection, "Renamed.")
            return self._back(request, connection, "Renamed.")
        return self._form(request, "connection_rename", "Rename", form, connection)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        connection: Connection = self.found(request, object_id)
        if not self.has_delete_permission(request, connection):
            raise PermissionDenied
        form = DeleteForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self.log_deletions(request, Connection.objects.filter(pk=connection.pk))
            lifecycle.delete(connection, by=acts.person(request.user))
            messages.success(request, f"{connection} is deleted. Revoke its key at the vendor.")
            return HttpResponseRedirect(self.url("changelist"))
        counts = lifecycle.effect_of_deleting(connection)
        effect = [(name, words.number(count)) for name, count in counts.items()]
        return self._form(request, "connection_delete", "Delete", form, connection, effect=effect)

    def backfill_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """First the range, then what that takes, then it is started: at one address, each step by POST."""
        connection = self._changed(request, key)
        form = BackfillForm(request.POST or None)
        estimate, takes = None, ""
        if request.method == "POST" and form.is_valid():
            first, last, again = (form.cleaned_data[name] for name in ("first_day", "last_day", "again"))
            estimate = backfills.estimate(connection, first, last, again=again)
            takes = words.span(dt.timedelta(seconds=estimate.seconds))
            if "_start" in request.POST and estimate.days:
                asked = backfills.ask(connection, first, last, by=acts.person(request.user), again=again)
                self.log_change(request, connection, f"Backfill asked for: {asked}.")
                soon(tasks.do_pulls)
                return HttpResponseRedirect(reverse("admin:connectors_backfill_change", args=[asked.pk]))
        return self._form(
            request, "connection_backfill", "Backfill", form, connection, estimate=estimate, estimate_time=takes
        )


CHECKING = "Every endpoint is asked again…"


def _organization(connection: Connection) -> str:
    return connection.organization_name or connection.organization_id


def _titles(connection: Connection) -> dict[str, str]:
    vendor = registry.VENDORS.get(connection.vendor)
    return {each.name: each.title for each in vendor.endpoints} if vendor else {}


def _title(run: Pull) -> str:
    return registry.endpoint_title(run.connection.vendor, run.endpoint)


def _runs(connection: Connection) -> QuerySet:
    return connection.pulls.select_related("connection").exclude(started_at=None).order_by("-started_at")[:LAST_RUNS]
