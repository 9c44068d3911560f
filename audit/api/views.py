"""The REST lists of evidence and their rows (DESIGN §5.3). All of it is read-only."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from audit import timeline
from audit.api import filters, pagination, rows
from audit.api.pagination import Page
from audit.api.permissions import EVENTS, Rights, rights
from audit.api.recording import Recorded
from audit.api.renderers import CSVRenderer, JSONRenderer, columns
from audit.export.feed import PAGE_BYTES
from audit.export.reading import Reader
from audit.export.shapes import NativeEvent
from audit.listing import keyset
from audit.listing.export import csv_lines
from audit.listing.slots import downloads
from audit.models import Event, McpServer, Session, ToolUse

CSV_ROWS = 100_000
"""The most rows that one CSV holds."""

Found = QuerySet | Sequence[QuerySet]
Rows = Iterable[msgspec.Struct]


class Evidence(Recorded, GenericAPIView):
    """What can be read with `events:read`. `row` is the kind of its rows, `model` what they are read from."""

    required_scopes: ClassVar[Sequence[str]] = (EVENTS,)
    required_scopes_to_write: ClassVar[Sequence[str]] = ()
    row: ClassVar[type[msgspec.Struct]]
    model: ClassVar[type[Model]]
    renderer_classes: Sequence[type[BaseRenderer]] = (JSONRenderer,)
    http_method_names = ["get", "head"]

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Cache-Control": "no-store"}

    @property
    def rights(self) -> Rights:
        return rights(self.request)

    def get_queryset(self) -> QuerySet:
        return self.model._default_manager.all()

    def reader(self) -> Reader:
        return Reader(with_content=self.rights.content, with_identity=self.rights.identity)


class EvidenceList(ListModelMixin, Evidence):
    """A list by keyset. As CSV all of it, up to CSV_ROWS rows; with `page_size` that page of it."""

    filter_backends = (filters.FilterBackend,)
    pagination_class = pagination.KeysetPagination
    renderer_classes = (JSONRenderer, CSVRenderer)
    ordering: ClassVar[Sequence[str]]

    def get(self, request: Request, **key: Any) -> HttpResponseBase:
        read = self.pages(request, **key)
        size, (after, before) = pagination.size(request), pagination.position(request)
        as_csv = request.accepted_renderer.format == "csv"
        whole = as_csv and "page_size" not in request.query_params
        page = read(pagination.LARGEST_SIZE if whole else size, after, before)
        self.is_empty = not page.rows
        if whole:
            self.downloads = "csv"
            return self.csv(self._all_rows(page, read), {"X-Row-Limit": str(CSV_ROWS)})
        if as_csv:
            return self.csv(self.rows(page.rows), pagination.link_header(*pagination.links(request, page)))
        return self.json(page)

    def pages(self, request: Request, **key: Any) -> Callable[[int, str, str], Page]:
        """How a page of some size after or before a cursor is read."""
        found = self.prepared(self.filter_queryset(self.get_queryset()))
        return lambda size, after, before: pagination.read(found, self.ordering, size, after=after, before=before)

    def prepared(self, found: Found) -> Found:
        """The same rows, with no more and no less than `rows` needs."""
        return found

    def rows(self, found: Sequence[Any]) -> Rows:
        raise NotImplementedError

    def json(self, page: Page) -> HttpResponseBase:
        previous, following = pagination.links(self.request, page)
        body = {"next": following, "previous": previous, "results": list(self.rows(page.rows))}
        return Response(body, headers=pagination.link_header(previous, following))

    def csv(self, rows: Rows, headers: dict[str, str]) -> HttpResponseBase:
        name = self.request.path.strip("/").rpartition("/")[2]
        headers |= {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        lines = csv_lines(columns(self.row), rows)
        return StreamingHttpResponse(downloads.held(lines), content_type="text/csv; charset=utf-8", headers=headers)

    def _all_rows(self, page: Page, read: Callable[[int, str, str], Page]) -> Iterator[msgspec.Struct]:
        left = CSV_ROWS
        while left > 0:
            yield from self.rows(page.rows[:left])
            left -= len(page.rows)
            if not page.next:
                return
            page = read(pagination.LARGEST_SIZE, page.next, "")


class EventList(EvidenceList):
    """Events as they were recorded, newest first; in the shape of the feed."""

    model, row = Event, NativeEvent
    filterset_class = filters.EventFilter
    ordering = ("-id",)

    def prepared(self, found: Found) -> Found:
        return _each(found, lambda events: events.only("id"))

    def rows(self, found: Sequence[Any]) -> Rows:
        return self.reader().of([event.id for event in found])

    def json(self, page: Page) -> HttpResponseBase:
        """A page ends early where its events are so large that a thousand of them would fill the memory."""
        shown: list[msgspec.Raw] = []
        length = 0
        for row in self.rows(page.rows):
            shown.append(msgspec.Raw(msgspec.json.encode(row)))
            length += len(shown[-1])
            if length >= PAGE_BYTES and len(shown) < len(page.rows):
                rows = page.rows[: len(shown)]
                page = keyset.Page(rows, page.previous, keyset.Keyset(*self.ordering).cursor(rows[-1]))
                break
        previous, following = pagination.links(self.request, page)
        body = {"next": following, "previous": previous, "results": shown}
        return Response(body, headers=pagination.link_header(previous, following))


class ModeChangeList(EventList):
    """Changes of the permission mode, newest first."""

    filterset_class = filters.ModeChangeFilter


class McpConnectionList(EventList):
    """Connections to MCP servers: made, failed and lost, newest first."""

    filterset_class = filters.McpConnectionFilter


class EventDetail(Evidence):
    """One event as it was recorded."""

    model, row = Event, NativeEvent
    object_kind = "event"

    def get(self, request: Request, id: UUID) -> Response:
        for event in self.reader().of([id]):
            return Response(event)
        raise Http404


class SessionList(EvidenceList):
    """Sessions, by when they began, newest first."""

    model, row = Session, rows.SessionRow
    filterset_class = filters.SessionFilter
    ordering = ("-first_at", "-id")

    def prepared(self, found: Found) -> Found:
        return _each(found, lambda sessions: sessions.select_related("subject"))

    def rows(self, found: Sequence[Any]) -> Rows:
        return (rows.of_session(session, self.rights) for session in found)


class SessionDetail(Evidence):
    """One session, by our id."""

    model, row = Session, rows.SessionRow
    object_kind = "session"

    def get(self, request: Request, id: UUID) -> Response:
        session = Session.objects.select_related("subject").filter(pk=id).first()
        if session is None:
            raise Http404
        return Response(rows.of_session(session, self.rights))


class Timeline(EvidenceList):
    """A session from its beginning to its end: tool uses with decision and result, the other events, and gaps."""

    model, row = Session, rows.TimelineRow
    object_kind = "session"
    filterset_class = filters.TimelineFilter

    def pages(self, request: Request, **key: Any) -> Callable[[int, str, str], Page]:
        session = Session.objects.filter(pk=key["id"]).first()
        if session is None:
            raise Http404
        show = filters.shown(request)
        return lambda size, after, before: timeline.page(
            session, after=after, before=before, limit=size, show=show, with_content=self.rights.content
        )

    def rows(self, found: Sequence[Any]) -> Rows:
        return map(rows.of_timeline, found)


class PermissionDecisionList(EvidenceList):
    """Tool uses on which a decision was recorded, newest first, with who decided as it is known now."""

    model, row = ToolUse, rows.DecisionRow
    filterset_class = filters.DecisionFilter
    ordering = ("-position", "-id")

    def prepared(self, found: Found) -> Found:
        return _each(found, lambda uses: uses.select_related("subject"))

    def rows(self, found: Sequence[Any]) -> Rows:
        return (rows.of_decision(use, self.rights) for use in found)


class McpServerList(EvidenceList):
    """MCP servers, by when they were last seen."""

    model, row = McpServer, rows.McpServerRow
    filterset_class = filters.McpServerFilter
    ordering = ("-last_at", "-id")

    def rows(self, found: Sequence[Any]) -> Rows:
        return map(rows.of_server, found)


def _each(found: Found, change: Callable[[QuerySet], QuerySet]) -> Found:
    return change(found) if isinstance(found, QuerySet) else [change(each) for each in found]
