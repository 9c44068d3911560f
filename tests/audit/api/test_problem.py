"""Errors are problem documents (RFC 9457), wherever they come from."""

import logging

import psycopg
import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Func, TextField, Value
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.test import APIRequestFactory

from audit.api import problem, views
from audit.exceptions import CursorError, EpochRetired
from audit.listing.counting import TooSlow
from audit.listing.keyset import BadCursor
from audit.models import Event
from connectors import tokens
from tests.audit.api.conftest import Api, body, response_json
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.ParseError("JSON parse error"), 400, "parse_error"),
        (exceptions.ValidationError({"name": ["Too long."]}), 400, "invalid"),
        (exceptions.ValidationError("No."), 400, "invalid"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotFound(), 404, "not_found"),
        (Http404(), 404, "not_found"),
        (exceptions.MethodNotAllowed("POST"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (EpochRetired("Epoch 7 is over."), 410, "epoch_retired"),
        (CursorError("No cursor."), 400, "invalid_cursor"),
        (BadCursor("x"), 400, "invalid_cursor"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=7), 429, "throttled"),
        (SuspiciousOperation("x"), 400, "parse_error"),
        (TooSlow(), 503, "too_slow"),
        (OperationalError("host=10.0.0.1 password=x"), 503, "unavailable"),
        (InterfaceError("x"), 503, "unavailable"),
        (psycopg.OperationalError("x"), 503, "unavailable"),
        (ValueError("a secret"), 500, "error"),
    ],
)
def test_every_error_has_its_answer(error, status, code):
    response = problem.handler(error, {})
    document = response_json(response)
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, document["status"], document["code"]) == (status, status, code)
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["detail"]
    assert "secret" not in document["detail"]
    assert "password" not in document["detail"]


@pytest.mark.parametrize(("error", "seconds"), [(exceptions.Throttled(wait=6.2), "7"), (OperationalError(), "2")])
def test_it_says_when_to_come_back(error, seconds):
    assert problem.handler(error, {})["Retry-After"] == seconds


def test_an_error_nobody_expected_is_in_the_log(caplog):
    with caplog.at_level(logging.ERROR):
        problem.handler(ValueError("a secret"), {})
    assert "a secret" in caplog.text


@pytest.mark.parametrize(
    ("detail", "errors"),
    [
        ({"name": ["Too long."]}, {"name": ["Too long."]}),
        ({"a": {"b": ["x"]}, "c": "y"}, {"a.b": ["x"], "c": ["y"]}),
        ({"scopes": {1: ["x", "y"]}}, {"scopes.1": ["x", "y"]}),
        (["x", "y"], {"request": ["x", "y"]}),
        ([{}, {"name": ["x"]}], {"1.name": ["x"]}),
        ("x", {"request": ["x"]}),
    ],
)
def test_errors_go_by_field(detail, errors):
    assert response_json(problem.handler(serializers.ValidationError(detail), {}))["errors"] == errors


@pytest.mark.parametrize(
    "path", ["nope/", "events/1/", "events/x/", "sessions/01a1fd72/timeline/", "/api/", "/api/v2/events/", "/api/v1/"]
)
def test_an_address_that_leads_nowhere_is_a_problem_too(api, path):
    response = api.get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert api.client.post(response.request["PATH_INFO"], headers=api.headers).status_code == 404


@pytest.mark.parametrize("path", ["events", "sessions?q=x", "export"])
def test_a_slash_left_out_is_put_in(api, path):
    response = api.get(f"/api/v1/{path}")
    head, _, query = path.partition("?")
    assert response.status_code == 301
    assert response["Location"] == f"/api/v1/{head}/{'?' if query else ''}{query}"


def test_what_leads_nowhere_with_a_slash_neither_is_not_redirected(api):
    assert api.get("/api/v1/nope").status_code == 404


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*"])
def test_a_form_that_evidence_does_not_have_is_refused(api, accept):
    response = api.get("events/", accept)
    assert (response.status_code, response["Content-Type"]) == (406, "application/problem+json")


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html, */*;q=0.1", "application/*"])
def test_json_is_what_most_get(api, accept):
    assert api.get("events/", accept)["Content-Type"] == "application/json"


def test_the_format_cannot_be_chosen_by_parameter(api):
    assert api.get("events/", format="api").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_a_503(api, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    connection.close()
    response = api.get("events/")
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert "127.0.0.1" not in body(response).decode()


def test_a_search_that_takes_too_long_is_stopped(api, monkeypatch):
    def slow(**known):
        return Event.objects.annotate(nap=Func(Value(60.0), function="pg_sleep", output_field=TextField()))

    monkeypatch.setattr("audit.api.pagination.PATIENCE_MS", 50)
    monkeypatch.setattr("audit.search.events", slow)
    evidence(draft())
    response = api.get("events/")
    assert (response.status_code, response_json(response)["code"]) == (503, "too_slow")
    assert api.get("sessions/").status_code == 200


def test_a_bug_is_a_500_without_details(monkeypatch):
    def broken(*arguments, **keywords):
        raise ZeroDivisionError("evidence in here")

    monkeypatch.setattr("audit.search.events", broken)
    _, secret = tokens.issue("api", "SIEM", by="a test", scopes=["events:read"])
    request = APIRequestFactory().get("/api/v1/events/", headers={"Authorization": f"Bearer {secret}"})
    response = views.EventList.as_view()(request)
    assert (response.status_code, response_json(response)["code"]) == (500, "error")
    assert b"evidence" not in response.content


def test_no_token_is_a_401_also_for_what_is_wrong_otherwise():
    assert Api().get("events/", nonsense=1).status_code == 401
