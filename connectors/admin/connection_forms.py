"""The forms of connections. A key is written here and shown nowhere."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString

from audit.listing import markup, names
from connectors.connections.keys import LONGEST_KEY, WrongKey, recognised
from connectors.models import NAME_LENGTH, Connection
from connectors.pulls.backfills import LONGEST_DAYS
from connectors.pulls.planning import DAY
from connectors.vendors import registry
from connectors.vendors.shape import Vendor

USUAL_BACKFILL_DAYS = 90


@dataclass(frozen=True, slots=True)
class Way:
    """One way to buy agents, and what that means for connecting. `vendor` "": there is no API to read."""

    title: str
    vendor: str
    text: str


WAYS = (
    Way(
        "Claude Enterprise",
        "anthropic_analytics",
        "Reads the Enterprise Analytics API: who uses Claude and Claude Code, skills, connectors, usage and cost, "
        "from 2026-01-01 on. Claude Code on Bedrock is not in it.",
    ),
    Way(
        "Claude Console (pay per use)",
        "anthropic_admin",
        "Reads the Admin API: Claude Code by person and day, tokens, cost, users and workspaces. Bedrock, Vertex and "
        "Foundry are not in it.",
    ),
    Way(
        "Claude Team, Pro or Max; or Claude on Bedrock, Vertex or Foundry",
        "",
        "There is no API that tells who used what. The clients send it themselves, by OpenTelemetry: issue an "
        "ingestion token and paste the settings. Nothing is known from before that.",
    ),
    Way("OpenAI", "openai", "Reads the organisation's usage and costs."),
)
"""In the words of whoever pays. Mixes are usual: make one connection for each."""


def ways() -> list[Way]:
    """Those that this version can go, with what else it has a module for."""
    named = {way.vendor for way in WAYS}
    others = (Way(each.title, slug, "") for slug, each in registry.VENDORS.items() if slug not in named)
    return [*(way for way in WAYS if not way.vendor or way.vendor in registry.VENDORS), *others]


class NameField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(
            max_length=NAME_LENGTH,
            validators=[names.check],
            widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
            help_text="Shown in lists and beside every figure, such as “Claude, engineering”.",
        )

    def clean(self, value: Any) -> str:
        name = str(super().clean(value))
        if not name.isprintable():
            raise ValidationError("The name holds a character that cannot be seen.")
        return name


def check_free(name: str, connection: Connection | None = None) -> None:
    """Raises ValidationError if another connection is called that."""
    same = Connection.objects.filter(name__iexact=name)
    if (same.exclude(pk=connection.pk) if connection else same).exists():
        raise ValidationError("There is a connection of this name already.")


class KeyForm(forms.Form):
    """A key for a vendor. It is never put back into the page, not even when something else was wrong."""

    required_css_class = "required"
    key = forms.CharField(
        max_length=LONGEST_KEY,
        widget=forms.PasswordInput({"class": "vTextField mono", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Paste the key."},
    )

    def __init__(self, *args: Any, vendor: Vendor, **options: Any) -> None:
        super().__init__(*args, **options)
        self.vendor = vendor
        self.fields["key"].help_text = SafeString(
            f"{escape(vendor.key_help)} It is checked now, kept encrypted, and never shown again."
        )

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        try:
            recognised(self.vendor, key)
        except WrongKey as wrong:
            raise ValidationError(str(wrong)) from None
        return key

    def refuse(self, why: str) -> None:
        """What the vendor or the portal says against the key, beside its field."""
        self.add_error("key", markup.visible_plain(why))


class ConnectForm(KeyForm):
    name = NameField()
    field_order = ("name", "key")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        check_free(name)
        return name


class RenameForm(forms.Form):
    required_css_class = "required"
    name = NameField()

    def __init__(self, data: Any, *, connection: Connection) -> None:
        super().__init__(data, initial={"name": connection.name})
        self.connection = connection

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        check_free(name, self.connection)
        return name


class DeleteForm(forms.Form):
    required_css_class = "required"
    sure = forms.BooleanField(
        label="I have read what goes with it",
        error_messages={"required": "Confirm that you have read it: what is deleted cannot be brought back."},
    )


class BackfillForm(forms.Form):
    required_css_class = "required"
    first_day = forms.DateField(label="From", widget=forms.DateInput({"type": "date", "class": "vDateField"}))
    last_day = forms.DateField(
        label="To", widget=forms.DateInput({"type": "date", "class": "vDateField"}), help_text="Both days by UTC."
    )
    again = forms.BooleanField(
        label="Also days that were read for good",
        required=False,
        help_text="Usually of no use: their figures change no more.",
    )

    def __init__(self, data: Any) -> None:
        yesterday = timezone.now().date() - DAY
        usual = {"first_day": yesterday - DAY * (USUAL_BACKFILL_DAYS - 1), "last_day": yesterday}
        super().__init__(data, initial=usual)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        first, last = data.get("first_day"), data.get("last_day")
        if first and last:
            self._check(first, last)
        return data

    def _check(self, first: dt.date, last: dt.date) -> None:
        if last < first:
            self.add_error("last_day", "This is before the first day.")
        elif (last - first).days >= LONGEST_DAYS:
            self.add_error("first_day", f"At most {LONGEST_DAYS} days at once. The rest can be asked for afterwards.")
        elif first > timezone.now().date():
            self.add_error("first_day", "This day has not come yet.")
