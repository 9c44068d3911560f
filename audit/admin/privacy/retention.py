"""Retention: rules, what they would take now, and the certificates of what they took."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from audit import acts, identifiers, pasted, tasks
from audit.admin.privacy.pages import PrivacyAdmin
from audit.listing import markup
from audit.listing.keyset import Keyset
from audit.listing.pages import facts
from audit.listing.readonly import ListingAdmin
from audit.models import Event, RetentionRule, RetentionRun
from audit.privacy import retention

RECORDS_SHOWN = 100
STATES = {
    RetentionRun.RUNNING: ("warn", "under way"),
    RetentionRun.DONE: ("ok", "done"),
    RetentionRun.FAILED: ("bad", "failed"),
}


@admin.register(RetentionRule)
class RetentionRuleAdmin(ListingAdmin):
    list_title = "Retention rules"
    list_lede = "how long each part of evidence is kept; without a rule it is kept for good"
    list_empty = (
        "Everything is kept for good. A rule says for how many days content, identity or facts are kept; “What is"
        " due now” under Retention shows what that takes before it is applied."
    )
    list_add = "Add a rule"
    list_display = ("part", "kind_shown", "days", "exception_shown")
    list_filter = ("part",)
    keysets = {"Oldest first": Keyset("id")}
    actions = None
    fields = ("part", "kind", "days", "exception")

    @admin.display(description="kind")
    def kind_shown(self, rule: RetentionRule) -> str:
        return rule.get_kind_display()

    @admin.display(description="exception")
    def exception_shown(self, rule: RetentionRule) -> str:
        return markup.visible(rule.exception)

    def save_model(self, request: HttpRequest, obj: RetentionRule, form: Any, change: bool) -> None:
        obj.exception = pasted.masked(obj.exception)
        super().save_model(request, obj, form, change)
        self._record(request, "retention.rule_changed" if change else "retention.rule_added", obj)

    def delete_model(self, request: HttpRequest, obj: RetentionRule) -> None:
        self._record(request, "retention.rule_removed", obj)
        super().delete_model(request, obj)

    def _record(self, request: HttpRequest, name: str, rule: RetentionRule) -> None:
        told = {"retention.part": rule.part, "retention.kind": rule.kind, "retention.days": rule.days}
        content = {"exception": rule.exception} if rule.exception else None
        acts.require(name, by=acts.person(request.user), facts=told, content=content)


@admin.register(RetentionRun)
class RetentionRunAdmin(PrivacyAdmin):
    list_title = "Retention"
    list_lede = "what the rules took, and what they would take now"
    list_empty = "Rules are applied once a day. Each run leaves a certificate here: what went, what stays and why."
    list_display = ("started", "contents", "identities", "facts", "events", "state_shown")
    list_numeric = ("contents", "identities", "facts", "events")
    list_filter = ("state",)
    keysets = {"Newest first": Keyset("-id")}
    list_add = "What is due now"

    @admin.display(description="run")
    def started(self, run: RetentionRun) -> str:
        return markup.time(run.started_at)

    @admin.display(description="state")
    def state_shown(self, run: RetentionRun) -> str:
        return markup.state(*STATES[run.state])

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The preview, and the button that applies it now rather than at night."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            tasks.soon(tasks.apply_retention, request.user.get_username())
            messages.success(request, "The rules are being applied; the run appears in this list.")
            return HttpResponseRedirect(self.url("changelist"))
        rules = RetentionRule.objects.order_by("part", "kind")
        rules_url = reverse("admin:audit_retentionrule_changelist")
        due = retention.preview()
        return self.page(request, "retention_due", "What is due now", rules=rules, due=due, rules_url=rules_url)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        if run is None or not self.has_view_permission(request, run):
            raise PermissionDenied
        told = {
            "Began": f"{run.started_at:%Y-%m-%d %H:%M:%S} UTC, asked by {run.asked_by}",
            "Ended": run.finished_at and f"{run.finished_at:%Y-%m-%d %H:%M:%S} UTC",
            "Contents erased": run.contents,
            "Identities erased": run.identities,
            "Facts erased": run.facts,
            "Events purged": run.events,
            "Months purged": ", ".join(run.months),
            "Failed with": run.error,
        }
        return self.page(
            request,
            "retention_run",
            f"Certificate of retention run {run.pk}",
            run=run,
            facts=facts(told),
            badge=self.state_shown(run),
            recorded=self._recorded(run)[:RECORDS_SHOWN],
        )

    @staticmethod
    def _recorded(run: RetentionRun) -> QuerySet[Event]:
        """The portal's own events that this run left: no two runs are at it at the same time."""
        ended = (run.finished_at or timezone.now()) + dt.timedelta(seconds=5)
        first, last = (identifiers.lower_bound(moment) for moment in (run.started_at, ended))
        acts_of_runs = Event.objects.filter(
            agent="portal", event_name__startswith="retention.", pk__range=(first, last)
        )
        return acts_of_runs.exclude(event_name__startswith="retention.rule").order_by("pk").select_related("seal")
