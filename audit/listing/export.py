"""Lists as CSV (RFC 4180) and as NDJSON, streamed row by row through a server-side cursor.

Spreadsheets run text that begins like a formula: in CSV it gets an apostrophe in front. NDJSON keeps it as it is.
"""

import csv
import datetime as dt
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from decimal import Decimal
from html import unescape
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import lookup_field
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import strip_tags

from audit.listing.slots import RETRY_AFTER_SECONDS, Busy, downloads
from audit.listing.terms import Download

Column = tuple[str, Callable[[Any], Any]]
"""Header and what a row has there: text, a number, a time, an identifier, a list, a mapping, or None."""

BATCH = 2000
FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")


def csv_lines(columns: Sequence[Column], rows: Iterable[Any]) -> Generator[bytes]:
    writer = csv.writer(_Echo())
    yield writer.writerow([header for header, _ in columns])
    for row in rows:
        yield writer.writerow([csv_cell(value(row)) for _, value in columns])


class _Echo:
    """A file that hands back what is written, so that csv.writer makes one line at a time."""

    def write(self, line: str) -> bytes:
        return line.encode("utf-8", "backslashreplace")


def csv_cell(value: Any) -> str | int | float | Decimal:
    """The value as it may stand in a spreadsheet: numbers stay numbers, text can start no formula."""
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    trimmed = text.lstrip(" \xa0\u2000-\u200a\u202f\u3000\ufeff")
    return f"'{text}" if text[:1] in FORMULA_STARTS or trimmed[:1] in FORMULA_STARTS else text


def json_lines(columns: Sequence[Column], rows: Iterable[Any]) -> Generator[bytes]:
    for row in rows:
        line = json.dumps({header: _plain(value(row)) for header, value in columns}, ensure_ascii=False)
        yield line.encode("utf-8", "backslashreplace") + b"\n"


def _plain(value: Any) -> Any:
    """The value as JSON has it: times in RFC 3339 UTC, decimals and identifiers as strings."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    return str(value)


FORMATS: dict[str, tuple[str, Callable[[Sequence[Column], Iterable[Any]], Generator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines),
    "ndjson": ("application/x-ndjson", json_lines),
}


def streamed(queryset: QuerySet) -> Iterator[Any]:
    """The rows through a server-side cursor; in a transaction, or it would first copy the whole result."""
    with transaction.atomic(using=queryset.db):
        yield from queryset.iterator(chunk_size=BATCH)


class DownloadAdmin(admin.ModelAdmin):
    """A change list that can be downloaded as it is filtered: `…/download.csv`, `…/download.ndjson`.

    download_permission  who may, besides being allowed to see the list; "" asks for nothing more
    """

    download_permission = ""

    def download_columns(self, request: HttpRequest) -> Sequence[Column]:
        """What is downloaded: by default what the list shows, times and numbers as they are stored."""
        columns = [column for column in self.get_list_display(request) if column != "action_checkbox"]
        return [(column if isinstance(column, str) else column.__name__, self._shown(column)) for column in columns]

    def _shown(self, name: Any) -> Callable[[Any], Any]:
        if not isinstance(name, str):
            return lambda row: _as_text(name(row))
        if any(field.name == name for field in self.opts.concrete_fields):
            return lambda row: getattr(row, name)
        return lambda row: _as_text(lookup_field(name, row, self)[2])

    def has_download_permission(self, request: HttpRequest) -> bool:
        allowed = not self.download_permission or request.user.has_perm(self.download_permission)
        return allowed and self.has_view_or_change_permission(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download_view)
        return [path("download.<str:form>", view, name=self._download_name()), *super().get_urls()]

    def _download_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_download"

    def downloads(self, request: HttpRequest, query_string: str) -> list[Download]:
        """The links of a list that this person may follow."""
        if not self.has_download_permission(request):
            return []
        name = f"{self.admin_site.name}:{self._download_name()}"
        return [Download(form.upper(), reverse(name, args=[form]) + query_string) for form in FORMATS]

    def download_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        if not self.has_download_permission(request):
            raise PermissionDenied
        if form not in FORMATS:
            raise BadRequest(f"Lists come as {' and '.join(FORMATS)}.")
        try:
            changes = self.get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("This list does not know what was asked for.") from error
        if getattr(changes, "query_error", None):  # the page shows the whole list then, and says so; a file could not
            raise BadRequest("The query was not understood, so nothing was downloaded.")
        content_type, lines = FORMATS[form]
        try:
            held = downloads.held(lines(self.download_columns(request), streamed(changes.queryset)))
        except Busy:
            return self._busy(request)
        response = StreamingHttpResponse(held, content_type=content_type)
        name = f"{self.opts.verbose_name_plural}-{timezone.now():%Y-%m-%dT%H%MZ}.{form}".replace(" ", "-")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response

    def _busy(self, request: HttpRequest) -> HttpResponseBase:
        list_url = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")
        context = {"list_url": f"{list_url}?{request.GET.urlencode()}"}
        response = render(request, "busy.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        response["Cache-Control"] = "no-store"
        return response


_TIME = re.compile(r'<time datetime="([^"]*)"[^>]*>[^<]*</time>')


def _as_text(shown: Any) -> Any:
    """What a list shows, without its markup; times as the markup states them, not as they are told."""
    return unescape(strip_tags(_TIME.sub(r"\1", shown))).strip() if isinstance(shown, str) else shown
