"""Runs, backfills and reported figures in the admin: what was read, when, and what came of it."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import acts
from audit.listing import markup
from audit.listing.changelist import KeysetChangeList
from audit.listing.export import Column
from audit.listing.keyset import Keyset
from audit.listing.pages import facts
from audit.listing.readonly import ReadOnlyAdmin
from audit.listing.terms import Empty
from audit.tasks import soon
from connectors import tasks
from connectors.admin import connection_words as say
from connectors.admin.connection_pages import ConnectionPages, only_post
from connectors.models import Backfill, Page, Pull, Reported
from connectors.pulls import backfills, pages, planning
from connectors.vendors import registry

SHOWN_CHARACTERS = 40
"""Of long texts in lists; the row's own page and the downloads have all of them."""


class OfConnection(ConnectionPages, ReadOnlyAdmin):
    """Rows that belong to a connection, which nobody makes or changes by hand."""

    keysets = {"newest": Keyset("-id")}
    list_select_related = ("connection",)

    def may_act(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_connection")

    @admin.display(description="connection")
    def connection_shown(self, row: Any) -> SafeString:
        url = reverse("admin:connectors_connection_change", args=[row.connection_id])
        return format_html('<a href="{}">{}</a>', url, markup.visible(row.connection.name))

    @admin.display(description="endpoint")
    def endpoint_shown(self, row: Any) -> SafeString:
        title = registry.endpoint_title(row.connection.vendor, row.endpoint)
        return format_html('<span class="id" title="{}">{}</span>', title, markup.visible(row.endpoint))


class PullAdmin(OfConnection):
    list_title = "Runs"
    list_lede = "one for each day, or list, of each endpoint"
    list_empty = (
        "A connection reads by itself once it is made: each day of each endpoint is a run, with what the vendor "
        "answered."
    )
    list_display = (
        "started", "connection_shown", "endpoint_shown", "day_shown", "state_shown", "error_shown", "rows", "restated",
        "pages_taken", "attempts",
    )  # fmt: skip
    list_filter = ("state", "cause", "connection")
    list_long = ("error_shown",)
    list_wide = ("pages_taken", "attempts")
    search_fields = ("endpoint", "error", "day")

    day_shown = admin.display(description="day")(lambda self, pull: say.pull_day(pull))
    state_shown = admin.display(description="state")(lambda self, pull: say.pull_state(pull))
    error_shown = admin.display(description="error")(lambda self, pull: markup.visible(pull.error))

    @admin.display(description="started")
    def started(self, pull: Pull) -> SafeString:
        return markup.time(pull.started_at) if pull.started_at else SafeString('<span class="faint">not yet</span>')

    def get_urls(self) -> list[URLPattern]:
        page, again = self.admin_site.admin_view(self.page_view), self.admin_site.admin_view(self.again_view)
        return [
            path("<int:pull_id>/page/<int:number>/", page, name="connectors_pull_page"),
            path("<int:pull_id>/again/", again, name="connectors_pull_again"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        pull: Pull = self.found(request, object_id)
        where = {"Connection": self.connection_shown(pull), "Endpoint": self.endpoint_shown(pull)}
        kept = pull.raw_pages.defer("body").order_by("number")
        return self.page(
            request,
            "connection_run",
            f"{registry.endpoint_title(pull.connection.vendor, pull.endpoint)}, {say.pull_day(pull)}",
            pull=pull,
            badge=say.pull_state(pull),
            again=self.url("again", pull.pk) if self.may_act(request) and pull.finished_at else "",
            facts=facts(where | say.run_facts(pull)),
            pages=[(page, bytes(page.sha256).hex(), self.url("page", pull.pk, page.number)) for page in kept[:200]],
        )

    def again_view(self, request: HttpRequest, pull_id: int) -> HttpResponse:
        """Reads the same day, or list, once more."""
        pull: Pull = self.found(request, pull_id)
        if not self.may_act(request):
            raise PermissionDenied
        if refused := only_post(request):
            return refused
        with transaction.atomic():
            queued = planning.again(pull)
            if queued is not None:
                facts = {"connection.id": str(pull.connection_id), "pull.id": queued.pk}
                acts.require("connection.pull_asked", by=acts.person(request.user), facts=facts)
        soon(tasks.do_pulls)
        messages.success(request, "It is queued." if queued else "It is queued already.")
        return HttpResponseRedirect(self.url("change", queued.pk if queued else pull.pk))

    def page_view(self, request: HttpRequest, pull_id: int, number: int) -> HttpResponse:
        """One page as the vendor gave it. Taking it out of the portal is recorded first. One that is not that any more
        is not given out."""
        pull: Pull = self.found(request, pull_id)
        page = Page.objects.filter(pull=pull, number=number).first()
        if page is None:
            raise Http404
        try:
            body = pages.opened(page)
        except pages.Damaged:
            erased = "was erased with somebody whom it named" if not page.body else "is not what came: its hash differs"
            messages.warning(request, f"Page {number} {erased}.")
            return HttpResponseRedirect(self.url("change", pull.pk))
        facts = {"connection.id": str(pull.connection_id), "pull.id": pull.pk, "page": number}
        acts.require("connection.page_downloaded", by=acts.person(request.user), facts=facts)
        response = HttpResponse(body, content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="{pull.endpoint}-{pull.pk}-{number}.json"'
        response["Cache-Control"] = "no-store"
        return response


class BackfillAdmin(OfConnection):
    list_title = "Backfills"
    list_lede = "days from before, asked for by somebody"
    list_display = ("asked", "connection_shown", "range", "progress_shown", "state_shown", "asked_by_shown")

    asked = admin.display(description="asked for")(lambda self, each: markup.time(each.asked_at))
    range = admin.display(description="days")(lambda self, each: str(each))
    asked_by_shown = admin.display(description="by")(lambda self, each: markup.visible(each.asked_by))
    progress_shown = admin.display(description="progress")(lambda self, each: say.backfill_told(_progress(each)))
    state_shown = admin.display(description="state")(lambda self, each: say.backfill_state(each, _progress(each)))

    def nothing_found(self, request: HttpRequest, cl: KeysetChangeList) -> Empty:
        if cl.is_narrowed:
            return super().nothing_found(request, cl)
        return Empty(
            "No backfill yet",
            "A connection reads the last days by itself. Its page has “Backfill” for those before: it says how many "
            "requests a range takes before anything is asked.",
        )

    def get_urls(self) -> list[URLPattern]:
        views = {"state": self.state_view, "stop": self.stop_view, "again": self.again_view}
        own = [
            path(f"<int:key>/{name}/", self.admin_site.admin_view(view), name=f"connectors_backfill_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        backfill: Backfill = self.found(request, object_id)
        progress = _progress(backfill)
        runs = f"{reverse('admin:connectors_pull_changelist')}?backfill__id__exact={backfill.pk}"
        about = {
            "Connection": self.connection_shown(backfill),
            "Days": str(backfill),
            "Asked for": say.done_by(backfill.asked_at, backfill.asked_by),
            "Stopped": markup.time(backfill.stopped_at) if backfill.stopped_at else "",
            "Finished": markup.time(progress.finished_at) if progress.finished_at and not backfill.stopped_at else "",
        }
        return self.page(
            request,
            "connection_backfill_progress",
            f"Backfill {backfill}",
            backfill=backfill,
            connection=backfill.connection,
            progress=progress,
            told=say.backfill_told(progress),
            badge=say.backfill_state(backfill, progress),
            facts=facts(about),
            runs=runs,
            failed=backfill.pulls.filter(state=Pull.State.FAILED).order_by("-day")[:10],
            may_act=self.may_act(request),
            page={name: self.url(name, backfill.pk) for name in ("state", "stop", "again", "change")},
        )

    def state_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """How far it is, for the page that waits for it."""
        progress = _progress(self.found(request, key))
        state = {"unfinished": progress.is_unfinished, "done": progress.ended, "total": progress.total}
        return JsonResponse(state | {"told": say.backfill_told(progress)}, headers={"Cache-Control": "no-store"})

    def _acting(self, request: HttpRequest, key: int) -> Backfill:
        backfill: Backfill = self.found(request, key)
        if not self.may_act(request):
            raise PermissionDenied
        return backfill

    def stop_view(self, request: HttpRequest, key: int) -> HttpResponse:
        backfill = self._acting(request, key)
        if refused := only_post(request):
            return refused
        backfills.stop(backfill, by=acts.person(request.user))
        messages.success(request, "Stopped. What was read stays.")
        return HttpResponseRedirect(self.url("change", backfill.pk))

    def again_view(self, request: HttpRequest, key: int) -> HttpResponse:
        backfill = self._acting(request, key)
        if refused := only_post(request):
            return refused
        backfills.try_again(backfill, by=acts.person(request.user))
        soon(tasks.do_pulls)
        return HttpResponseRedirect(self.url("change", backfill.pk))


class ReportedAdmin(OfConnection):
    list_title = "Reported figures"
    list_lede = "what vendors report that is nobody’s user-day; money in US dollars"
    list_empty = (
        "What a connected vendor reports by organisation, workspace or skill rather than by person appears here "
        "after the first runs."
    )
    list_display = ("day_shown", "connection_shown", "endpoint_shown", "key_shown", "data_shown", "told_at")
    list_filter = ("connection",)
    list_wide = ("told_at",)
    search_fields = ("endpoint", "key")

    day_shown = admin.display(description="day")(lambda self, each: say.day(each.day))
    told_at = admin.display(description="first told")(lambda self, each: markup.time(each.pulled_at))

    @admin.display(description="figures")
    def data_shown(self, each: Reported) -> SafeString:
        said = ((name, value) for name, value in each.data.items() if value not in (None, "", 0, {}, []))
        text = ", ".join(f"{name} {_plain(value)}" for name, value in said)
        return markup.visible(_cut(text))

    @admin.display(description="about")
    def key_shown(self, each: Reported) -> SafeString:
        return markup.visible(_cut(each.key))

    def download_columns(self, request: HttpRequest) -> list[Column]:
        return [
            ("day", lambda each: each.day),
            ("connection", lambda each: each.connection.name),
            ("endpoint", lambda each: each.endpoint),
            ("key", lambda each: each.key),
            ("data", lambda each: each.data),
            ("pulled_at", lambda each: each.pulled_at),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        reported: Reported = self.found(request, object_id)
        where = {
            "Connection": self.connection_shown(reported),
            "Endpoint": self.endpoint_shown(reported),
            "Day": say.day(reported.day),
            "First told": markup.time(reported.pulled_at),
        }
        data = json.dumps(reported.data, ensure_ascii=False, indent=2)
        return self.page(request, "connection_reported", reported.key, facts=facts(where), data=data)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("connection__secret")


def _progress(backfill: Any) -> backfills.Progress:
    if not hasattr(backfill, "progress"):
        backfill.progress = backfills.progress(backfill, timezone.now())
    return backfill.progress  # type: ignore[no-any-return]


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
