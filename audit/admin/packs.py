"""Evidence packs in the admin: asked for, watched while they are made, and given out to those who may see what is in
them. Nothing is given out that the ledger could not record first."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from audit import policy, tasks
from audit.admin import pack_state, rights
from audit.admin.changelist import EvidenceChangeList
from audit.admin.pack_forms import PackForm, RangeForm
from audit.exceptions import NotRecorded
from audit.listing import markup
from audit.listing.keyset import Keyset
from audit.listing.readonly import ReadOnlyAdmin
from audit.models import Event, EvidencePack, Seal, Session, packs
from audit.packs import requests, store
from audit.verifier import verify

MOST_SELECTED = 10_000
_WITHOUT = ("_add", "_history", "_delete")


@admin.register(EvidencePack)
class EvidencePackAdmin(ReadOnlyAdmin):
    download_permission = "audit.export_evidence"
    list_title = "Evidence packs"
    list_lede = "evidence with its proofs, for somebody outside"
    list_empty = "Make one on the page of a session, from a list of events, or here of a range."
    list_display = ("title_shown", "state_shown", "asked", "by", "discloses", "total", "size", "reason_shown")
    list_filter = ("state", "kind")
    list_plain = ("discloses", "state_shown")
    list_long = ("title_shown", "by", "reason_shown")
    search_fields = ("title", "reason", "asked_by")
    keysets = {"Newest first": Keyset("-id")}

    title_shown = admin.display(description="pack")(lambda self, pack: markup.visible(pack.title))
    asked = admin.display(description="asked for")(lambda self, pack: markup.time(pack.asked_at))
    by = admin.display(description="by")(lambda self, pack: markup.visible(pack.asked_by))
    reason_shown = admin.display(description="reason")(lambda self, pack: markup.visible(pack.reason))
    discloses = admin.display(description="discloses")(lambda self, pack: pack_state.discloses(pack))
    size = admin.display(description="size")(lambda self, pack: pack_state.size(pack))
    state_shown = admin.display(description="state")(lambda self, pack: pack_state.badge(pack))

    # ── Who may ─────────────────────────────────────────────────────────────────────────────────

    def has_view_permission(self, request: HttpRequest, obj: EvidencePack | None = None) -> bool:
        """Whoever may take evidence out of the portal. There is no permission for packs alone."""
        return request.user.has_perms(("audit.export_evidence", "audit.view_event"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def may_have(self, request: HttpRequest, pack: EvidencePack) -> bool:
        """Whether this person may see all that is in it, now: a right that was withdrawn since counts no more."""
        held = rights.of(request)
        return (held.content or not pack.with_content) and (held.identity or not pack.with_identity)

    # ── Addresses ───────────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        views = {
            "session": ("session/<uuid:session>/", self.session_view),
            "range": ("range/", self.range_view),
            "selection": ("selection/", self.selection_view),
            "state": ("<int:pack>/state/", self.state_view),
            "file": ("<int:pack>/pack.zip", self.file_view),
            "verifier": ("verify.py", self.verifier_view),
            "policy": ("policy.json", self.policy_view),
        }
        own = [path(at, self._guarded(view), name=self._url_name(name)) for name, (at, view) in views.items()]
        return [*own, *(url for url in super().get_urls() if not str(url.name or "").endswith(_WITHOUT))]

    def _guarded(self, view: Any) -> Any:
        """For those who may; 503 where an act could not be recorded, and then nothing is given out."""

        def guarded(request: HttpRequest, **keys: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            try:
                return view(request, **keys)  # type: ignore[no-any-return]
            except NotRecorded:
                context = {**self.admin_site.each_context(request), "title": "Not recorded"}
                response = TemplateResponse(request, "admin/audit/evidencepack/not_recorded.html", context, status=503)
                response["Retry-After"] = "2"
                return response

        return self.admin_site.admin_view(guarded)

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def url(self, page: str, pack: EvidencePack | None = None) -> str:
        return reverse(f"admin:{self._url_name(page)}", args=[pack.pk] if pack else [])

    # ── Asking ──────────────────────────────────────────────────────────────────────────────────

    def session_view(self, request: HttpRequest, session: UUID) -> HttpResponse:
        found = Session.objects.filter(pk=session).first()
        if found is None:
            raise Http404("No such session")
        pack = packs.of_session(found.pk, found.session_id)
        return self._form_page(request, PackForm, pack, session=found)

    def range_view(self, request: HttpRequest) -> HttpResponse:
        return self._form_page(request, RangeForm, None)

    def selection_view(self, request: HttpRequest) -> HttpResponse:
        """What the list of events shows under the same query string."""
        numbers = self._selected(request)
        if len(numbers) > MOST_SELECTED:
            raise BadRequest(f"A selection holds up to {MOST_SELECTED} events. Narrow the list, or take a range.")
        if not numbers:
            raise BadRequest("None of these events has a number yet.")
        return self._form_page(request, PackForm, packs.of_selection(numbers))

    def _selected(self, request: HttpRequest) -> list[int]:
        try:
            changes = self.admin_site.get_model_admin(Event).get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("This list does not know what was asked for.") from error
        assert isinstance(changes, EvidenceChangeList)
        if changes.query_error:
            raise BadRequest("The query was not understood, so nothing was selected.")
        seals = Seal.objects.filter(event__in=changes.queryset.order_by().values("pk")).order_by("seq")
        return list(seals.values_list("seq", flat=True)[: MOST_SELECTED + 1])

    def _form_page(
        self, request: HttpRequest, form_class: type[PackForm], pack: EvidencePack | None, **context: Any
    ) -> HttpResponse:
        held = rights.of(request)
        form = form_class(request.POST or None, rights=held, pack=pack)
        if request.method == "POST" and form.is_valid():
            return self._ask(form.asked(request.user.get_username(), timezone.now()))
        drawn = AdminForm(form, form.fieldsets, {}, model_admin=self)  # type: ignore[arg-type] # any form has what it draws
        title = f"Evidence pack: {pack.title[0].lower()}{pack.title[1:]}" if pack else "Evidence pack of a range"
        return self._page(request, "form", title=title, pack=pack, form=form, fieldsets=drawn, rights=held, **context)

    def _ask(self, pack: EvidencePack) -> HttpResponse:
        with transaction.atomic():
            requests.ask(pack)
            transaction.on_commit(partial(tasks.make_soon, pack.pk))
        return HttpResponseRedirect(self.url("change", pack))

    # ── One pack ────────────────────────────────────────────────────────────────────────────────

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        pack = self.get_object(request, object_id)
        if pack is None:
            raise Http404("No such pack")
        if not self.has_view_permission(request, pack):
            raise PermissionDenied
        return self._page(
            request,
            "change_form",
            title=pack.title,
            pack=pack,
            badge=pack_state.badge(pack),
            told=pack_state.told(pack),
            facts=pack_state.facts(pack),
            may_have=self.may_have(request, pack),
            page={name: self.url(name, pack) for name in ("state", "file", "change")},
        )

    def _page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "list_url": self.url("changelist"),
            "list_title": self.list_title,
        }
        return TemplateResponse(request, f"admin/audit/evidencepack/{template}.html", {**shared, **context})

    def state_view(self, request: HttpRequest, pack: int) -> JsonResponse:
        """How far it is, for the page that waits for it."""
        found = self._found(pack)
        return JsonResponse(
            {
                "unfinished": found.is_unfinished,
                "done": found.done,
                "total": found.total,
                "told": pack_state.told(found),
            },
            headers={"Cache-Control": "no-store"},
        )

    def file_view(self, request: HttpRequest, pack: int) -> HttpResponseBase:
        """The zip; each time it is given out is recorded before."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        found = self._found(pack)
        if not self.may_have(request, found):
            raise PermissionDenied("This pack discloses what your role does not include.")
        if not found.can_be_had:
            raise Http404("There is no file of this pack")
        try:
            file = store.read(found.file)
        except FileNotFoundError as error:
            raise Http404("The file of this pack is not on this machine") from error
        try:
            requests.record_download(found, request.user.get_username())
        except NotRecorded:
            file.close()
            raise
        name = f"evidence-{found.kind}-{found.pk}.zip"
        response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
        response["Cache-Control"] = "no-store"
        return response

    def _found(self, pack: int) -> EvidencePack:
        found = EvidencePack.objects.filter(pk=pack).first()
        if found is None:
            raise Http404("No such pack")
        return found

    # ── What an auditor needs besides ───────────────────────────────────────────────────────────

    def verifier_view(self, request: HttpRequest) -> HttpResponse:
        return _attachment(Path(verify.__file__).read_bytes(), "verify.py", "text/x-python; charset=utf-8")

    def policy_view(self, request: HttpRequest) -> HttpResponse:
        try:
            text = policy.text()
        except policy.NoPolicy as error:
            messages.warning(request, f"There is no policy to hand out here. {error}")
            return HttpResponseRedirect(self.url("changelist"))
        return _attachment(text.encode(), "policy.json", "application/json")


def _attachment(data: bytes, name: str, content_type: str) -> HttpResponse:
    return HttpResponse(
        data,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
