"""The forms that ask for an evidence pack: why, how much of it is disclosed, and, for a range, from where to where."""

import datetime as dt
from typing import Any, cast

import psycopg
from django import forms
from django.db import connection

from audit import reasons
from audit.admin.rights import Rights
from audit.exceptions import AuditError
from audit.models import EvidencePack, packs
from audit.packs import making, scope

LONGEST_REASON = 1000
_NUMBER = {"class": "vTextField mono", "inputmode": "numeric", "autocomplete": "off"}
_TIME = {"type": "datetime-local", "step": "1", "class": "vTextField"}
_AS_TYPED = "%Y-%m-%dT%H:%M:%S"


class PackForm(forms.Form):
    """What every pack is asked for. Nobody discloses what they may not see themselves: there is no box to tick."""

    required_css_class = "required"
    reason = forms.CharField(
        min_length=reasons.SHORTEST,
        max_length=LONGEST_REASON,
        widget=forms.Textarea({"rows": 3, "class": "vLargeTextField"}),
        help_text="Recorded in the ledger and written into the pack: a case number, who asked you, what for.",
        error_messages={
            "required": "Say why: the reason is recorded.",
            "min_length": f"Say why in at least {reasons.SHORTEST} characters, so that it is understood later.",
        },
    )
    with_content = forms.BooleanField(
        label="With content",
        required=False,
        help_text="Prompts, commands, tool input. Without it they are left as commitments, and the proofs hold.",
    )
    with_identity = forms.BooleanField(
        label="With identities",
        required=False,
        help_text="E-mail, account, host, as claimed. Without it they are left as commitments, and the proofs hold.",
    )

    def __init__(self, *args: Any, rights: Rights, pack: EvidencePack | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pack = pack
        for field, held in (("with_content", rights.content), ("with_identity", rights.identity)):
            if not held:
                del self.fields[field]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.pack is not None and not self.errors:
            try:
                self.pack.total = making.check(_database(), self.pack)
            except AuditError as error:
                raise forms.ValidationError(str(error)) from error
        return data

    def asked(self, by: str, at: dt.datetime) -> EvidencePack:
        """The pack as it was asked for, not saved yet."""
        assert self.pack is not None
        data = self.cleaned_data
        self.pack.reason, self.pack.asked_by, self.pack.asked_at = data["reason"], by, at
        self.pack.with_content = data.get("with_content", False)
        self.pack.with_identity = data.get("with_identity", False)
        return self.pack

    @property
    def fieldsets(self) -> list[tuple[str, dict[str, Any]]]:
        disclosed = [name for name in ("with_content", "with_identity") if name in self.fields]
        shown: list[tuple[str, dict[str, Any]]] = [("Why", {"fields": ("reason",)})]
        return [*shown, ("What it discloses besides the facts", {"fields": disclosed})] if disclosed else shown


class RangeForm(PackForm):
    """A range is named by its numbers, or by when it was received."""

    first = forms.IntegerField(label="From number", required=False, min_value=0, widget=forms.TextInput(_NUMBER))
    last = forms.IntegerField(label="To number", required=False, min_value=0, widget=forms.TextInput(_NUMBER))
    begin = forms.DateTimeField(
        label="Received from", required=False, widget=forms.DateTimeInput(_TIME, format=_AS_TYPED)
    )
    end = forms.DateTimeField(
        label="Received before",
        required=False,
        widget=forms.DateTimeInput(_TIME, format=_AS_TYPED),
        help_text="In UTC. The pack covers every number from the first to the last that was received in that time.",
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        numbers, times = (data.get("first"), data.get("last")), (data.get("begin"), data.get("end"))
        if not self.errors:
            self.pack = packs.of_range(*self._numbers(numbers, times))
        return super().clean()

    @staticmethod
    def _numbers(numbers: tuple[Any, Any], times: tuple[Any, Any]) -> tuple[int, int]:
        if (None in numbers) is (None in times) or numbers.count(None) == 1 or times.count(None) == 1:
            raise forms.ValidationError(
                "Name a first and a last number, or a beginning and an end in time: one of both."
            )
        if None not in numbers:
            if numbers[0] > numbers[1]:
                raise forms.ValidationError("The first number is above the last.")
            return numbers
        if times[0] >= times[1]:
            raise forms.ValidationError("The time ends before it begins.")
        with psycopg.Cursor(_database()) as cursor:
            found = scope.received_between(cursor, *times)
        if found is None:
            raise forms.ValidationError(
                "Nothing that was received in that time has a number under a signed checkpoint."
            )
        return found

    @property
    def fieldsets(self) -> list[tuple[str, dict[str, Any]]]:
        which = [("By number", {"fields": ("first", "last")}), ("Or by time of receipt", {"fields": ("begin", "end")})]
        return [*which, *super().fieldsets]


def _database() -> psycopg.Connection:
    connection.ensure_connection()
    return cast(psycopg.Connection, connection.connection)
