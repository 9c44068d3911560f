"""Lists whose rows are made and changed by acts, each on a page with a form of its own; nothing is edited in place."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.admin.helpers import AdminForm
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from audit.listing import markup
from audit.listing.readonly import ListingAdmin


class ActingAdmin(ListingAdmin):
    """`templates` is the folder of its pages."""

    actions = None
    templates = ""

    def url(self, page: str, *keys: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=keys)

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        return TemplateResponse(
            request,
            f"{self.templates}/{template}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "list_title": self.list_title,
                "list_url": self.url("changelist"),
                "title": title,
                **context,
            },
        )

    def form_page(
        self, request: HttpRequest, template: str, title: str, form: forms.Form, **context: Any
    ) -> TemplateResponse:
        """A form in the admin's own dress, with the places that need a change named on top."""
        fieldsets: Any = ((None, {"fields": [field.name for field in form.visible_fields()]}),)
        drawn = AdminForm(form, fieldsets, {}, model_admin=self)  # type: ignore[arg-type] # any form has what it draws
        wrong = [field for field in form.visible_fields() if field.errors]
        return self.page(request, template, title, form=form, fieldsets=drawn, wrong=wrong, **context)


def facts(told: Mapping[str, Any]) -> list[tuple[str, SafeString]]:
    """Pairs for a list of facts, without those that say nothing; texts as they may be shown."""
    said = ((name, value) for name, value in told.items() if value not in (None, "", []))
    return [(name, value if isinstance(value, SafeString) else markup.visible(value)) for name, value in said]
