"""`GET /api/v1/export/`: the feed, for whoever follows all evidence in order (DESIGN §5.3)."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from audit.api import filters, pagination
from audit.api.pagination import public_address
from audit.api.permissions import EXPORT, rights
from audit.api.recording import Recorded
from audit.api.renderers import JSONRenderer
from audit.export import cursor, feed
from audit.export.reading import Reader
from audit.export.shapes import NativeEvent

DEFAULT_LIMIT = 1000
NATIVE, LATER = "native", ("ocsf", "ecs")
MEDIA_TYPE = "application/x-ndjson"


class AlwaysNDJSON(BaseContentNegotiation):
    """The feed has one form; SIEM pollers ask for whatever their HTTP client asks for."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class Feed(Recorded):
    """Every sealed event once, ascending by `seq`, one a line.

    Follow `X-Next-Cursor` (or `Link`, rel `next`) and nothing is missed; `X-Has-More` tells whether to ask again at
    once. The same page is the same bytes whenever it is asked for. Without `content:read` content is null, without
    `identity:read` actors are pseudonyms.
    """

    required_scopes: ClassVar[Sequence[str]] = (EXPORT,)
    required_scopes_to_write: ClassVar[Sequence[str]] = ()
    content_negotiation_class = AlwaysNDJSON
    renderer_classes = (JSONRenderer,)
    http_method_names = ["get", "head"]

    @extend_schema(
        parameters=[
            OpenApiParameter("after", str, description="Cursor of the last line read; without it, from the beginning."),
            OpenApiParameter(
                "limit", {"type": "integer", "minimum": 1, "maximum": feed.LIMIT, "default": DEFAULT_LIMIT},
                description="The most lines to answer with.",
            ),
            OpenApiParameter("format", str, enum=[NATIVE, *LATER], default=NATIVE, description="Only native so far."),
            OpenApiParameter("X-Next-Cursor", str, "header", response=[200], description="For `after`."),
            OpenApiParameter(
                "X-Has-More", str, "header", response=[200], enum=["true", "false"],
                description="Whether a line after these was sealed when the answer began.",
            ),
            OpenApiParameter("Link", str, "header", response=[200], description="The next page, rel `next`."),
        ],
        responses={(200, MEDIA_TYPE): OpenApiResponse(NativeEvent, description="One event a line.")},
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        filters.refuse_unknown(request, ["after", "limit", "format"])
        _check_format(request.query_params.get("format", NATIVE))
        limit = pagination.whole_number(request, "limit", DEFAULT_LIMIT, feed.LIMIT)
        after = request.query_params.get("after")
        may_see = rights(request)
        reader = Reader(with_content=may_see.content, with_identity=may_see.identity)
        begin = cursor.BEFORE_FIRST if after is None else cursor.parse(after, feed.epoch())
        page = feed.page(begin, limit, reader)
        self.is_empty = not page.lines
        return HttpResponse(page.lines, content_type=MEDIA_TYPE, headers=_headers(request, page))


def _check_format(name: str) -> None:
    if name in LATER:
        raise ValidationError({"format": [f"{name} is not available in this version; native is."]}, "not_available")
    if name != NATIVE:
        raise ValidationError({"format": [f"One of {', '.join((NATIVE, *LATER))}."]})


def _headers(request: Request, page: feed.Page) -> dict[str, Any]:
    following = replace_query_param(public_address(request), "after", page.next)
    return {
        "X-Next-Cursor": page.next,
        "X-Has-More": "true" if page.has_more else "false",
        "Link": f'<{following}>; rel="next"',
        "Cache-Control": "no-store",
    }
