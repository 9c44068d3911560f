"""The leaked-token path: paste what was found, the token is revoked at once, and all its uses are shown.

The secret is in the POST alone: no page, message, address, act or log has it.
"""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.dateparse import parse_date
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from audit import acts
from audit.admin import recording
from connectors import books, scopes, tokens
from connectors.admin import token_page
from connectors.models import ApiToken, IngestToken, Token
from connectors.tokens import leaks, receipts

MODELS = {scopes.INGEST: IngestToken, scopes.API: ApiToken}


class LeakForm(forms.Form):
    """A secret, or the number of a token. What was typed as a secret is never written back into the page."""

    required_css_class = "required"
    secret = forms.CharField(
        label="What was found",
        required=False,
        max_length=10_000,
        widget=forms.PasswordInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text="The token, or the line it stands in. It is looked up by its digest and kept nowhere.",
    )
    number = forms.IntegerField(
        label="Or the token’s number",
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        widget=forms.NumberInput({"class": "vIntegerField"}),
        help_text="As in the address of its page.",
    )
    where = forms.CharField(
        label="Where it was found",
        required=False,
        max_length=500,
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
        help_text="Kept with the token and in the ledger, for whoever asks later. Without the token itself.",
    )
    successor = forms.BooleanField(
        label="Issue its successor now",
        required=False,
        help_text="For the same use. It is shown once, on the next page.",
    )

    token: Token

    @sensitive_variables("text")
    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        text, number = data.pop("secret", ""), data.get("number")
        if bool(text) == bool(number):
            raise ValidationError("Paste what was found, or give the token’s number: one of the two.")
        try:
            self.token = leaks.find(text) if text else Token.objects.get(pk=number or 0)
        except tokens.TokenError as error:
            self.add_error("secret", str(error))
        except Token.DoesNotExist:
            self.add_error("number", "There is no token of this number.")
        return data

    def clean_where(self) -> str:
        where = str(self.cleaned_data["where"])
        if tokens.spelling.PATTERN.search(where):
            raise ValidationError("Leave the token itself out of it: this text is kept.")
        return where


class LeakAdmin:
    """The pages of leaked tokens. For an admin of tokens, whose page, address and form helpers it uses."""

    leak_words = "Leaked?"
    admin_site: Any
    kind: str
    url: Any
    log_change: Any
    log_addition: Any
    has_change_permission: Any
    _found: Any
    _page: Any
    _form_page: Any
    _issued: Any
    _may_rotate: Any
    _of_kind: Any

    @method_decorator(sensitive_post_parameters("secret"))
    def leaked_view(self, request: HttpRequest) -> HttpResponse:
        """Asks which token it is. The one that is found may be of the other kind."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = LeakForm(request.POST or None, initial={"number": request.GET.get("token")})
        if request.method == "POST" and form.is_valid():
            owner = self.admin_site.get_model_admin(MODELS[form.token.kind])
            answer: HttpResponse = owner.leaked(request, form)
            return answer
        fieldsets = (("Which token", {"fields": ("secret", "number")}), (None, {"fields": ("where", "successor")}))
        page: HttpResponse = self._form_page(request, "leaked", None, form, fieldsets, title="A token was leaked")
        page["Cache-Control"] = "no-store"
        return page

    @sensitive_variables("issued", "secret")
    def leaked(self, request: HttpRequest, form: LeakForm) -> HttpResponse:
        """Ends the token that the form names; to its uses, or to the page that shows its successor."""
        token, data, by = form.token, form.cleaned_data, acts.person(request.user)
        if not self.has_change_permission(request, token):
            raise PermissionDenied
        if data["successor"] and not self._may_rotate(request, token):
            raise PermissionDenied
        wanted = data["successor"] and token.works and token.valid_until is None
        revoked, issued = leaks.end(token, data["where"], by=by, successor=wanted)
        self.log_change(request, self._of_kind(token), f"Revoked: {revoked.revoke_reason}")
        if receipt := receipts.of(revoked):
            receipts.settle(receipt, receipts.PATIENCE)
        report = self.url("leak", revoked)
        if issued is None:
            messages.success(request, f"{revoked} is revoked. Below stands what it was used for.")
            return HttpResponseRedirect(report)
        new, secret = issued
        told = '{} is revoked; see <a href="{}">what it was used for</a>. This is its successor.'
        messages.success(request, format_html(told, revoked, report))
        self.log_addition(request, self._of_kind(new), f"Issued in place of {revoked}.")
        answer: HttpResponse = self._issued(request, new, secret)
        return answer

    def leak_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        """All uses of a token since a day: addresses, installations, sessions."""
        token: Token = self._found(request, token_id)
        if not self.has_change_permission(request, token):
            raise PermissionDenied
        since = _day(request.GET.get("since", "")) or token.created_at
        context: dict[str, Any] = {"since": since, "since_day": since.date().isoformat(), "most": leaks.MOST}
        if token.kind == scopes.INGEST:
            recording.viewed(request, token_page.SHOWN_ON, str(token.pk), part="uses")
            context |= {
                "uses": leaks.uses(token, since),
                "booked": books.kept().addresses(token.pk, since),
                "may_open": request.user.has_perm("audit.view_session"),
                **token_page.of_ingestion(request, token),
            }
        title = f"Uses of {token.name}"
        page: HttpResponse = self._page(request, "leak", token, title=title, receipt=receipts.of(token), **context)
        return page


def _day(text: str) -> dt.datetime | None:
    """Midnight of a day, UTC; None if there is none in the text."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) if day else None
