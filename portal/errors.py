"""Answers to what went wrong: a page in the theme, and problem+json (RFC 9457) below /api/."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults

from audit.api.problem import RETRY_AFTER_SECONDS
from audit.exceptions import NotRecorded

API = "/api/"


class NotRecordedMiddleware:
    """What had to be recorded first and could not be is neither done nor shown: 503, and try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, NotRecorded):
            return None
        answer = render(request, "503.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
        answer["Cache-Control"] = "no-store"
        return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, HTTPStatus.BAD_REQUEST) or _with_reason(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, HTTPStatus.FORBIDDEN) or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, HTTPStatus.NOT_FOUND) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return _problem(request, HTTPStatus.INTERNAL_SERVER_ERROR) or defaults.server_error(request)


def _problem(request: HttpRequest, status: HTTPStatus) -> HttpResponse | None:
    if not request.path.startswith(API):
        return None
    body: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _with_reason(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own page keeps the reason to itself; ours were written to be read."""
    reason = str(exception) if type(exception) is BadRequest else ""
    return render(request, "400.html", {"exception": reason}, status=HTTPStatus.BAD_REQUEST)
