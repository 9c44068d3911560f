"""What the receiver set aside, and what it answered."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminForm
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from audit import acts
from audit.admin.recording import RecordedPages
from audit.listing import markup, words
from audit.listing.changelist import KeysetChangeList
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from audit.listing.terms import Empty
from connectors.admin.forms import reason
from ingest.models import Answered, Quarantined, QuarantinedQuerySet
from ingest.receiving.replay import replay
from ingest.receiving.setting_aside import set_aside


class SetAsideForm(forms.Form):
    required_css_class = "required"
    reason = reason("what is set aside, and in the ledger")


class StateFilter(admin.SimpleListFilter):
    """What was set aside is shown only to those who ask for it."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("replayed", "Replayed"), ("aside", "Set aside"), ("all", "All")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        usual, *others = super().choices(changelist)
        yield {**usual, "display": "All but set aside"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "waiting":
                return queryset.waiting()  # type: ignore[attr-defined,no-any-return]
            case "replayed":
                return queryset.filter(replayed_at__isnull=False)
            case "aside":
                return queryset.filter(set_aside_at__isnull=False)
            case "all":
                return queryset
        return queryset.filter(set_aside_at__isnull=True)


@admin.register(Quarantined)
class QuarantinedAdmin(RecordedPages, ReadOnlyAdmin):
    """Requests and single records that could not be kept: to be replayed, or set aside where that is hopeless."""

    list_title = "Quarantine"
    list_lede = "requests and records that could not be kept as evidence"
    list_empty = "All that came could be kept. What cannot be read waits here until it is replayed, or set aside."
    list_display = ("received_at", "source", "signal", "reason_shown", "length", "state")
    list_long = ("reason_shown", "state")
    list_filter = (StateFilter, "signal", "encoding")
    search_fields = ("reason", "source_name")
    keysets = {"Newest first": Keyset("-received_at", "-id")}
    actions = ("replay_selected", "set_aside_selected")  # type: ignore[assignment]
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
        if item.set_aside_at:
            return markup.state("off", f"set aside: {markup.visible_plain(item.set_aside_reason)}")
        return markup.state("warn", item.replay_outcome or "waiting")

    def nothing_found(self, request: HttpRequest, cl: KeysetChangeList) -> Empty:
        aside = Quarantined.objects.filter(set_aside_at__isnull=False).count()
        if cl.is_narrowed or not aside:
            return super().nothing_found(request, cl)
        told = f"{words.counted(aside, 'request')} set aside: “Set aside” under State shows what."
        return Empty("Nothing waits in quarantine", told)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ingest.change_quarantined")

    @admin.action(description="Replay the selected requests", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        for item in queryset.order_by("received_at")[:200]:
            self._replay(request, item)

    def has_set_aside_permission(self, request: HttpRequest) -> bool:
        return self.has_replay_permission(request)

    @admin.action(description="Set the selected requests aside…", permissions=["set_aside"])
    def set_aside_selected(self, request: HttpRequest, queryset: QuarantinedQuerySet) -> HttpResponse | None:
        """Asks for the reason first. The page of one request leads here too."""
        form = SetAsideForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            count = set_aside(queryset, form.cleaned_data["reason"], by=request.user.get_username())
            self.message_user(request, f"{words.counted(count, 'request')} set aside.", messages.SUCCESS)
            return None
        return TemplateResponse(
            request,
            "admin/ingest/quarantined/set_aside.html",
            {
                **self.admin_site.each_context(request),
                "title": "Set aside",
                "opts": self.opts,
                "form": form,
                "fieldsets": AdminForm(form, [(None, {"fields": ["reason"]})], {}),  # type: ignore[arg-type]
                "items": queryset.waiting(),
                "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            },
        )

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
        facts = {"object.id": str(item.pk), "recorded": item.replayed_at is not None}
        acts.require("quarantine.replayed", by=acts.person(request.user), facts=facts, content={"outcome": outcome})
        level = messages.SUCCESS if item.replayed_at else messages.WARNING
        self.message_user(request, f"{item.signal} of {item.received_at:%Y-%m-%d %H:%M}: {outcome}", level)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        item = self.get_object(request, object_id)
        shown = bytes(item.request)[:4096].decode("utf-8", "replace") if item else ""
        context = {
            "request_shown": shown,
            "may_replay": self.has_replay_permission(request),
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})


@admin.register(Answered)
class AnsweredAdmin(ReadOnlyAdmin):
    """What the receiver answered, by hour, token and outcome: every refusal is counted here."""

    list_title = "Receiver answers"
    list_empty = "Each answer of the receiver is counted here by the hour, refusals with their reason."
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
