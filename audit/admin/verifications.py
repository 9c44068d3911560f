"""Runs through the whole ledger: what each covered and found, how far the one under way is, a button for the next."""

import logging
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from kombu.exceptions import OperationalError

from audit import tasks, verifications
from audit.listing import markup, words
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from audit.models import Verification

logger = logging.getLogger(__name__)

State = Verification.State
_STATES = {State.QUEUED: "off", State.RUNNING: "warn", State.CLEAN: "ok", State.FAULTY: "bad", State.BROKEN: "warn"}


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """Those who may see them may ask for one: it reads, and one at a time runs."""

    list_title = "Verifications"
    list_lede = "the ledger recomputed from its stored bytes"
    list_empty = (
        "The ledger verifies itself once a day, and now by “Verify now”: every leaf, the tree and the signed "
        "checkpoints are computed again from the stored bytes."
    )
    list_display = ("asked", "outcome", "by", "covered", "progress", "fault_count", "took")
    list_numeric = ("covered", "fault_count")
    list_filter = ("state", "cause")
    keysets = {"Newest first": Keyset("-id")}
    change_list_template = "admin/audit/verification/change_list.html"
    change_form_template = "admin/audit/verification/change_form.html"

    @admin.display(description="asked for")
    def asked(self, run: Verification) -> str:
        return markup.time(run.asked_at)

    @admin.display(description="state")
    def outcome(self, run: Verification) -> str:
        return markup.state(_STATES[State(run.state)], State(run.state).label.capitalize())

    @admin.display(description="by")
    def by(self, run: Verification) -> str:
        return markup.visible(run.asked_by or run.get_cause_display())

    @admin.display(description="events")
    def covered(self, run: Verification) -> str:
        return markup.number(run.size) if run.started_at else ""

    @admin.display(description="progress")
    def progress(self, run: Verification) -> str:
        return told_progress(run)

    @admin.display(description="faults")
    def fault_count(self, run: Verification) -> str:
        return markup.number(run.faults) if run.started_at else ""

    @admin.display(description="took")
    def took(self, run: Verification) -> str:
        return words.span(run.finished_at - run.started_at) if run.finished_at and run.started_at else ""

    def get_urls(self) -> list[URLPattern]:
        now = path("now/", self.admin_site.admin_view(self.now_view), name="audit_verification_now")
        return [now, *super().get_urls()]

    def now_view(self, request: HttpRequest) -> HttpResponse:
        """Queues a run, by POST only. The message to the worker is a hint; the row is what counts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        verifications.ask(request.user.get_username())
        try:
            tasks.verify_ledger.delay()
            self.message_user(
                request, "A verification is queued; it starts as soon as a worker is free.", messages.SUCCESS
            )
        except OperationalError:
            logger.warning("no broker to tell", extra={"action": "verify_ledger"})
            self.message_user(request, "A verification is queued; it starts within ten minutes.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:audit_verification_changelist"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        more = (
            {"state_kind": _STATES[State(run.state)], "state_words": State(run.state).label.capitalize()} if run else {}
        )
        if run:
            more |= {
                "progress": told_progress(run),
                "by": run.asked_by or run.get_cause_display(),
                "took": self.took(run),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})


def told_progress(run: Verification) -> str:
    """Rows looked at of all there are, and how long the rest will take."""
    if not run.started_at:
        return ""
    told = f"{words.number(run.done)} of {words.number(run.total)} rows"
    return f"{told}, {words.span(run.rest)} left" if run.rest is not None else told
