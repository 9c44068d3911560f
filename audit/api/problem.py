"""Errors as problem details (RFC 9457), whatever went wrong and whatever the client would have accepted."""

import http
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.views import set_rollback

from audit.exceptions import CursorError, EpochRetired, NotRecorded
from audit.listing import slots
from audit.listing.counting import TooSlow
from audit.listing.keyset import BadCursor

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2


class Problem(msgspec.Struct):
    """What went wrong (RFC 9457). `code` is for programs, `detail` for people, `errors` goes by parameter or field."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET


_NOT_OURS = (
    "`after` and `before` take what `next` and `previous` hold, and this list gave out no such cursor. "
    "For times there are filters such as `occurred_after`."
)


def handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's exception handler: an answer to every error, so that none is a page of HTML."""
    set_rollback()
    translated = _translated(error)
    if translated is None:
        logger.error("request failed", exc_info=error, extra={"action": "api"})
        return response(500, "error", "The server failed to answer; the log says why.")
    return _answer(translated)


def response(
    status: int, code: str, detail: str, errors: dict[str, list[str]] | None = None, headers: Mapping[str, str] = {}
) -> HttpResponse:
    title = http.HTTPStatus(status).phrase
    body = msgspec.json.encode(Problem("about:blank", title, status, detail, code, errors or msgspec.UNSET))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE, headers={"Cache-Control": "no-store", **headers})


class Unavailable(exceptions.APIException):
    """The database is away; asking again can help."""

    status_code = 503
    default_detail = "The database is not reachable. Try again."
    default_code = "unavailable"
    wait = RETRY_AFTER_SECONDS


class Unrecorded(exceptions.APIException):
    """Each look at evidence is recorded first, and this one could not be."""

    status_code = 503
    default_detail = "This request could not be recorded in the ledger, so it is not answered. Try again."
    default_code = "not_recorded"
    wait = RETRY_AFTER_SECONDS


class Gone(exceptions.APIException):
    status_code = 410
    default_code = "epoch_retired"


class SearchTooSlow(exceptions.APIException):
    status_code = 503
    default_detail = "This search took too long and was stopped. Narrow it: by time, session, person or tool."
    default_code = "too_slow"


class TooManyDownloads(exceptions.APIException):
    status_code = 503
    default_detail = "Too many lists are read as files at the moment. Try again, or read the feed."
    default_code = "busy"
    wait = slots.RETRY_AFTER_SECONDS


def _translated(error: Exception) -> exceptions.APIException | None:
    """The same error in DRF's words; None for one that nobody expected."""
    match error:
        case exceptions.APIException():
            return error
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case EpochRetired():
            return Gone(str(error))
        case NotRecorded():
            return Unrecorded()
        case CursorError():
            return exceptions.ValidationError({"after": [str(error)]}, code="invalid_cursor")
        case BadCursor():
            return exceptions.ValidationError({"cursor": [_NOT_OURS]}, "invalid_cursor")
        case slots.Busy():
            return TooManyDownloads()
        case TooSlow():
            return SearchTooSlow()
        case SuspiciousOperation():
            return exceptions.ParseError("The request is not well formed.")
        case OperationalError() | InterfaceError() | psycopg.OperationalError() | psycopg.InterfaceError():
            logger.warning("database not reachable", extra={"action": "api", "error": type(error).__name__})
            return Unavailable()
        case _:
            return None


def _answer(error: exceptions.APIException) -> HttpResponse:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    errors = _by_field(error.detail) if isinstance(error, exceptions.ValidationError) else None
    detail = _sentence(errors) if errors else str(error.detail)
    return response(error.status_code, _code(error), detail, errors, headers)


def _by_field(detail: Any, field: str = "") -> dict[str, list[str]]:
    """DRF's nested details, flat: `scopes.1` → messages."""
    if isinstance(detail, str):
        return {field or "request": [str(detail)]}
    named = isinstance(detail, Mapping)
    found: dict[str, list[str]] = {}
    for key, inner in detail.items() if named else enumerate(detail):
        own = field if isinstance(inner, str) and not named else f"{field}.{key}".removeprefix(".")
        for name, messages in _by_field(inner, own).items():
            found.setdefault(name, []).extend(messages)
    return found


def _sentence(errors: Mapping[str, Sequence[str]]) -> str:
    return " ".join(f"{field}: {' '.join(messages)}" for field, messages in errors.items())


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    while isinstance(codes, dict | list):
        codes = next(iter(codes.values() if isinstance(codes, dict) else codes), "invalid")
    return str(codes)
