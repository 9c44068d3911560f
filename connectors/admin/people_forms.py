"""The forms of people: merged, split, renamed, placed in a team; a name given to somebody."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from audit.admin.privacy.pages import ReasonField
from audit.listing import names
from audit.listing.markup import visible_plain
from connectors.models import Identity, Person, Team
from connectors.people.names import is_address, spelled


class WhoField(forms.CharField):
    """A person, by the address they are known by, one of their names, or their number (#17)."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            max_length=320,
            widget=forms.TextInput({"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
            **more,
        )

    def clean(self, value: Any) -> Person | None:
        text = str(super().clean(value) or "").strip()
        return found(text) if text else None


def found(text: str) -> Person:
    """Raises ValidationError, in words."""
    if text.startswith("#") and text[1:].isascii() and text[1:].isdecimal() and len(text) < 19:
        person = Person.objects.filter(pk=int(text[1:]), merged_into=None).first()
    else:
        spellings = {text, spelled(Identity.Kind.EMAIL, text)}
        owned = Identity.objects.filter(value__in=spellings, last_day=None).exclude(person=None).first()
        person = (owned and owned.person) or Person.objects.filter(email=text.lower(), merged_into=None).first()
    if person is None:
        raise ValidationError("Nobody here is called that. Give an address or account of theirs, or #number.")
    return person


class MergeForm(forms.Form):
    other = WhoField(label="Who else this is", help_text="An e-mail address or account of theirs, or #number.")
    reason = ReasonField()


class EraseForm(forms.Form):
    reason = ReasonField()
    sure = forms.BooleanField(
        label="I know that this cannot be undone",
        error_messages={"required": "Confirm it: what is erased cannot be brought back."},
    )


class RenameForm(forms.Form):
    name = forms.CharField(
        max_length=200,
        required=False,
        strip=True,
        validators=[names.check],
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
    )
    email = forms.CharField(
        label="E-mail",
        max_length=254,
        required=False,
        widget=forms.EmailInput({"class": "vTextField", "autocomplete": "off"}),
        help_text="The one to know them by. It moves no names: that is done by merging or mapping.",
    )

    def clean_email(self) -> str:
        email = spelled(Identity.Kind.EMAIL, self.cleaned_data["email"])
        if email and not is_address(email):
            raise ValidationError("That is no e-mail address.")
        return email


class Day(forms.DateField):
    def __init__(self, label: str, help_text: str) -> None:
        widget = forms.DateInput({"type": "date", "class": "vTextField"}, format="%Y-%m-%d")
        super().__init__(label=label, required=False, help_text=help_text, widget=widget)


class SplitForm(forms.Form):
    names = forms.ModelMultipleChoiceField(
        label="What is somebody else’s",
        queryset=Identity.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick what is somebody else’s."},
    )
    from_day = Day("From which day", "Empty: it never was this person’s.")
    reason = ReasonField()

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["names"]
        choices.queryset = person.identities.order_by("kind", "value")
        choices.label_from_instance = lambda each: f"{each.get_kind_display()}: {visible_plain(each.value)}"


class MapForm(forms.Form):
    TO = (
        ("person", "somebody who is known"),
        ("new", "somebody new"),
        ("nobody", "nobody: a shared or technical name"),
    )
    to = forms.ChoiceField(label="Whose it is", choices=TO, widget=forms.RadioSelect, initial="person")
    who = WhoField(label="Who", required=False, help_text="An e-mail address or account of theirs, or #number.")
    from_day = Day("From which day", "Empty: it always was. What came before stays whose it is.")
    reason = ReasonField()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("to") == "person" and "who" in data and data["who"] is None:
            raise ValidationError({"who": "Say whose it is."})
        return data


class PlaceForm(forms.Form):
    team = forms.ModelChoiceField(queryset=Team.objects.order_by("name"))
    first_day = Day("From", "Empty: always was.")
    last_day = Day("To", "The last day in it. Empty: still is.")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first_day") and data.get("last_day") and data["last_day"] < data["first_day"]:
            raise ValidationError({"last_day": "It ends before it begins."})
        return data
