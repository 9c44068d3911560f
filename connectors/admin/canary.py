"""Tests of the public endpoint: the canary's, and those that people ask for on a token's page.

The token to test with is in the form's own body, is compared with the token whose page it is, and is kept nowhere.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from audit.listing import markup, words
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from audit.listing.terms import Empty
from connectors import scopes, tokens
from connectors.canary import runs, sender
from connectors.models import CanaryRun, IngestToken, Token

_LABELS = {"resolve": "Name", "connect": "Connection", "tls": "TLS", "answer": "Answer"}
_NOT_REACHED = "not reached"


def steps(run: CanaryRun) -> list[dict[str, str]]:
    """Every step with its state (ok, bad, off or waiting) and in words."""
    done = {name: (well, told) for name, well, told in run.steps}
    shown = [_step(label, *done.get(name, (None, ""))) for name, label in _LABELS.items()]
    if run.found_at is not None:
        stored = _step("Stored", True, f"found {words.milliseconds(_milliseconds(run))} after it was sent")
    elif run.error:
        stored = _step("Stored", False if run.status == 200 else None, "not found")
    else:
        stored = {"label": "Stored", "state": "pending", "told": "looking for it"}
    return [*shown, stored, _sealed(run)]


def _milliseconds(run: CanaryRun) -> int:
    assert run.found_at is not None
    return max(0, int((run.found_at - run.sent_at).total_seconds() * 1000))


def _step(label: str, well: bool | None, told: str) -> dict[str, str]:
    if well is None:
        return {"label": label, "state": "off", "told": _NOT_REACHED}
    return {"label": label, "state": "ok" if well else "bad", "told": told}


def _sealed(run: CanaryRun) -> dict[str, str]:
    if run.error:
        return _step("Sealed", None, "")
    if run.signal != "logs":
        return {"label": "Sealed", "state": "off", "told": "counts are kept, not sealed"}
    if seal := runs.sealed(run):
        return _step("Sealed", True, f"as number {words.number(seal.seq)} of the ledger")
    return {"label": "Sealed", "state": "pending", "told": "waiting for its number"}


def outcome(run: CanaryRun) -> tuple[str, str]:
    """(kind of state, in words)."""
    if run.error:
        return "bad", "Failed"
    return ("ok", "Arrived") if run.found_at else ("warn", "Under way")


def is_unfinished(run: CanaryRun) -> bool:
    """Whether looking again may show more. Sealing is waited for as long as storing."""
    if run.error or (run.found_at and run.signal != "logs"):
        return False
    if timezone.now() - run.sent_at > runs.SEARCHED + runs.BROKEN_OFF:
        return False
    return run.found_at is None or runs.sealed(run) is None


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("arrived", "Arrived"), ("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        wanted = {"arrived": Q(found_at__isnull=False), "failed": ~Q(error="")}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


class CanaryRunAdmin(ReadOnlyAdmin):
    """Runs, newest first, and the two pages behind a token's “Test now”."""

    list_title = "Endpoint tests"
    list_lede = "records of the portal's own, sent to its public address and looked for"
    list_display = ("sent", "outcome", "by", "token", "status", "took", "why")
    list_numeric = ("status", "took")
    list_long = ("why",)
    list_filter = (OutcomeFilter, "cause", "signal")
    keysets = {"Newest first": Keyset("-sent_at", "-id")}
    change_form_template = "admin/connectors/canaryrun/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        name = Token.objects.filter(pk=OuterRef("token_id")).values("name")
        return CanaryRun.objects.annotate(token_name=Subquery(name))

    @admin.display(description="sent", ordering="sent_at")
    def sent(self, run: CanaryRun) -> str:
        return markup.time(run.sent_at)

    @admin.display(description="outcome")
    def outcome(self, run: CanaryRun) -> str:
        return markup.state(*outcome(run))

    @admin.display(description="by")
    def by(self, run: CanaryRun) -> str:
        return markup.visible(run.asked_by or "canary")

    @admin.display(description="token")
    def token(self, run: Any) -> str:
        return markup.visible(run.token_name or "")

    @admin.display(description="took")
    def took(self, run: CanaryRun) -> str:
        return words.milliseconds(_milliseconds(run)) if run.found_at else ""

    @admin.display(description="why not")
    def why(self, run: CanaryRun) -> str:
        return markup.visible(run.error)

    def nothing_found(self, request: HttpRequest, cl: Any) -> Empty:
        if cl.is_narrowed:
            return super().nothing_found(request, cl)
        told = sender.standing(timezone.now()).reason
        return Empty("Nothing was sent yet", f"Every five minutes the portal sends a record to itself: {told}.")

    def get_urls(self) -> list[URLPattern]:
        return [
            path("probe/<int:token_id>/", self.admin_site.admin_view(self.probe_view), name="connectors_probe"),
            path("<int:run_id>/state/", self.admin_site.admin_view(self.state_view), name="connectors_probe_state"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        more: dict[str, Any] = {}
        if run:
            runs.look(run)
            kind, told = outcome(run)
            more = {
                "steps": steps(run),
                "state_kind": kind,
                "state_words": told,
                "by": run.asked_by or "canary",
                "endpoint": settings.OTLP_PUBLIC_URL,
                "state_url": reverse("admin:connectors_probe_state", args=[run.pk]) if is_unfinished(run) else "",
                "event_url": _event_url(request, run),
                "token": IngestToken.objects.filter(pk=run.token_id).first(),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def state_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """How far a run is, for the page that waits for it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(CanaryRun, pk=run_id)
        runs.look(run)
        return JsonResponse(_told(run))

    @method_decorator(sensitive_post_parameters("secret"))
    @sensitive_variables("secret")
    def probe_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        """Sends one record to the public endpoint with the token that the form holds, if it is this token's secret."""
        token = get_object_or_404(IngestToken, pk=token_id)
        if not may_probe(request) or not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        secret = request.POST.get("secret", "").strip()
        if wrong := _unfit(token, secret):
            return self._not_sent(request, token, wrong)
        run = runs.begin(runs.PERSON, token, request.user.get_username())
        runs.send(run, secret)
        runs.look(run)
        if _wants_json(request):
            return JsonResponse(_told(run))
        return HttpResponseRedirect(_run_url(run))

    def _not_sent(self, request: HttpRequest, token: IngestToken, wrong: str) -> HttpResponse:
        if _wants_json(request):
            return JsonResponse({"unfinished": False, "steps": [], "error": wrong}, status=400)
        messages.error(request, wrong)
        return HttpResponseRedirect(reverse("admin:connectors_ingesttoken_change", args=[token.pk]))


def may_probe(request: HttpRequest) -> bool:
    """Whoever may issue or change ingestion tokens; they hold the secret to send with anyway."""
    user = request.user
    return user.has_perm("connectors.add_ingesttoken") or user.has_perm("connectors.change_ingesttoken")


@sensitive_variables("secret")
def _unfit(token: IngestToken, secret: str) -> str:
    """Why nothing is sent with it; empty if it is this token's secret."""
    if not secret:
        return "Paste the token to send with: the portal does not know it."
    kind = tokens.kind_of(secret)
    if kind is None:
        return "That is not a token: it is cut or mistyped. Nothing was sent."
    if kind != scopes.INGEST:
        return "That is an API token; agents send with ingestion tokens (agp_ing_…). Nothing was sent."
    if tokens.digest(secret) != bytes(token.digest):
        return f"That is another token, not {token}. Nothing was sent."
    return ""


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _told(run: CanaryRun) -> dict[str, Any]:
    return {
        "unfinished": is_unfinished(run),
        "steps": steps(run),
        "error": run.error,
        "state": reverse("admin:connectors_probe_state", args=[run.pk]),
        "page": _run_url(run),
    }


def _run_url(run: CanaryRun) -> str:
    return reverse("admin:connectors_canaryrun_change", args=[run.pk])


def _event_url(request: HttpRequest, run: CanaryRun) -> str:
    """The event's page, for those who may see evidence."""
    if run.found_id is None or run.signal != "logs" or not request.user.has_perm("audit.view_event"):
        return ""
    return reverse("admin:audit_event_change", args=[run.found_id])
