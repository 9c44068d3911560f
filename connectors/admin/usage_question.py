"""What the usage page is asked: days and filters, from the address."""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from connectors.models import Membership, Team
from connectors.usage import choices, feeds, naming
from connectors.usage.believing import NO_TEAM, Question

USUAL_DAYS, MOST_DAYS = 30, 366
PRESETS = (7, 30, 90)
LONGEST_CHOICE = 200


class QuestionForm(forms.Form):
    """Everything may be left out."""

    first = forms.DateField(required=False, label="From", widget=forms.DateInput({"type": "date"}))
    last = forms.DateField(required=False, label="To (UTC)", widget=forms.DateInput({"type": "date"}))
    team = forms.ChoiceField(required=False)
    person = forms.CharField(required=False, max_length=256)
    agent = forms.ChoiceField(required=False)
    model = forms.ChoiceField(required=False)
    feed = forms.ChoiceField(required=False, label="Feed")

    def __init__(self, data: QueryDict, *, named: bool) -> None:
        asked = data.copy()
        if not data.get("first") and not data.get("last"):
            asked["first"], asked["last"] = map(str, days(None, None))
        super().__init__(asked)
        self.named = named
        since = timezone.now().date() - dt.timedelta(days=MOST_DAYS)
        told = choices.models(since)
        agents, models = ({each[at] for each in told} for at in (0, 1))
        self.fields["agent"].choices = _choices("any agent", agents)  # type: ignore[attr-defined]
        self.fields["model"].choices = _choices("any model", models)  # type: ignore[attr-defined]
        self.fields["team"].choices = _choices("any team", _teams(since), (NO_TEAM, "no team"))  # type: ignore[attr-defined]
        self.fields["feed"].choices = [("", "what is believed"), *feeds.titles().items()]  # type: ignore[attr-defined]
        if not named:
            self.fields["person"].help_text = "As person-7 or identity-12."

    def clean_person(self) -> str:
        """A pseudonym; a name only from who may see names, or the answer would tell whose it is."""
        text = str(self.cleaned_data["person"]).strip()
        if not text or naming.split(text)[0]:
            return text
        found = naming.find(text) if self.named else ""
        if not found:
            raise forms.ValidationError("Nobody of that name reported usage.")
        return found

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        first, last = days(found.get("first"), found.get("last"))
        if last < first:
            self.add_error("last", f"That is before {first}.")
        elif (last - first).days >= MOST_DAYS:
            self.add_error("first", f"At most {MOST_DAYS} days at once.")
        return found

    def question(self) -> Question:
        """What was asked; the last days, unnarrowed, if it could not be understood."""
        asked = self.cleaned_data if self.is_valid() else {}
        first, last = days(asked.get("first"), asked.get("last"))
        return Question(
            first,
            last,
            team=asked.get("team", ""),
            person=asked.get("person", ""),
            agent=asked.get("agent", ""),
            model=asked.get("model", ""),
            feed=feeds.named(asked.get("feed", "")),
        )


def days(first: dt.date | None, last: dt.date | None) -> tuple[dt.date, dt.date]:
    """Up to today, and as many days as usual, unless others are given."""
    last = last or max(timezone.now().date(), first or dt.date.min)
    return first or last - dt.timedelta(days=min(USUAL_DAYS - 1, (last - dt.date.min).days)), last


def address(request: HttpRequest, **changes: Any) -> str:
    """The query string of this page with some of it changed; None leaves a part out."""
    kept = {name: request.GET.get(name, "") for name in QuestionForm.base_fields} | changes
    return "?" + urlencode({name: value for name, value in kept.items() if value not in (None, "")})


def _teams(since: dt.date) -> Iterable[str]:
    mapped = Team.objects.filter(pk__in=Membership.objects.values("team")).values_list("name", flat=True)
    return {*choices.teams(since), *mapped}


def _choices(anything: str, values: Iterable[str], *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [("", anything), *((value, value) for value in sorted(filter(None, values))[:LONGEST_CHOICE]), *more]
