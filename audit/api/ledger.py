"""`ledger/` and `events/{id}/proof/`: what an auditor needs beside the events (DESIGN §5.3)."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import psycopg
from django.db import connection
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from audit import checkpoints, tree
from audit.api import filters, pagination
from audit.api.permissions import EVENTS, LEDGER
from audit.api.recording import Recorded
from audit.api.renderers import JSONRenderer
from audit.models import Event, Seal

NOTE = "text/plain; charset=utf-8"
LARGEST = 10**9 - 1  # what a parameter of the API can say


class NotSigned(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "No signed checkpoint covers this yet; ask again in a few seconds."
    default_code = "not_signed"


class Consistency(msgspec.Struct):
    """`hashes` are hexadecimal, in the order of RFC 9162 §2.1.4."""

    first: int
    second: int
    hashes: list[str]


class Commitments(msgspec.Struct):
    """Hexadecimal; 64 zeros for a part the event does not have."""

    subject: str
    origin: str
    facts: str
    content: str


class Proof(msgspec.Struct):
    """That an event is in the tree whose head is signed. `hashes` lead from its leaf to the root (RFC 9162 §2.1.3)."""

    event_id: str
    seq: int
    header: str
    commitments: Commitments
    leaf_hash: str
    size: int
    root: str
    hashes: list[str]
    checkpoint: str


class Ledger(Recorded):
    required_scopes: ClassVar[Sequence[str]] = (LEDGER,)
    required_scopes_to_write: ClassVar[Sequence[str]] = ()
    renderer_classes = (JSONRenderer,)
    http_method_names = ["get", "head"]


class LatestCheckpoint(Ledger):
    """The newest signed head of the tree, a C2SP checkpoint with the witnesses’ cosignatures."""

    @extend_schema(responses={(200, "text/plain"): OpenApiResponse(str, description="A signed note.")})
    def get(self, request: Request) -> HttpResponse:
        filters.refuse_unknown(request, [])
        with _reading() as cursor:
            published = checkpoints.latest(cursor)
        if published is None:
            raise NotSigned
        return HttpResponse(published.note, content_type=NOTE, headers={"Cache-Control": "no-store"})


class ConsistencyProof(Ledger):
    """The proof that the tree of `second` events grew from that of `first`."""

    @extend_schema(
        parameters=[
            OpenApiParameter("first", int, required=True, description="Size of the older checkpoint."),
            OpenApiParameter("second", int, required=True, description="Size of the newer one."),
        ],
        responses={200: OpenApiResponse(Consistency)},
    )
    def get(self, request: Request) -> Response:
        filters.refuse_unknown(request, ["first", "second"])
        first, second = (_size(request, name) for name in ("first", "second"))
        with _reading() as cursor:
            try:
                hashes = tree.consistency(cursor, first, second)
            except ValueError as error:
                raise ValidationError({"second": [f"{error}."]}) from error
        return Response(Consistency(first, second, [each.hex() for each in hashes]))


class EventProof(Recorded):
    """The proof that an event is in the ledger, under the newest checkpoint."""

    object_kind = "event"
    required_scopes: ClassVar[Sequence[str]] = (EVENTS,)
    required_scopes_to_write: ClassVar[Sequence[str]] = ()
    renderer_classes = (JSONRenderer,)
    http_method_names = ["get", "head"]

    @extend_schema(responses={200: OpenApiResponse(Proof)})
    def get(self, request: Request, id: UUID) -> Response:
        filters.refuse_unknown(request, [])
        event = Event.objects.select_related("subject", "origin").filter(pk=id).first()
        if event is None:
            raise Http404
        seq = Seal.objects.filter(event=id).values_list("seq", flat=True).first()
        with _reading() as cursor:
            published = None if seq is None else checkpoints.latest(cursor, beyond=seq)
            if published is None or seq is None:
                raise NotSigned
            hashes = tree.inclusion(cursor, seq, published.head.size)
        return Response(_proof(event, seq, published, hashes))


def _proof(event: Event, seq: int, published: checkpoints.Published, hashes: Sequence[bytes]) -> Proof:
    return Proof(
        event_id=str(event.pk),
        seq=seq,
        header=bytes(event.header).decode(),
        commitments=Commitments(*(bytes(each).hex() for each in event.commitments)),
        leaf_hash=bytes(event.leaf_hash).hex(),
        size=published.head.size,
        root=published.head.root.hex(),
        hashes=[each.hex() for each in hashes],
        checkpoint=published.note,
    )


def _reading() -> psycopg.Cursor:
    """A cursor of the driver's own: hashes come in binary."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)


def _size(request: Request, name: str) -> Any:
    if name not in request.query_params:
        raise ValidationError({name: ["Say which."]})
    return pagination.whole_number(request, name, 0, LARGEST)
