"""What every page of evidence shares."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils import timezone

from audit import query
from audit.admin import rights
from audit.admin.asking import Grammar
from audit.admin.changelist import EvidenceChangeList
from audit.admin.recording import RecordedPages
from audit.admin.rights import Rights
from audit.listing import words
from audit.listing.changelist import KeysetChangeList
from audit.listing.export import Column as Downloaded
from audit.listing.readonly import ReadOnlyAdmin
from audit.models import Session

Column = Callable[[Any], str]

GRAMMAR_TOLD = "Words narrow, in any order. A value with a space goes in quotes. -decision:accept means “not”."


def column(description: str, name: str, show: Callable[[Any], Any]) -> Column:
    """A column of a list: what stands above it, what it is called in markup, and what a row has there."""

    @admin.display(description=description)
    def cell(row: Any) -> str:
        return show(row)  # type: ignore[no-any-return]

    cell.__name__ = name
    return cell


class EvidenceAdmin(RecordedPages, ReadOnlyAdmin):
    """A list of evidence, and pages of its rows. Nothing to add, change or delete, so no addresses for that either.
    What is shown is recorded first (`RecordedPages`).

    columns(rights)     what the list shows to someone with these rights, as made by `column`
    downloaded(rights)  what they may download
    bar                 what the query bar understands
    """

    download_permission = "audit.export_evidence"
    search_fields = ("pk",)  # the bar is shown; what it finds is decided by the grammar
    search_label = "Query"
    bar: Grammar
    grammar = GRAMMAR_TOLD
    _without = ("_add", "_history", "_delete")

    def columns(self, rights: Rights) -> list[Column]:
        raise NotImplementedError

    def downloaded(self, rights: Rights) -> list[Downloaded]:
        raise NotImplementedError

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EvidenceChangeList]:
        return EvidenceChangeList

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return queryset, False

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        return [*self.columns(rights.of(request))]

    def download_columns(self, request: HttpRequest) -> list[Downloaded]:
        return self.downloaded(rights.of(request))

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if not str(url.name or "").endswith(self._without)]

    def evidence_told(self, request: HttpRequest, cl: KeysetChangeList) -> str:
        """Whether gaps are known in the time that was asked about: silence must not be read as innocence."""
        assert isinstance(cl, EvidenceChangeList)
        now = timezone.now()
        reported = Session.objects.all()
        for name, lookup in (("after", "last_at__gte"), ("before", "first_at__lt")):
            for value in cl.asked.query.values(name):
                reported = reported.filter(**{lookup: query.moment(value, now)})
        sessions = reported.count()
        if not sessions:
            return "No session reported in that time at all: silence, not proof."
        known = reported.filter(missing__gt=0)
        missing = known.aggregate(sum=Sum("missing"))["sum"]
        told = f"{words.counted(sessions, 'session')} reported in that time"
        pending = reported.exclude(unjudged=[]).count()
        yet = f" {words.number(pending)} of them {'is' if pending == 1 else 'are'} not judged yet." if pending else ""
        if not missing:
            return f"{told}, and no gap is known in what they sent.{yet}"
        return (
            f"{told}, and {words.number(missing)} of their events are missing: what happened there is not known.{yet}"
        )


def attribute(name: str) -> Downloaded:
    """A column of a download that is the row's own."""
    return name, lambda row: getattr(row, name)
