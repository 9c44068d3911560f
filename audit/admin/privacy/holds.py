"""Legal holds: placed and released with a reason. What they cover is neither erased nor purged."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from audit import tasks
from audit.admin.privacy.pages import PrivacyAdmin, ReasonField
from audit.listing import markup, words
from audit.listing.keyset import Keyset
from audit.listing.pages import facts
from audit.models import Hold, Session
from audit.privacy import holds
from audit.privacy.holds import BadHold


class HoldForm(forms.Form):
    kind = forms.ChoiceField(label="Covers", choices=Hold.KINDS, widget=forms.RadioSelect)
    value = forms.CharField(
        label="Who or what",
        max_length=1000,
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
        help_text="A person’s e-mail, account or pseudonym; a session’s id; a repository’s name; or a query as in "
        "the list of events. What a query finds later is held too, and what it found once stays held.",
    )
    reason = ReasonField()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "kind" in data and "value" in data:
            try:
                holds.check(data["kind"], data["value"].strip())
            except BadHold as error:
                raise ValidationError({"value": str(error)}) from error
        return data


class ReleaseForm(forms.Form):
    reason = ReasonField()


class InForceFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("force", "in force"), ("released", "released")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(released_at__isnull=self.value() == "force") if self.value() else queryset


@admin.register(Hold)
class HoldAdmin(PrivacyAdmin):
    list_title = "Legal holds"
    list_lede = "while one is in force, what it covers is neither erased nor purged"
    list_empty = (
        "A dispute or an investigation may need what retention or an erasure would take: place a hold on a "
        "person, a session, a repository or a query."
    )
    list_add = "Place a hold"
    list_display = ("number", "covers", "reason_shown", "placed", "state")
    list_filter = (InForceFilter, "kind")
    search_fields = ("reason",)
    keysets = {"Newest first": Keyset("-id")}

    @admin.display(description="hold")
    def number(self, hold: Hold) -> str:
        return f"{hold.pk}"

    @admin.display(description="covers")
    def covers(self, hold: Hold) -> str:
        return markup.visible(_about(hold))

    @admin.display(description="reason")
    def reason_shown(self, hold: Hold) -> str:
        return markup.visible(hold.reason)

    @admin.display(description="placed")
    def placed(self, hold: Hold) -> str:
        return markup.time(hold.placed_at)

    @admin.display(description="state")
    def state(self, hold: Hold) -> str:
        return markup.state("off", "released") if hold.released_at else markup.state("warn", "in force")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.release_view)
        return [path("<int:hold_id>/release/", view, name="audit_hold_release"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = HoldForm(request.POST or None, initial={"kind": "person", **request.GET.dict()})
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            hold = holds.place(data["kind"], data["value"], reason=data["reason"], by=request.user.get_username())
            self._tell(request, hold)
            return HttpResponseRedirect(self.url("change", hold.pk))
        return self.form_page(request, "hold_place", "Place a legal hold", form)

    @staticmethod
    def _tell(request: HttpRequest, hold: Hold) -> None:
        """A hold that covers nothing is more often a slip of the pen than foresight."""
        covered = holds.covers(hold.kind, hold.value)
        if covered:
            messages.success(request, f"Hold {hold.pk} is in force and covers {_counted(covered)}.")
        else:
            told = f"Hold {hold.pk} is in force, but covers no event so far. Is it spelt as it should be?"
            messages.warning(request, told)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        hold = self._found(request, object_id)
        told = {
            "Covers": _about(hold),
            "Covers now": None if hold.released_at else _counted(holds.covers(hold.kind, hold.value)),
            "Reason": hold.reason,
            "Placed": f"{hold.placed_at:%Y-%m-%d %H:%M} UTC by {hold.placed_by}",
            "Released": hold.released_at and f"{hold.released_at:%Y-%m-%d %H:%M} UTC by {hold.released_by}",
            "Why released": hold.release_reason,
        }
        release = "" if hold.released_at or not self.has_change_permission(request, hold) else "release"
        url = self.url("release", hold.pk) if release else ""
        return self.page(
            request, "hold", f"Hold {hold.pk}", hold=hold, facts=facts(told), badge=self.state(hold), release_url=url
        )

    def release_view(self, request: HttpRequest, hold_id: int) -> HttpResponse:
        hold = self._found(request, str(hold_id))
        if not self.has_change_permission(request, hold) or hold.released_at:
            raise PermissionDenied
        form = ReleaseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            holds.release(hold, reason=form.cleaned_data["reason"], by=request.user.get_username())
            tasks.soon(tasks.erase_waiting)
            messages.success(request, f"Hold {hold.pk} is released. What waited for it is done within minutes.")
            return HttpResponseRedirect(self.url("change", hold.pk))
        return self.form_page(request, "hold_release", f"Release hold {hold.pk}", form, covers=_about(hold))

    def _found(self, request: HttpRequest, object_id: str) -> Hold:
        hold: Hold | None = self.get_object(request, object_id)
        if hold is None or not self.has_view_permission(request, hold):
            raise PermissionDenied
        return hold


def _counted(events: int) -> str:
    more = " or more" if events >= holds.MOST_COUNTED else ""
    return f"{words.counted(events, 'event')}{more}"


def _about(hold: Hold) -> str:
    """What it covers; a session also by the id that its vendor gave it, which is what people look for."""
    text = f"{hold.kind}: {hold.value}"
    session = Session.objects.filter(pk=hold.value).first() if hold.kind == "session" else None
    return f"{text} (the vendor’s {session.session_id})" if session else text
