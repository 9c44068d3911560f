"""What the receiver set aside, and what it answered."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from audit.listing import markup
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from ingest.models import Answered, Quarantined
from ingest.receiving.replay import replay


class ReplayedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "replayed_at__isnull"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("True", "waiting"), ("False", "replayed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(replayed_at__isnull=self.value() == "True") if self.value() else queryset


@admin.register(Quarantined)
class QuarantinedAdmin(ReadOnlyAdmin):
    """Requests and single records that could not be kept. Nothing here is lost: it can be replayed."""

    list_title = "Quarantine"
    list_lede = "requests and records that could not be kept as evidence"
    list_display = ("received_at", "source", "signal", "reason_shown", "length", "state")
    list_filter = (ReplayedFilter, "signal", "encoding")
    search_fields = ("reason", "source_name")
    keysets = {"Newest first": Keyset("-received_at", "-id")}
    actions = ("replay_selected",)  # type: ignore[assignment]
    change_form_template = "admin/ingest/quarantined/change_form.html"

    @admin.display(description="source")
    def source(self, item: Quarantined) -> str:
        return markup.visible(item.source_name)

    @admin.display(description="reason")
    def reason_shown(self, item: Quarantined) -> str:
        return markup.visible(item.reason)

    @admin.display(description="state")
    def state(self, item: Quarantined) -> str:
        if item.replayed_at:
            return markup.state("ok", f"replayed: {item.replay_outcome}")
        return markup.state("warn", item.replay_outcome or "waiting")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ingest.change_quarantined")

    @admin.action(description="Replay the selected requests", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        for item in queryset.order_by("received_at")[:200]:
            self._replay(request, item)

    def get_urls(self) -> list[URLPattern]:
        one = path(
            "<path:object_id>/replay/",
            self.admin_site.admin_view(self.replay_view),
            name="ingest_quarantined_replay",
        )
        return [one, *super().get_urls()]

    def replay_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Replays one request; by POST only, from its page."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        item = self.get_object(request, object_id)
        if item is None:
            raise Http404
        if request.method == "POST":
            self._replay(request, item)
        return HttpResponseRedirect(reverse("admin:ingest_quarantined_change", args=[object_id]))

    def _replay(self, request: HttpRequest, item: Quarantined) -> None:
        try:
            outcome = replay(item)
        except DatabaseError as error:
            outcome = f"still refused by the database: {type(error).__name__}"
        level = messages.SUCCESS if item.replayed_at else messages.WARNING
        self.message_user(request, f"{item.signal} of {item.received_at:%Y-%m-%d %H:%M}: {outcome}", level)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        item = self.get_object(request, object_id)
        shown = bytes(item.request)[:4096].decode("utf-8", "replace") if item else ""
        context = {"request_shown": shown, "may_replay": self.has_replay_permission(request)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})


@admin.register(Answered)
class AnsweredAdmin(ReadOnlyAdmin):
    """What the receiver answered, by hour, token and outcome: every refusal is counted here."""

    list_title = "Receiver answers"
    list_display = (
        "hour",
        "outcome",
        "token_id",
        "requests",
        "records",
        "duplicates",
        "rejected",
        "last_at",
        "last_address",
    )
    list_filter = ("outcome",)
    search_fields = ("outcome", "last_address")
    keysets = {"Newest first": Keyset("-hour", "-id")}
