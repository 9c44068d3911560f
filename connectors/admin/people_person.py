"""One person: their names, teams, seats and usage, what was decided about them, and the forms that decide it."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import acts
from audit.listing import markup
from connectors.admin.coverage_tiles import LOOKS
from connectors.admin.people_forms import EraseForm, MergeForm, PlaceForm, RenameForm, SplitForm
from connectors.admin.people_pages import NamingAdmin, basis, name_of, person_link, sessions_url, today, validity
from connectors.models import Covered, Membership, Person, PersonChange, Seat, UsageDay
from connectors.people import changes, erasing, memberships
from connectors.people.changes import Refused

USAGE_DAYS = 30
Done = Callable[[dict[str, Any]], str]


class PersonPages(NamingAdmin):
    """The page of a person and the acts on them."""

    def get_urls(self) -> list[URLPattern]:
        pages = {
            "merge": self.merge_view,
            "split": self.split_view,
            "rename": self.rename_view,
            "place": self.place_view,
            "erase": self.erase_view,
            "unplace": self.unplace_view,
            "undo": self.undo_view,
        }
        return [
            *(
                path(f"<str:object_id>/{name}/", self.admin_site.admin_view(view), name=f"connectors_person_{name}")
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    # ── One person ──────────────────────────────────────────────────────────────────────────────

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person = self._found(request, object_id)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        may = self.has_change_permission(request, person) and person.merged_into is None
        return self.page(
            request,
            "people_person",
            str(person),
            person=person,
            may=may,
            urls={name: self.url(name, person.pk) for name in ("merge", "split", "rename", "place", "erase")},
            may_erase=request.user.has_perm("connectors.delete_person"),
            merged_into=person_link(person.merged_into) if person.merged_into else "",
            taken_back=changes.was_taken_back(person),
            absorbed=[person_link(each) for each in person.absorbed.order_by("pk") if not changes.was_taken_back(each)],
            identities=self._identities(request, person),
            memberships=self._memberships(person),
            seats=self._seats(person),
            coverage=_coverage(person),
            usage=_usage(person),
            usage_days=USAGE_DAYS,
            history=_history(person),
        )

    def _identities(self, request: HttpRequest, person: Person) -> list[dict[str, Any]]:
        rows = person.identities.order_by("kind", "value", "first_day")
        return [
            {
                "kind": row.get_kind_display(),
                "name": name_of(row),
                "validity": validity(row.first_day, row.last_day),
                "basis": basis(row.basis),
                "seen": validity(row.first_seen, row.last_seen) if row.first_seen else "",
                "sessions": sessions_url(self.admin_site, request, row),
                "map": reverse("admin:connectors_identity_map", args=[row.pk]),
            }
            for row in rows
        ]

    def _memberships(self, person: Person) -> list[dict[str, Any]]:
        rows = person.memberships.select_related("team").order_by("first_day", "pk")
        return [
            {
                "pk": row.pk,
                "team": team_of(row),
                "cost_center": row.team.cost_center,
                "validity": validity(row.first_day, row.last_day),
                "basis": basis(row.basis),
                "removable": row.basis != "telemetry",
                "remove": self.url("unplace", person.pk),
            }
            for row in rows
        ]

    def _seats(self, person: Person) -> QuerySet:
        return Seat.objects.filter(identity__person=person).select_related("connection").order_by("pk")

    # ── Acts ────────────────────────────────────────────────────────────────────────────────────

    def merge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._changeable(request, object_id)

        def merge(data: dict[str, Any]) -> str:
            changes.merge(data["other"], person, by=acts.person(request.user), reason=data["reason"])
            return f"#{data['other'].pk} is merged into {person}. It can be undone below."

        return self._act(
            request, person, "merge", f"Merge somebody into {person}", MergeForm(request.POST or None), merge
        )

    def split_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._changeable(request, object_id)

        def split(data: dict[str, Any]) -> str:
            made = changes.split(
                person,
                list(data["names"]),
                from_day=data["from_day"],
                by=acts.person(request.user),
                reason=data["reason"],
            )
            return f"What you ticked is now that of #{made.pk}. It can be undone below."

        form = SplitForm(request.POST or None, person=person)
        return self._act(request, person, "split", f"Split {person}", form, split)

    def rename_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._changeable(request, object_id)

        def rename(data: dict[str, Any]) -> str:
            changes.rename(person, name=data["name"], email=data["email"], by=acts.person(request.user))
            return "Renamed."

        form = RenameForm(request.POST or None, initial={"name": person.name, "email": person.email})
        return self._act(request, person, "rename", f"Rename {person}", form, rename)

    def place_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._changeable(request, object_id)

        def place(data: dict[str, Any]) -> str:
            made = memberships.place(
                person, data["team"], data["first_day"], data["last_day"], by=acts.person(request.user)
            )
            return f"Placed in {made.team}."

        form = PlaceForm(request.POST or None, initial={"first_day": today()})
        return self._act(request, person, "place", f"Place {person} in a team", form, place)

    def unplace_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._changeable(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        key = request.POST.get("membership", "")
        row = person.memberships.filter(pk=key).exclude(basis="telemetry").first() if key.isdecimal() else None
        if row is not None:
            memberships.unplace(row, by=acts.person(request.user))
            messages.success(
                request, f"No longer in {row.team} by hand or by a list. Telemetry may claim a team again."
            )
        return HttpResponseRedirect(self.url("change", person.pk))

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._changeable(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        key = request.POST.get("change", "")
        change = person.changes.filter(pk=key).first() if key.isdecimal() else None
        if change is not None:
            try:
                changes.undo(change, by=acts.person(request.user))
                messages.success(request, "Undone: the names are where they were.")
            except Refused as error:
                messages.error(request, str(error))
        return HttpResponseRedirect(self.url("change", person.pk))

    def erase_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._found(request, object_id)
        if not request.user.has_perm("connectors.delete_person"):
            raise PermissionDenied
        form = EraseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                erasing.erase(person, by=acts.person(request.user), reason=form.cleaned_data["reason"])
                messages.success(request, "Erased: nothing here names them any more.")
                return HttpResponseRedirect(self.url("changelist"))
            except Refused as error:
                form.add_error(None, str(error))
        return self.form_page(
            request,
            "people_erase",
            f"Erase {person}",
            form,
            person=person,
            page={"change": self.url("change", person.pk)},
        )

    def _act(
        self, request: HttpRequest, person: Person, act: str, title: str, form: forms.Form, done: Done
    ) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, done(form.cleaned_data))
                return HttpResponseRedirect(self.url("change", person.pk))
            except Refused as error:
                form.add_error(None, str(error))
        return self.form_page(
            request, f"people_{act}", title, form, person=person, page={"change": self.url("change", person.pk)}
        )

    def _found(self, request: HttpRequest, object_id: str) -> Person:
        person: Person | None = self.get_object(request, object_id)
        if not self.has_view_permission(request, person):
            raise PermissionDenied
        if person is None:
            raise Http404
        return person

    def _changeable(self, request: HttpRequest, object_id: str) -> Person:
        person = self._found(request, object_id)
        if not self.has_change_permission(request, person) or person.merged_into is not None:
            raise PermissionDenied
        return person


def _coverage(person: Person) -> list[dict[str, Any]]:
    rows = Covered.objects.filter(person=person).order_by("rank", "pk")
    return [
        {
            "state": markup.state(LOOKS[Covered.State(row.state)], row.get_state_display()),
            "kind": row.get_kind_display(),
            "reason": row.reason,
            "since": row.since,
        }
        for row in rows
    ]


def team_of(membership: Membership) -> SafeString:
    name = membership.team.name
    return markup.claim(name) if membership.basis == "telemetry" else markup.visible(name)


_WORDS = {
    "merged": "merged",
    "split": "split",
    "mapped": "given a name",
    "unmapped": "a name set aside",
    "renamed": "renamed",
    "imported": "changed by an imported list",
    "placed": "placed in a team",
    "unplaced": "taken out of a team",
}


def _history(person: Person) -> list[dict[str, Any]]:
    rows = changes.about(person).select_related("person").order_by("-pk")[:100]
    others = Person.objects.in_bulk([each.detail["other"] for each in rows if each.detail.get("other")])
    return [
        {
            "pk": each.pk,
            "at": each.at,
            "by": each.by,
            "act": _WORDS.get(each.act, each.act),
            "other": _other(each, person, others) if each.detail.get("other") else "",
            "reason": each.detail.get("reason", ""),
            "undone_by": each.detail.get("undone_by", ""),
            "undoable": each.person_id == person.pk and changes.is_undoable(each),
        }
        for each in rows
    ]


def _other(change: PersonChange, person: Person, others: dict[int, Person]) -> SafeString:
    number = change.detail["other"]
    other = change.person if change.person_id != person.pk else others.get(number)
    return person_link(other) if other else format_html('<span class="faint">#{}, not there any more</span>', number)


def _usage(person: Person) -> Iterable[Any]:
    """What each feed says of the last days. Feeds say the same again, so nothing is summed up over them."""
    since = today() - dt.timedelta(days=USAGE_DAYS - 1)
    rows = UsageDay.objects.filter(identity__person=person, day__gte=since)
    return (
        rows.values("connection__name", "endpoint", "agent")
        .annotate(days=Count("day", distinct=True), last=Max("day"), **{n: Sum(n) for n in ("sessions", "commits")})
        .annotate(cost=Sum("cost_reported"))
        .order_by("connection__name", "endpoint", "agent")
    )
