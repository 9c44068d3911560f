"""Importing a list: the file, what it would change and what is wrong with it by line, then the change itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from audit import acts
from audit.listing import words
from connectors.admin.people import PersonAdmin
from connectors.people import importing, listing, mapping
from connectors.people.listing import BadLine

SHOWN = 200


class ListForm(forms.Form):
    """A file, or its text in the second step, which asks nobody to find the file again."""

    file = forms.FileField(
        label="CSV file",
        required=False,
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
        help_text="UTF-8 or as a spreadsheet saves it. At most 1 MiB and 20 000 lines.",
    )
    text = forms.CharField(
        label="or its text",
        required=False,
        strip=False,
        max_length=listing.LARGEST_BYTES,
        widget=forms.Textarea({"rows": 6, "class": "vLargeTextField mono", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("file"):
            if data["file"].size > listing.LARGEST_BYTES:
                raise ValidationError({"file": "The file is larger than 1 MiB. Cut it in two."})
            try:
                data["text"] = listing.decoded(data["file"].read())
            except BadLine as error:
                raise ValidationError({"file": str(error)}) from error
        if not str(data.get("text") or "").strip():
            raise ValidationError({"file": "Choose a file, or paste its text."})
        return data


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list would change: sentences with their line, the first SHOWN of them."""

    lines: int
    changes: int
    told: list[tuple[int, str]]
    kept: list[tuple[int, str]]
    faults: list[tuple[int, str]]

    @property
    def more(self) -> int:
        return max(self.changes - len(self.told), 0)


class ImportingAdmin(PersonAdmin):
    """The list of people with its import."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="connectors_person_import"), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied

        def preview(text: str, more: dict[str, Any]) -> Preview:
            listed = mapping.read(text)
            outcome = importing.preview(listed.rows)
            faults = [(fault.line, fault.told) for fault in listed.faults]
            return Preview(
                len(listed.rows), outcome.changes, outcome.told[:SHOWN], outcome.kept[:SHOWN], faults[:SHOWN]
            )

        def apply(text: str, more: dict[str, Any]) -> str:
            done = importing.apply(mapping.read(text).rows, by=acts.person(request.user), text=text)
            people = words.counted(len(done.people), "person", "people")
            return f"Imported: {words.counted(done.changes, 'change')} to {people}."

        return import_page(self, request, "people_import", "Import people", ListForm, preview, apply)


def import_page(
    admin: Any,
    request: HttpRequest,
    template: str,
    title: str,
    form_class: type[ListForm],
    preview: Callable[[str, dict[str, Any]], Preview],
    apply: Callable[[str, dict[str, Any]], str],
) -> HttpResponse:
    """First the list, then what it would do, then it is done: three steps at one address, each by POST."""
    form = form_class(request.POST, request.FILES) if request.method == "POST" else form_class()
    shown = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if "apply" in request.POST:
            messages.success(request, apply(data["text"], data))
            return HttpResponseRedirect(admin.url("changelist"))
        shown = preview(data["text"], data)
    response: HttpResponse = admin.form_page(
        request, template, title, form, shown=shown, asked=form.cleaned_data if shown else {}
    )
    return response
