"""The page that looks over pasted settings. What is pasted is in no answer, log or row: the box comes back empty."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from connectors import linter, tokens
from connectors.models import ENDED, IngestToken, Token

KINDS = {
    linter.WRONG: ("bad", "Wrong"),
    linter.MISSING: ("bad", "Missing"),
    linter.IGNORED: ("warn", "Ignored"),
    linter.ADVISED: ("warn", "Advised"),
    linter.DOUBT: ("warn", "Look again"),
    linter.NOTE: ("off", "Note"),
}


class LinterForm(forms.Form):
    text = forms.CharField(
        label="Settings",
        strip=False,
        required=False,
        max_length=64 << 10,
        help_text="settings.json or managed settings, a shell's lines, or a Collector's YAML.",
        widget=forms.Textarea(
            {"rows": 16, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off", "class": "code"}
        ),
    )
    place = forms.CharField(
        label="Where they are",
        required=False,
        max_length=300,
        help_text="The file's path, or “console” for the one of claude.ai. It decides what is read of them.",
    )


@sensitive_post_parameters("text")
@sensitive_variables("text", "form")
def view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("connectors.view_ingesttoken"):
        raise PermissionDenied
    form = LinterForm(request.POST or None)
    remarks = None
    if request.method == "POST" and form.is_valid() and form.cleaned_data["text"].strip():
        remarks = _remarks(form.cleaned_data["text"], form.cleaned_data["place"])
    place = form.cleaned_data.get("place", "") if form.is_bound else ""
    context = {
        **admin.site.each_context(request),
        "title": "Check settings",
        "fieldsets": drawn(LinterForm(initial={"place": place}), ("text", "place")),
        "errors": form.errors if form.is_bound else {},
        "was_empty": request.method == "POST" and remarks is None,
        "remarks": remarks,
        "wrong": remarks is not None and any(_breaks(each) for _, _, each in remarks),
    }
    response = TemplateResponse(request, "admin/connectors/linter.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _breaks(remark: linter.Remark) -> bool:
    """Whether something that was meant to arrive will not. What is ignored as a whole stands on no line."""
    return remark.kind in {linter.WRONG, linter.MISSING} or (remark.kind == linter.IGNORED and not remark.line)


def drawn(form: forms.Form, names: tuple[str, ...]) -> AdminForm:
    """A form of no model, drawn as the admin draws forms."""
    owner = admin.site.get_model_admin(IngestToken)
    return AdminForm(form, ((None, {"fields": names}),), {}, model_admin=owner)  # type: ignore[arg-type]


def _remarks(text: str, place: str) -> list[tuple[str, str, linter.Remark]]:
    found = linter.lint(text, place, linter.Here(settings.OTLP_PUBLIC_URL, known))
    return [(*KINDS[each.kind], each) for each in found]


def known(secret: str) -> linter.Known | None:
    """What the portal knows of a well-formed token, found by its digest."""
    token = Token.objects.select_related("source").filter(digest=tokens.digest(secret)).first()
    if token is None:
        return None
    source = token.source
    taken = {"logs": {"logs"}, "metrics": {"metrics"}}.get(source.signals if source else "all", {"logs", "metrics"})
    return linter.Known(
        name=token.name,
        kind=token.kind,
        ended=token.state if token.state in ENDED else "",
        signals=frozenset(token.scopes) & taken,
        drops_content=source is not None and source.content == "drop",
    )
