"""What is done to a connection: made, checked, given another key, paused, renamed, backfilled, deleted.

A key goes in by a form and comes out nowhere: pages show its kind, a fingerprint and its last four characters.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from audit import acts
from audit.listing import words
from audit.tasks import soon
from connectors import tasks
from connectors.admin.connection_forms import BackfillForm, ConnectForm, DeleteForm, KeyForm, RenameForm, ways
from connectors.admin.connection_pages import ConnectionPages, only_post
from connectors.connections import lifecycle
from connectors.connections.keys import WrongKey
from connectors.connections.lifecycle import NotConnected
from connectors.models import Connection
from connectors.pulls import backfills
from connectors.vendors import registry

key_form = method_decorator(sensitive_post_parameters("key"))


class ConnectionActs(ConnectionPages):
    """The forms and buttons that make a connection and change it."""

    # ── Addresses ───────────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "key": self.key_view,
            "rename": self.rename_view,
            "pause": self.pause_view,
            "resume": self.resume_view,
            "check": self.check_view,
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

    # ── What is done to one ──────────────────────────────────────────────────────────────────────

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
