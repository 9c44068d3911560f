"""`/api/v1/ingest-tokens/`: what is issued, and issuing, rotating and revoking it (DESIGN §5.3)."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api import problem
from audit.api.permissions import consumer
from audit.tasks import soon
from connectors import scopes, tokens
from connectors.api.serializers import (
    IngestTokenSerializer,
    IssuedTokenSerializer,
    NewTokenSerializer,
    RevocationSerializer,
    RotationSerializer,
)
from connectors.models import IngestToken, Token
from connectors.tasks import settle_receipts
from connectors.tokens import receipts


class Conflict(APIException):
    """What is asked for does not go with the state the token is in."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


CONFLICT = {
    (409, problem.MEDIA_TYPE): OpenApiResponse(
        problem.Problem, description="The token no longer works, or was rotated."
    )
}


class IngestTokenViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Ingestion tokens, newest first. API tokens are issued in the admin only: no token makes a mightier one."""

    required_scopes = ("tokens:read",)
    required_scopes_to_write = ("tokens:write",)
    serializer_class = IngestTokenSerializer
    lookup_value_regex = "[0-9]{1,18}"
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Token]:
        return IngestToken.objects.select_related("source", "replaced_by", "receipt")

    @extend_schema(request=NewTokenSerializer, responses={201: IssuedTokenSerializer})
    def create(self, request: Request) -> Response:
        """Issue a token. Its secret is in `token`, in this answer only."""
        wanted = _valid(NewTokenSerializer(data=request.data))
        return _issued(*tokens.issue(scopes.INGEST, by=consumer(request), **wanted))

    @extend_schema(request=RotationSerializer, responses={201: IssuedTokenSerializer, **CONFLICT})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Issue the successor of a token; both work for `overlap_seconds`."""
        overlap = dt.timedelta(seconds=_valid(RotationSerializer(data=request.data))["overlap_seconds"])
        try:
            return _issued(*tokens.rotate(self.get_object(), overlap, by=consumer(request)))
        except tokens.TokenError as error:
            raise Conflict(str(error)) from error

    @extend_schema(request=RevocationSerializer, responses={200: IngestTokenSerializer})
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """End a token: it is refused from the next request on. Again: nothing changes, the first reason stays.

        The answer waits up to two seconds for the receipt to settle; until it has, reading the token again tells.
        """
        reason = _valid(RevocationSerializer(data=request.data))["reason"]
        revoked = tokens.revoke(self.get_object(), reason, by=consumer(request))
        if (receipt := receipts.of(revoked)) and receipts.settle(receipt, receipts.PATIENCE).settled_at is None:
            soon(settle_receipts)
        return Response(self.get_serializer(self.get_object()).data)


def _valid(serializer: serializers.Serializer) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _issued(token: Token, secret: str) -> Response:
    answer = IssuedTokenSerializer(token, context={"secret": secret}).data
    return Response(answer, status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})
