"""What the pages of people and of coverage share: their dress, and that names are shown only once that is recorded."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from audit import acts, query
from audit.admin.recording import RecordedPages, asked
from audit.listing import markup
from audit.listing.pages import ActingAdmin
from audit.query import Term
from connectors.models import Identity, Person

NOBODY = mark_safe('<span class="faint">nobody’s</span>')
BASES = {
    "telemetry": "claimed by telemetry",
    "vendor": "told by a vendor",
    "imported": "from an imported list",
    "manual": "by hand",
    "shared": "shared by several",
    "erased": "erased",
}
SENT = (Identity.Kind.EMAIL, Identity.Kind.ACCOUNT_UUID, Identity.Kind.ACCOUNT_ID, Identity.Kind.INSTALL)
"""Kinds of names that sessions have."""


class NamingAdmin(RecordedPages, ActingAdmin):
    """Pages that show who somebody is. Each is recorded before it is shown, as pages of evidence are."""

    templates = "admin/connectors"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        return super().page(request, template, markup.visible_plain(title), **context)

    def _record(self, request: HttpRequest, page: str, keys: dict[str, Any]) -> None:
        name = str(self.opts.verbose_name_plural).lower().replace(" ", "-")
        shown = {"content.shown": False, "identity.shown": True}
        by = acts.person(request.user)
        sought = asked(request)
        if page == "download":
            facts = {"list": name, "format": keys["form"], **shown}
            acts.require("evidence.downloaded", by=by, facts=facts, content=sought)
        elif "object_id" in keys:
            kind = str(self.opts.verbose_name).lower().replace(" ", "-")
            facts = {"object.kind": kind, "object.id": str(keys["object_id"]), **shown}
            acts.require("evidence.viewed", by=by, facts=facts, once=acts.HOUR)
        elif page == "changelist":
            once = None if any(map(query.names_person, sought.values())) else acts.HOUR
            told = {"content": sought} if once is None else {"once": once}
            acts.require("evidence.listed", by=by, facts={"list": name, **shown}, **told)


def person_link(person: Person | None) -> SafeString:
    if person is None:
        return NOBODY
    url = reverse("admin:connectors_person_change", args=[person.pk])
    return format_html('<a href="{}">{}</a>', url, markup.visible(str(person)))


def name_of(identity: Identity) -> SafeString:
    """The name; what only telemetry says is a claim."""
    if identity.basis == "telemetry":
        return markup.claim(identity.value, "the client, which a developer can change")
    return markup.visible(identity.value)


def validity(first: Any, last: Any) -> str:
    """Days in words, both inclusive."""
    if first is None and last is None:
        return "always"
    return " ".join(filter(None, (f"from {first}" if first else "", f"to {last}" if last else "")))


def basis(word: str) -> SafeString:
    if word == "shared":
        return markup.state("warn", BASES[word])
    return format_html('<span class="quiet">{}</span>', BASES.get(word, word))


def sessions_url(site: AdminSite, request: HttpRequest, identity: Identity) -> str:
    """The sessions of a name, for those who may see them; "" for names that sessions do not have."""
    if identity.kind not in SENT or not request.user.has_perm("audit.view_session"):
        return ""
    asked_for = query.spell([Term("person", identity.value)])
    return f"{reverse(f'{site.name}:audit_session_changelist')}?{urlencode({'q': asked_for})}"


def today() -> dt.date:
    return timezone.now().astimezone(dt.UTC).date()


def days(values: Sequence[Any]) -> str:
    """The newest of some days, in words."""
    known = [value for value in values if value]
    return str(max(known)) if known else ""
