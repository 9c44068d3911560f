"""`GET /api/v1/export/` as SIEM software asks for it."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.audit.api.conftest import body, response_json
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db


def lines(response) -> list[dict]:
    assert response.status_code == 200, body(response)
    return [json.loads(line) for line in body(response).splitlines()]


def test_it_answers_with_lines_and_where_to_go_on(api):
    evidence(*(draft() for _ in range(3)))
    response = api.get("export/", limit=2)
    assert [line["seq"] for line in lines(response)] == [0, 1]
    assert response["Content-Type"] == "application/x-ndjson"
    assert (response["X-Next-Cursor"], response["X-Has-More"]) == ("0.1", "true")
    response = api.get("export/", limit=2, after="0.1")
    assert [line["seq"] for line in lines(response)] == [2]
    assert (response["X-Next-Cursor"], response["X-Has-More"]) == ("0.2", "false")


def test_the_link_leads_on_with_the_same_parameters(api):
    evidence(*(draft() for _ in range(3)))
    response = api.get("export/", limit=2, format="native")
    address, _, relation = response["Link"].partition("; ")
    assert relation == 'rel="next"'
    assert parse_qs(urlsplit(address.strip("<>")).query) == {"limit": ["2"], "format": ["native"], "after": ["0.1"]}
    assert [line["seq"] for line in lines(api.get(address.strip("<>")))] == [2]


@pytest.mark.parametrize("after", ["0.4", "0.5", "0.999999999999999999999999"])
def test_at_the_head_and_beyond_it_a_page_is_empty_and_its_cursor_usable(api, after):
    evidence(*(draft() for _ in range(5)))
    response = api.get("export/", after=after)
    assert lines(response) == []
    assert (response["X-Next-Cursor"], response["X-Has-More"]) == (after, "false")
    assert api.get("export/", after=response["X-Next-Cursor"]).status_code == 200


def test_an_empty_ledger_can_be_tailed(api):
    response = api.get("export/")
    assert (lines(response), response["X-Has-More"]) == ([], "false")
    evidence(draft())
    assert [line["seq"] for line in lines(api.get("export/", after=response["X-Next-Cursor"]))] == [0]


@pytest.mark.parametrize("after", ["", "x", "0", "0.", "0.-1", "-1.0", "0.1.2", "0.1e9", "0.1\0", "0.٣", "0.1 ", "1"])
def test_a_cursor_that_is_none_is_refused(api, after):
    response = api.get("export/", after=after)
    assert (response.status_code, list(response_json(response)["errors"])) == (400, ["after"])


@pytest.mark.parametrize("after", ["1.0", "3.start", "99.5"])
def test_a_retired_epoch_is_gone(api, after):
    response = api.get("export/", after=after)
    assert (response.status_code, response_json(response)["code"]) == (410, "epoch_retired")
    assert "0.start" in response_json(response)["detail"]


@pytest.mark.parametrize("limit", ["0", "10001", "-1", "x", "", "1.0", "9" * 5000])
def test_a_limit_outside_is_refused(api, limit):
    response = api.get("export/", limit=limit)
    assert (response.status_code, list(response_json(response)["errors"])) == (400, ["limit"])


@pytest.mark.parametrize("limit", ["1", "10000"])
def test_the_bounds_of_a_limit_are_allowed(api, limit):
    assert api.get("export/", limit=limit).status_code == 200


@pytest.mark.parametrize(("form", "code"), [("ocsf", "not_available"), ("ecs", "not_available"), ("xml", "invalid"),
                                            ("", "invalid")])  # fmt: skip
def test_other_formats_are_refused_in_words(api, form, code):
    response = api.get("export/", format=form)
    assert (response.status_code, response_json(response)["code"]) == (400, code)


def test_parameters_it_does_not_know_are_refused(api):
    assert api.get("export/", cursor="0.1").status_code == 400
    assert api.get("export/?limit=1&limit=2").status_code == 400


@pytest.mark.parametrize("accept", ["application/x-ndjson", "*/*", "application/json", "text/html", "nonsense"])
def test_whatever_a_poller_accepts_it_gets_lines(api, accept):
    evidence(draft())
    response = api.get("export/", accept)
    assert response["Content-Type"] == "application/x-ndjson"
    assert len(lines(response)) == 1


def test_errors_are_problem_documents_whatever_a_poller_accepts(api):
    assert api.get("export/", "application/x-ndjson", limit=0)["Content-Type"] == "application/problem+json"


def test_it_asks_the_database_a_few_times_however_long_the_page(api, django_assert_max_num_queries):
    evidence(*(draft() for _ in range(40)))
    api.get("export/")
    with django_assert_max_num_queries(3):
        assert len(lines(api.get("export/", limit=40))) == 40


def test_hostile_values_are_shown_as_they_are(api):
    hostile = 'a\0b\x1b[31m\u202e</script>"\\\u2028'
    evidence(draft("prompt", content=[("@prompt", "string", hostile), ("@n", "double", "NaN"), ("@b", "bytes", "AAEC"),
                                      ("@m", "map", [["k", "array", [["int", 2**62]]]])]))  # fmt: skip
    (line,) = lines(api.get("export/"))
    assert line["content"] == {"prompt": hostile, "n": "NaN", "b": "AAEC", "m": {"k": [str(2**62)]}}
    assert b"\n" not in body(api.get("export/")).removesuffix(b"\n")
