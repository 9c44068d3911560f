"""Erasing a person: who that is and how much there is of theirs is shown before anybody can confirm it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join

from audit import acts, tasks
from audit.admin.privacy.pages import PrivacyAdmin, ReasonField
from audit.listing import markup, words
from audit.listing.keyset import Keyset
from audit.listing.pages import facts
from audit.models import Erasure
from audit.privacy import access, erasing, holds, people

STATES = {
    Erasure.WAITING: ("warn", "waiting"),
    Erasure.RUNNING: ("warn", "under way"),
    Erasure.HELD: ("warn", "waits for a legal hold"),
    Erasure.DONE: ("ok", "erased"),
    Erasure.FAILED: ("bad", "failed; tried again soon"),
}

UNFINISHED = (Erasure.WAITING, Erasure.RUNNING)


class WhoForm(forms.Form):
    who = forms.CharField(
        label="Who",
        max_length=320,
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
        help_text="An e-mail address, an account, an installation, or a pseudonym such as p-1a2b3c4d.",
    )


class EraseForm(forms.Form):
    who = forms.CharField(widget=forms.HiddenInput)
    reason = ReasonField()
    sure = forms.BooleanField(
        label="I have read what will be erased",
        error_messages={"required": "Confirm that you have read it: what is erased cannot be brought back."},
    )


@admin.register(Erasure)
class ErasureAdmin(PrivacyAdmin):
    list_title = "Erasures"
    list_lede = "who was erased, under pseudonyms; every proof still holds"
    list_empty = (
        "“Erase a person” first shows whom a name means and how much there is of theirs. Who was erased leaves "
        "facts and proofs, and nothing that names them."
    )
    list_add = "Erase a person"
    list_display = ("number", "whom", "reason_shown", "asked", "erased", "state_shown")
    list_filter = ("state",)
    keysets = {"Newest first": Keyset("-id")}

    @admin.display(description="erasure")
    def number(self, erasure: Erasure) -> str:
        return f"{erasure.pk}"

    @admin.display(description="whom")
    def whom(self, erasure: Erasure) -> str:
        return format_html_join(", ", '<span class="id">{}</span>', ((each,) for each in erasure.pseudonyms))

    @admin.display(description="reason")
    def reason_shown(self, erasure: Erasure) -> str:
        return markup.visible(erasure.reason)

    @admin.display(description="asked")
    def asked(self, erasure: Erasure) -> str:
        return markup.time(erasure.asked_at)

    @admin.display(description="contents erased")
    def erased(self, erasure: Erasure) -> str:
        return markup.number(erasure.contents)

    @admin.display(description="state")
    def state_shown(self, erasure: Erasure) -> str:
        return markup.state(*STATES[erasure.state])

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        views = {"state": self.state_view}
        return [
            path("access/", self.admin_site.admin_view(self.access_view), name="audit_erasure_access"),
            *(
                path(f"<int:erasure_id>/{name}/", self.admin_site.admin_view(view), name=f"audit_erasure_{name}")
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First whom, then what that means, then the reason: three steps at one address, each by POST.

        Nobody's address is ever part of an URL, where logs would keep it.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        asked = WhoForm(request.POST or None)
        if request.method != "POST" or not asked.is_valid():
            return self.form_page(request, "erase_who", "Erase a person", asked)
        who = asked.cleaned_data["who"].strip()
        subjects = people.find(who)
        if not subjects:
            asked.add_error("who", "Nobody in the ledger is called that.")
            return self.form_page(request, "erase_who", "Erase a person", asked)
        confirmed = EraseForm(request.POST if "reason" in request.POST else None, initial={"who": who})
        if "reason" in request.POST and confirmed.is_valid():
            return self._ask(request, subjects, confirmed.cleaned_data["reason"])
        self._record(request, "subject.looked_up", subjects)
        found = people.overview(subjects)
        return self.form_page(request, "erase", "Erase this person", confirmed, found=found, who=who)

    def _ask(self, request: HttpRequest, subjects: Sequence[UUID], reason: str) -> HttpResponse:
        erasure = erasing.ask(subjects, reason=reason, by=request.user.get_username())
        tasks.soon(tasks.erase_waiting)
        if holds.covering(subjects):
            messages.warning(request, "The erasure waits for a legal hold, and is carried out when that is released.")
        else:
            messages.success(request, "The erasure is under way.")
        return HttpResponseRedirect(self.url("change", erasure.pk))

    def access_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Everything there is of a person, for them: by POST, recorded before the first byte."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        asked = WhoForm(request.POST or None)
        subjects = people.find(asked.cleaned_data["who"].strip()) if asked.is_valid() else []
        if not subjects:
            raise Http404
        self._record(request, "subject.exported", subjects)
        response = StreamingHttpResponse(access.lines(subjects), content_type="application/x-ndjson")
        response["Content-Disposition"] = f'attachment; filename="subject-access-{subjects[0].hex[:8]}.ndjson"'
        response["Cache-Control"] = "no-store"
        return response

    @staticmethod
    def _record(request: HttpRequest, name: str, subjects: Sequence[UUID]) -> None:
        """Before it is shown. Raises NotRecorded."""
        facts = [("subject.id", str(subject)) for subject in subjects]
        acts.require(name, by=acts.person(request.user), facts=facts)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        erasure = self._found(request, object_id)
        told = {
            "Whom": self.whom(erasure),
            "Reason": markup.visible(erasure.reason),
            "Asked": f"{erasure.asked_at:%Y-%m-%d %H:%M} UTC by {erasure.asked_by}",
            "Held by": erasure.hold_id and f"legal hold {erasure.hold_id}",
            "Contents erased": erasure.contents,
            "Identities erased": erasure.identities,
            "Metric points deleted": erasure.points,
            "Finished": erasure.finished_at and f"{erasure.finished_at:%Y-%m-%d %H:%M} UTC",
            "Failed with": erasure.error,
        }
        return self.page(
            request,
            "erasure",
            f"Erasure {erasure.pk}",
            erasure=erasure,
            facts=facts(told),
            badge=self.state_shown(erasure),
            state_url=self.url("state", erasure.pk),
            again=self.url("change", erasure.pk),
            told=_told(erasure),
            ongoing=erasure.state in UNFINISHED,
        )

    def state_view(self, request: HttpRequest, erasure_id: int) -> HttpResponse:
        """How far it is, for the page that waits for it."""
        erasure = self._found(request, str(erasure_id))
        state = {"unfinished": erasure.state in UNFINISHED, "done": erasure.contents, "total": erasure.total}
        return JsonResponse(state | {"told": _told(erasure)}, headers={"Cache-Control": "no-store"})

    def _found(self, request: HttpRequest, object_id: str) -> Erasure:
        erasure: Erasure | None = self.get_object(request, object_id)
        if erasure is None or not self.has_view_permission(request, erasure):
            raise PermissionDenied
        return erasure


def _told(erasure: Erasure) -> str:
    return f"{words.number(erasure.contents)} of {words.number(erasure.total)} contents"
