"""The page that makes a Collector's configuration. It holds no secret, so that its choices are in the address."""

import re

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connectors import snippets
from connectors.admin.linter import drawn
from connectors.snippets import collector

SIGNALS = {"both": ("logs", "metrics"), "metrics": ("metrics",), "logs": ("logs",)}
_EXAMPLES = "awsemf, googlecloud, azuremonitor, opensearch, datadog, prometheusremotewrite"


class CollectorForm(forms.Form):
    signals = forms.ChoiceField(
        choices=[("both", "events and counts"), ("metrics", "counts only"), ("logs", "events only")],
        help_text="What the pipelines pass on; the token has to allow it.",
    )
    encoding = forms.ChoiceField(choices=[("proto", "protobuf"), ("json", "JSON")])
    existing = forms.CharField(
        label="Exporters there already",
        required=False,
        max_length=600,
        help_text=f"They stay in the pipelines, side by side with this one. Such as {_EXAMPLES}.",
    )
    old_name = forms.BooleanField(
        label="The Collector knows only the name otlphttp",
        required=False,
        help_text="It is called otlp_http now; the old name is an alias that is to go.",
    )
    cloud = forms.ChoiceField(
        label="Behind a proxy in", required=False,
        choices=[("", "no cloud"), *((each.slug, each.title) for each in collector.CLOUDS)],
    )  # fmt: skip

    def clean_existing(self) -> list[str]:
        names = [each for each in re.split(r"[\s,]+", self.cleaned_data["existing"]) if each]
        if wrong := [each for each in names if not collector.COMPONENT.fullmatch(each)]:
            raise forms.ValidationError(f"{wrong[0][:60]} is no exporter's name, such as awsemf or otlp_http/other.")
        return list(dict.fromkeys(names))


def view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("connectors.view_ingesttoken"):
        raise PermissionDenied
    form = CollectorForm(request.GET or {"signals": "both", "encoding": "proto"})
    text, cloud = "", None
    if form.is_valid():
        chosen = form.cleaned_data
        text = collector.config(
            settings.OTLP_PUBLIC_URL,
            encoding=chosen["encoding"],
            signals=SIGNALS[chosen["signals"]],
            existing=chosen["existing"],
            old_name=chosen["old_name"],
        )
        cloud = next((each for each in collector.CLOUDS if each.slug == chosen["cloud"]), None)
    context = {
        **admin.site.each_context(request),
        "title": "Through a Collector",
        "fieldsets": drawn(form, ("signals", "encoding", "existing", "old_name", "cloud")),
        "config": snippets.Artefact("collector", "Collector", text, "agent-governance.yaml") if text else None,
        "cloud": cloud,
        "proxy": snippets.Artefact("proxy", "Environment", collector.proxy(cloud), "collector.env") if cloud else None,
        "variable": collector.VARIABLE,
        "local_only": snippets.is_local(settings.OTLP_PUBLIC_URL),
    }
    return TemplateResponse(request, "admin/connectors/collector.html", context)
