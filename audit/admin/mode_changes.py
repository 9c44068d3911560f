"""Mode changes: who switched to a more permissive mode, when, and how."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from audit import search
from audit.admin import asking, facets
from audit.admin.base import Column, column
from audit.admin.events import HAPPENED, RECEIVED, EventPages, people
from audit.admin.rights import Rights
from audit.listing import markup
from audit.models import Event, ModeChange
from audit.vocabulary import Kind


@admin.register(ModeChange)
class ModeChangeAdmin(EventPages):
    bar = asking.EVENTS
    list_filter = (facets.TIME, facets.MODE, facets.TEAM, facets.REPOSITORY, facets.AGENT)
    list_plain = ("change", "person")
    list_lede = "a session’s starting mode leaves no record"
    examples = (
        ("mode:bypass", "Who switched to asking nobody"),
        ("mode:acceptEdits after:-7d", "Who let edits through without being asked"),
        ("mode:auto", "Who let a classifier decide"),
        ("team:payments", "What one team switched to"),
        ("has:gap", "Changes in sessions where records are missing"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return search.events(kind=Kind.MODE_CHANGE)

    def columns(self, rights: Rights) -> list[Column]:
        return [
            RECEIVED,
            HAPPENED,
            column("change", "change", _change),
            column("trigger", "trigger", lambda event: markup.visible(event.trigger or "not named")),
            *people(rights),
        ]


def _change(event: Event) -> str:
    return format_html("{} → {}", markup.mode(event.from_mode), markup.mode(event.to_mode))
