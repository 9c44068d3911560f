"""Keyset pages of a REST list: `{"next", "previous", "results"}`, `page_size` 1…1000, and the same links as headers.

`after` and `before` hold the opaque cursor of a row; a list is read to its end by following `next`.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from django.conf import settings
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from audit.listing import counting
from audit.listing.keyset import Keyset

DEFAULT_SIZE, LARGEST_SIZE = 100, 1000
PATIENCE_MS = 10_000
PARAMETERS = ("page_size", "after", "before")


class Page(Protocol):
    """Rows in order, and the cursors of the neighbouring pages."""

    @property
    def rows(self) -> list[Any]: ...
    @property
    def previous(self) -> str | None: ...
    @property
    def next(self) -> str | None: ...


class KeysetPagination(BasePagination):
    """Pages by the view's `ordering`, which must be total: fields never null, in one direction, together unique."""

    def paginate_queryset(
        self, queryset: QuerySet | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        after, before = position(request)
        keyset = Keyset(*view.ordering)  # type: ignore[union-attr]
        page = keyset.page(queryset, size(request), after=after, before=before)
        self.links = links(request, page)
        return page.rows

    def get_paginated_response(self, data: Any) -> Response:
        previous, following = self.links
        body = {"next": following, "previous": previous, "results": data}
        return Response(body, headers=link_header(previous, following))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "The page after this one; null at the end."},
                "previous": {**link, "description": "The page before this one; null on the first page."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE, "default": DEFAULT_SIZE}
        return [
            _parameter("page_size", "Rows on a page.", size),
            _parameter("after", "Cursor: the rows after that row. Taken from `next`.", {"type": "string"}),
            _parameter("before", "Cursor: the rows before that row. Taken from `previous`.", {"type": "string"}),
        ]


def read(found: QuerySet | Sequence[QuerySet], ordering: Sequence[str], size: int, *, after: str, before: str) -> Page:
    """Rows after or before a cursor. Raises BadCursor, and TooSlow after PATIENCE_MS."""
    with counting.deadline(PATIENCE_MS):
        return Keyset(*ordering).page(found, size, after=after, before=before)


def size(request: Request) -> int:
    return whole_number(request, "page_size", DEFAULT_SIZE, LARGEST_SIZE)


def whole_number(request: Request, name: str, default: int, largest: int) -> int:
    """A parameter between 1 and `largest`. Raises ValidationError."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= largest:
        return int(text)
    raise ValidationError({name: [f"A whole number from 1 to {largest}."]})


def position(request: Request) -> tuple[str, str]:
    """The cursors `after` and `before`, at most one of them not empty."""
    after, before = (request.query_params.get(name, "") for name in ("after", "before"))
    if after and before:
        raise ValidationError({"before": ["Send either after or before."]})
    return after, before


def public_address(request: Request) -> str:
    """Where this request is found from outside. The Host header is the sender's word; a token must not follow it."""
    return f"{settings.PUBLIC_URL}{request.get_full_path()}"


def links(request: Request, page: Page) -> tuple[str | None, str | None]:
    """Addresses of the previous and the next page."""
    here = remove_query_param(remove_query_param(public_address(request), "after"), "before")
    previous = replace_query_param(here, "before", page.previous) if page.previous else None
    return previous, replace_query_param(here, "after", page.next) if page.next else None


def link_header(previous: str | None, following: str | None) -> dict[str, str]:
    """RFC 8288: so that whoever takes a list as CSV finds the rest, too."""
    named = (("prev", previous), ("next", following))
    told = ", ".join(f'<{address}>; rel="{name}"' for name, address in named if address)
    return {"Link": told} if told else {}


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
