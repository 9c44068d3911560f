"""The forms of issuing, rotating and revoking. What they check is what `connectors.tokens` checks, field by field."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit import acts
from audit.listing import names
from audit.vocabulary import Agent
from connectors import addresses, scopes, tokens
from connectors.admin.widgets import Choices
from connectors.models import NAME_LENGTH, Canary, Source, Token

LIVES = {30: "in 30 days", 90: "in 90 days", 180: "in 180 days", 365: "in a year"}
USUAL_LIFE = 90
OVERLAPS = {
    0: "none: the old one stops now",
    3600: "an hour",
    86400: "a day",
    3 * 86400: "three days",
    7 * 86400: "a week",
}
AGENTS = [("", "what the telemetry says"), *((agent.value, agent.value) for agent in Agent if agent != Agent.PORTAL)]

SIGNAL_CHOICES = [("all", "logs and metrics"), ("logs", "logs only"), ("metrics", "metrics only: counts, no events")]
CONTENT_CHOICES = [("keep", "keep it, for those who may see it"), ("drop", "drop it")]

SCOPE_PERMISSIONS = {
    "events:read": ("audit.view_event",),
    "content:read": ("audit.view_content",),
    "identity:read": ("audit.view_subject",),
    "export:read": ("audit.view_event",),
    "tokens:read": ("connectors.view_ingesttoken",),
    "tokens:write": ("connectors.add_ingesttoken", "connectors.change_ingesttoken"),
    "connectors:read": ("connectors.view_connection",),
    "usage:read": ("connectors.view_source",),
    "ledger:read": (),
}
"""What a person must be allowed, to hand it on to an API token: nobody issues a token mightier than themselves."""


def may_grant(user: Any, scope: str) -> bool:
    return all(user.has_perm(permission) for permission in SCOPE_PERMISSIONS.get(scope, ()))


def _checked(check: Callable[[], Any]) -> None:
    try:
        check()
    except (tokens.TokenError, addresses.NotANetwork) as error:
        raise ValidationError(str(error)) from error


class OnceForm(forms.Form):
    """A form that issues one token however often it is sent: its key goes with the token."""

    form_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    required_css_class = "required"

    def issued(self) -> Token | None:
        """The token that this form has issued already."""
        try:
            return Token.objects.filter(form_key=UUID(self.data.get("form_key", ""))).first()
        except ValueError:
            return None


class IssueForm(OnceForm):
    """What both kinds of token are asked for."""

    kind = ""
    fieldsets: tuple[tuple[str, dict[str, Any]], ...] = ()
    name = forms.CharField(
        label="Purpose", max_length=NAME_LENGTH, widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"})
    )
    scopes = forms.MultipleChoiceField()
    networks = forms.CharField(
        label="Allowed networks",
        required=False,
        widget=forms.TextInput({"class": "vTextField mono", "autocomplete": "off", "spellcheck": "false"}),
        help_text="CIDR, separated by commas. Empty: from anywhere.",
    )
    life = forms.TypedChoiceField(label="Expires", coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["scopes"].choices = self.grantable()  # type: ignore[attr-defined]
        self.fields["life"].choices = [*self._lives(), ("", "never")]  # type: ignore[attr-defined]
        self.fields["life"].initial = USUAL_LIFE

    def grantable(self) -> list[tuple[str, str]]:
        offered = [scope for scope in scopes.SCOPES[self.kind] if may_grant(self.user, scope)]
        return [(scope, scopes.meaning(self.kind, scope)) for scope in offered]

    @staticmethod
    def _lives() -> list[tuple[str, str]]:
        today = timezone.now()
        days = {life: today + dt.timedelta(days=life) for life in LIVES}
        return [(str(life), f"{words}, {days[life].day} {days[life]:%B %Y}") for life, words in LIVES.items()]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        _checked(lambda: tokens.check_name(name))
        return name

    def clean_networks(self) -> list[str]:
        networks = re.split(r"[\s,;]+", self.cleaned_data["networks"].strip(" ,;"))
        found = [each for each in networks if each]
        _checked(lambda: [addresses.network(each) for each in found])
        return found

    def issue(self, by: acts.Who) -> tuple[Token, str]:
        """Raises tokens.AlreadyIssued if this form has issued before."""
        data, life = self.cleaned_data, self.cleaned_data["life"]
        return tokens.issue(
            self.kind,
            data["name"],
            by=by,
            scopes=data["scopes"],
            networks=data["networks"],
            expires_at=timezone.now() + dt.timedelta(days=life) if life else None,
            form_key=data["form_key"],
            **self.options(),
        )

    def options(self) -> dict[str, Any]:
        return {}


class IngestTokenForm(IssueForm):
    kind = scopes.INGEST
    source = forms.ModelChoiceField(
        Source.objects.none(),
        required=False,
        empty_label="a new one, named like the token",
        help_text="Events name their source. A source may have several tokens.",
    )
    team = forms.CharField(
        max_length=NAME_LENGTH,
        validators=[names.check],
        required=False,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text="Of a new source. A team named inside the telemetry is only a claim.",
    )
    environment = forms.CharField(
        max_length=NAME_LENGTH,
        validators=[names.check],
        required=False,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text="Such as laptops, CI, production.",
    )
    agent = forms.ChoiceField(
        choices=AGENTS, required=False, help_text="For telemetry that does not say which agent it is from."
    )
    content = forms.ChoiceField(
        choices=CONTENT_CHOICES,
        required=False,
        help_text="Prompts, commands, tool input and the like. Dropped content is never stored. Of a new source.",
    )
    records_per_minute = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="More than that is turned away for a moment, and the client sends it again. Empty: no limit.",
    )
    fieldsets = (
        ("What it is for", {"fields": ("name", "source", "team")}),
        ("What it may do", {"fields": ("scopes", "networks", "life")}),
        ("More about a new source", {"fields": ("environment", "agent", "content"), "classes": ("collapse",)}),
        ("Limits", {"fields": ("records_per_minute",), "classes": ("collapse",)}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = "Shown in lists and with every event. Name the hosts, not a person."
        self.fields["scopes"].label = "Signals"
        self.fields["scopes"].widget = Choices("Signals", self.grantable())
        self.fields["scopes"].initial = ["logs", "metrics"]
        open_to_all = Source.objects.filter(archived_at=None).exclude(pk__in=Canary.objects.values("token__source"))
        self.fields["source"].queryset = open_to_all.order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        source, name = data.get("source"), data.get("name", "")
        if source is None and Source.objects.filter(name__iexact=name).exists():
            self.add_error("name", "There is a source of this name. Choose it under Source, or take another name.")
        if source is not None:
            for field in ("team", "environment", "agent"):
                if data.get(field):
                    self.add_error(field, f"{source} has its own: change it there, or leave this empty.")
            if data.get("content") == "drop" and source.content != "drop":
                self.add_error("content", f"{source} keeps content: change it there.")
        return data

    def options(self) -> dict[str, Any]:
        data = self.cleaned_data
        about = {field: data[field] for field in ("team", "environment", "agent")}
        about["content"] = data["content"] or "keep"
        source = data["source"] or Source(name=data["name"], **about)
        return {"source": source, "records_per_minute": data["records_per_minute"]}


class ApiTokenForm(IssueForm):
    kind = scopes.API
    fieldsets = (
        ("What it is for", {"fields": ("name",)}),
        ("What it may do", {"fields": ("scopes", "networks", "life")}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = "Shown in lists. Name the program that reads, such as its SIEM."
        self.fields["scopes"].widget = Choices("Scopes", self.grantable())
        if missing := [scope for scope in scopes.API_SCOPES if not may_grant(self.user, scope)]:
            self.fields[
                "scopes"
            ].help_text = f"You can hand on only what you may do yourself. Not offered: {', '.join(missing)}."


class RotateForm(OnceForm):
    overlap = forms.TypedChoiceField(
        label="Both work for",
        coerce=int,
        choices=[(str(seconds), words) for seconds, words in OVERLAPS.items()],
        initial=str(int(tokens.USUAL_OVERLAP.total_seconds())),
        help_text="The time to put the new token where the old one is.",
    )


def reason(kept_with: str) -> forms.CharField:
    """Why something is done that cannot be undone; required."""
    return forms.CharField(
        max_length=500,
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
        help_text=f"Kept with {kept_with}, for whoever asks later.",
        error_messages={"required": f"Say why: the reason is kept with {kept_with}."},
    )


class RevokeForm(forms.Form):
    required_css_class = "required"
    reason = reason("the token")
    confirm = forms.CharField(
        label="Its last four characters",
        max_length=64,
        widget=forms.TextInput({"class": "vTextField mono", "autocomplete": "off", "spellcheck": "false"}),
        help_text="Typed, so that it is this token and no other that is revoked. Its beginning will do as well.",
    )

    def __init__(self, *args: Any, token: Token, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.token = token

    def clean_confirm(self) -> str:
        typed = str(self.cleaned_data["confirm"]).strip()
        if typed not in (self.token.last_four, self.token.prefix):
            raise ValidationError(f"This is another token: it begins with {self.token.prefix}. Look at how it ends.")
        return typed
