"""What every page of evidence shares."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from audit.admin import rights
from audit.admin.rights import Rights
from audit.listing.readonly import ReadOnlyAdmin

Column = Callable[[Any], str]


def column(description: str, name: str, show: Callable[[Any], Any]) -> Column:
    """A column of a list: what stands above it, what it is called in markup, and what a row has there."""

    @admin.display(description=description)
    def cell(row: Any) -> str:
        return show(row)  # type: ignore[no-any-return]

    cell.__name__ = name
    return cell


class EvidenceAdmin(ReadOnlyAdmin):
    """A list of evidence, and pages of its rows. Nothing to add, change or delete, so no addresses for that either.

    columns(rights)  what the list shows to someone with these rights, as made by `column`
    """

    download_permission = "audit.export_evidence"
    _without = ("_add", "_history", "_delete")

    def columns(self, rights: Rights) -> list[Column]:
        raise NotImplementedError

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        return [*self.columns(rights.of(request))]

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if not str(url.name or "").endswith(self._without)]
