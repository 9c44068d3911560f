"""What the pages of holds, erasures and retention share."""

from typing import Any

from django import forms
from django.http import HttpRequest

from audit import pasted, reasons
from audit.listing.pages import ActingAdmin


class ReasonField(forms.CharField):
    """Why something is done. It goes into the ledger, so it names nobody who may have to be forgotten."""

    def __init__(self, label: str = "Reason") -> None:
        super().__init__(
            label=label,
            min_length=reasons.SHORTEST,
            max_length=1000,
            widget=forms.Textarea({"rows": 3, "class": "vLargeTextField"}),
            help_text="At least ten characters. Kept in the ledger: give a case number rather than a name.",
        )

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return pasted.masked(text) if isinstance(text, str) else text


class PrivacyAdmin(ActingAdmin):
    """Rows made and changed by acts with a reason, each recorded."""

    templates = "admin/audit/privacy"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
