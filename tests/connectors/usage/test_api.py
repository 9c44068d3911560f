"""`/api/v1/usage/`."""

import csv
import datetime as dt
import io

import pytest

from connectors.models import Identity, Person
from tests.audit.api.conftest import Api, body
from tests.connectors.usage.telling import MODEL, TODAY, request, rolled_up
from tests.connectors.usage.test_page import from_telemetry, from_vendor
from tests.factories import acts, record, seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db):
    return Api("usage:read")


def test_it_answers_with_what_is_believed(api):
    from_telemetry()
    held = from_vendor()
    first, second = api.results("usage/")
    identity = Identity.objects.get()
    assert first["person"] == {"id": f"identity-{identity.pk}", "name": None, "email": None}
    assert (first["day"], first["model"], first["sessions"], first["prompts"]) == (str(TODAY), "", 2, 1)
    assert (first["cost_reported"], first["tokens"]["input"]) == ("0.500000000", 500)
    assert first["feeds"] == [f"{held.pk}/claude_code", "telemetry"]
    assert (second["model"], second["requests"], second["tokens"]["input"]) == (MODEL, 1, 0)


def test_one_feed_can_be_read_as_it_is(api):
    from_telemetry()
    held = from_vendor()
    (mine,) = [row for row in api.results("usage/", feed="telemetry") if row["model"]]
    assert (mine["tokens"]["input"], mine["cost_reported"]) == (100, "0.015000000")
    (its,) = api.results("usage/", feed=f"{held.pk}/claude_code")
    assert (its["sessions"], its["tokens"]["input"]) == (2, 500)


def test_names_need_their_scope():
    from_telemetry()
    Identity.objects.update(person=Person.objects.create(name="Dana Reyes", email="dana@acme.example"))
    (row,) = Api("usage:read", "identity:read").results("usage/", group_by="person")
    assert (row["person"]["name"], row["person"]["email"]) == ("Dana Reyes", "dana@acme.example")
    plain = Api("usage:read")
    assert b"dana" not in body(plain.get("usage/", group_by="person")).lower()
    assert plain.get("usage/", person="dana@acme.example").status_code == 403
    assert plain.results("usage/", person=row["person"]["id"])
    assert Api("usage:read", "identity:read").results("usage/", person="Dana@acme.example")


def test_it_takes_its_own_scope():
    assert Api("events:read").get("usage/").status_code == 403
    assert Api().get("usage/").status_code == 401


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("group_by", ["day", "day,model", "team", "agent,model", "day,person,agent,model"])
def test_pages_hold_every_group_once(api, size, group_by):
    days = [TODAY - dt.timedelta(days=n) for n in range(3)]
    record(*(request(day=day, session=f"s-{n}", model=model) for day in days for n in (1, 2) for model in ("a", "b")))
    seal()
    rolled_up()
    whole = api.results("usage/", group_by=group_by)
    pages = api.pages("usage/", group_by=group_by, page_size=size)
    assert [row for page in pages for row in page["results"]] == whole
    assert sum(row["requests"] for row in whole) == 12
    if pages[-1]["previous"]:
        assert api.read(pages[-1]["previous"])["results"] == pages[-2]["results"]


def test_it_comes_as_csv(api):
    from_telemetry()
    rows = list(csv.DictReader(io.StringIO(body(api.get("usage/", accept="text/csv")).decode())))
    assert [row["model"] for row in rows] == ["", MODEL]
    assert rows[1]["tokens.input"] == "100"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"group_by": "day,shoe"}, "group_by"),
        ({"first_day": "2026-02-31"}, "first_day"),
        ({"first_day": "2020-01-01"}, "first_day"),
        ({"first_day": "2026-02-02", "last_day": "2026-02-01"}, "last_day"),
        ({"feed": "nothing"}, "feed"),
        ({"colour": "red"}, "colour"),
        ({"team": "a\x00"}, "team"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_said(api, query, parameter):
    response = api.get("usage/", **query)
    assert response.status_code == 400
    assert parameter in response.json()["errors"]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJcdTAwMDAiXQ", "WzFd", "eyJhIjoxfQ"])
def test_a_bad_cursor_is_refused(api, cursor):
    assert api.get("usage/", group_by="day", after=cursor).status_code == 400


def test_polls_are_recorded_and_so_is_each_question_about_a_person():
    from_telemetry()
    api = Api("usage:read", "identity:read")
    api.results("usage/")
    api.results("usage/")
    api.results("usage/", person="dana@acme.example")
    assert [act["list"] for act in acts("export.polled")] == ["usage"]
    assert [act["query"] for act in acts("evidence.listed")] == ["person=dana@acme.example"]
