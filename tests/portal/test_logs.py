"""The portal's log lines: a refusal is a warning of one line, a fault of ours has its traceback, no query is told."""

import io
import json
import logging
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connectors.admin import IngestTokenAdmin
from connectors.tokens.spelling import generate
from portal.logs import JsonFormatter
from tests.portal import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def log():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def client_of(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend=people.BACKEND)
    return client


def told(log: io.StringIO, status: int) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line.get("status_code") == status]


@pytest.mark.parametrize(
    ("host", "error"),
    [("testserver", "BadRequest"), ("two words", "DisallowedHost")],
    ids=["a query with a fault", "a host that is none"],
)
def test_a_bad_request_is_a_warning_without_traceback(log, host, error):
    secret = generate("api")
    path = reverse("admin:audit_evidencepack_selection")
    answer = client_of(people.superuser()).get(path, {"q": f"nonsense:{secret}"}, headers={"host": host})
    assert answer.status_code == 400
    assert {(line["level"], line["error"], line["request"]) for line in told(log, 400)} == {
        ("WARNING", error, f"GET {path}")
    }
    assert "Traceback" not in log.getvalue()
    assert secret not in log.getvalue()


def test_a_page_that_a_role_may_not_open_is_a_warning_without_traceback(log):
    secret = generate("api")
    path = reverse("admin:auth_user_changelist")
    assert client_of(people.person(people.REVIEWER)).get(path, {"q": secret}).status_code == 403
    (line,) = told(log, 403)
    assert (line["level"], line["error"], line["request"]) == ("WARNING", "PermissionDenied", f"GET {path}")
    assert "Traceback" not in log.getvalue()
    assert secret not in log.getvalue()


def test_a_fault_of_the_portal_keeps_its_traceback(log, monkeypatch):
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("in a page")

    monkeypatch.setattr(IngestTokenAdmin, "get_queryset", broken)
    path = reverse("admin:connectors_ingesttoken_changelist")
    secret = generate("ingest")
    assert client_of(people.superuser()).get(path, {"q": secret}).status_code == 500
    (line,) = told(log, 500)
    assert (line["level"], line["request"]) == ("ERROR", f"GET {path}")
    assert "Traceback" in line["exception"]
    assert "ZeroDivisionError: in a page" in line["exception"]
    assert secret not in log.getvalue()
