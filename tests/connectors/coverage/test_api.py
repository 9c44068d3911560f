"""`coverage/` over REST."""

import csv
import io

import pytest
from django.test import Client

from connectors.coverage import looking
from connectors.models import Covered
from tests.connectors.coverage.test_pages import DANA, TODAY, VERA, _known  # noqa: F401 - a fixture
from tests.connectors.people.known import person
from tests.factories import older_token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_known")]


def get(path="/api/v1/coverage/", *scopes, accept="application/json", **query):
    token = older_token("api", *(scopes or ("connectors:read",)))
    return Client().get(path, query, headers={"authorization": f"Bearer {token}", "accept": accept})


def test_each_row_tells_its_state_and_names_nobody():
    body = get().json()
    assert sorted((row["kind"], row["state"]) for row in body["results"]) == [
        ("device", "reporting"),
        ("seat", "never_reported"),
        ("seat", "reporting"),
        ("sender", "unknown_sender"),
    ]
    assert body["results"][0]["kind"] == "sender"
    text = get().content.decode()
    for name in (VERA, DANA, "Vera", "user_v", "C02V", "veras-macbook", "bedrock-1"):
        assert name not in text
    seat = next(row for row in body["results"] if row["kind"] == "seat" and row["state"] == "reporting")
    assert seat["person"] == {"id": f"person-{person(VERA).pk}", "name": None, "email": None}
    assert seat["since"] == TODAY.isoformat()
    assert seat["as_of"] is not None


def test_names_come_with_the_scope():
    rows = get("/api/v1/coverage/", "connectors:read", "identity:read").json()["results"]
    told = {row["kind"]: row for row in rows}
    assert told["device"]["device"]["serial"] == "C02V"
    assert told["device"]["person"]["email"] == VERA
    assert told["sender"]["identity"]["value"] == "bedrock-1"
    assert {row["seat"]["external_id"] for row in rows if row["kind"] == "seat"} == {"user_v", "user_d"}


def test_it_takes_its_own_scope_and_refuses_what_it_does_not_know():
    assert get("/api/v1/coverage/", "events:read").status_code == 403
    assert get(nonsense="1").status_code == 400
    assert get(state="nonsense").status_code == 400
    assert [row["state"] for row in get(state="never_reported").json()["results"]] == ["never_reported"]
    assert len(get(kind="seat").json()["results"]) == 2
    assert len(get(person=f"person-{person(VERA).pk}").json()["results"]) == 2
    assert get(person="vera").json()["results"] == []


def test_pages_are_cut_by_key_and_end():
    path, seen = "/api/v1/coverage/?page_size=1", []
    while path:
        body = get(path).json()
        seen += [row["id"] for row in body["results"]]
        path = body["next"] and body["next"].partition("http://127.0.0.1:8000")[2]
    assert len(seen) == len(set(seen)) == Covered.objects.count() == 4


def test_it_comes_as_csv():
    response = get(accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert len(rows) == 4
    assert {"kind", "state", "reason", "person.id", "seat.external_id", "device.serial"} <= rows[0].keys()


def test_looking_again_keeps_the_ids():
    before = [row["id"] for row in get().json()["results"]]
    looking.look()
    assert [row["id"] for row in get().json()["results"]] == before
