"""`/api/v1/connectors/` through real requests."""

import csv
import json

import pytest

from connectors import tokens
from connectors.models import Connection, Pull
from connectors.pulls import work
from connectors.vendors.shape import Organization, VendorError
from tests.connectors.canned import KEY, OTHER_KEY, connect

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(client):
    _, secret = tokens.issue("api", "monitoring", by="rosa", scopes=["connectors:read"])
    return lambda path="", **headers: client.get(
        f"/api/v1/connectors/{path}", headers={"Authorization": f"Bearer {secret}", **headers}
    )


def test_it_says_how_each_connection_is(get, vendor):
    vendor.errors["cost"] = [VendorError("No scope.", status=403, refused=True)]
    connection = connect()
    work.do_due(60)
    answer = get().json()
    assert (answer["next"], answer["previous"]) == (None, None)
    (found,) = answer["results"]
    assert found["id"] == str(connection.pk)
    assert found["organization"] == {"id": "org-1", "name": "Acme"}
    assert found["key"]["fingerprint"] == connection.fingerprint
    assert (found["state"], found["trouble"], found["lag_days"]) == ("partial", [], 0)
    assert found["next_run_at"]
    matrix = {each["endpoint"]: (each["allowed"], each["status"]) for each in found["capabilities"]}
    assert matrix == {"cost": (False, 403), "usage": (True, 200), "users": (True, 200)}
    assert len(found["last_runs"]) == 5
    assert {run["state"] for run in found["last_runs"]} == {"done"}
    assert get(f"{connection.pk}/").json() == found


def test_it_says_why_one_fails(get, vendor):
    connect()
    vendor.organizations.clear()
    work.do_due(60)
    (found,) = get().json()["results"]
    assert (found["state"], found["trouble"]) == ("failing", ["The key [key] is revoked."])
    failed = [run for run in found["last_runs"] if run["state"] == "failed"]
    assert failed[0]["error"] == "The key [key] is revoked."


def test_it_never_tells_a_key(get, vendor):
    connection = connect()
    vendor.errors["usage"] = [VendorError(f"{KEY} {KEY[-12:]}", status=404, refused=True)]
    work.do_due(60)
    for answer in (get(), get(f"{connection.pk}/"), get(Accept="text/csv")):
        assert KEY.encode() not in answer.content
        assert bytes(Connection.objects.get().secret).hex().encode() not in answer.content


def test_a_token_without_the_scope_gets_403(client, vendor):
    _, secret = tokens.issue("api", "usage", by="rosa", scopes=["usage:read", "tokens:read"])
    answer = client.get("/api/v1/connectors/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 403
    assert "connectors:read" in answer.json()["detail"]


def test_it_is_read_only(client, get, vendor):
    connect()
    _, secret = tokens.issue("api", "monitoring", by="rosa", scopes=["connectors:read", "tokens:write"])
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(client, method)("/api/v1/connectors/", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code in (403, 405), method


@pytest.mark.parametrize("key", ["x", "-" * 36, "00000000-0000-0000-0000-000000000000"])
def test_what_is_not_there_is_not_found(get, vendor, key):
    assert get(f"{key}/").status_code == 404


def test_pages_follow_each_other(get, vendor):
    connect("One")
    for number in range(2):
        key = f"{OTHER_KEY}{number}"
        vendor.organizations[key] = Organization(f"other-{number}", "Other")
        connect(f"Other {number}", key)
    first = get("?page_size=2").json()
    assert [each["name"] for each in first["results"]] == ["Other 1", "Other 0"]
    second = get(first["next"].partition("/api/v1/connectors/")[2]).json()
    assert [each["name"] for each in second["results"]] == ["One"]
    assert second["next"] is None


def test_it_comes_as_csv(get, vendor):
    connect("=cmd()")
    rows = list(csv.DictReader(get(Accept="text/csv").content.decode().splitlines()))
    assert rows[0]["name"] == "'=cmd()"
    assert rows[0]["organization.name"] == "Acme"
    assert rows[0]["key.last_four"] == "KLMN"
    assert {each["endpoint"] for each in json.loads(rows[0]["capabilities"])} == {"usage", "cost", "users"}
    assert Pull.objects.exists()
