"""Keyset pages over REST: `next`, `previous`, `page_size`, cursors that were tampered with."""

import base64
import datetime as dt
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Session
from tests.audit.api.conftest import body, response_json
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def sessions(count: int) -> list[str]:
    """Sessions of which three at a time began in the same microsecond; their ids as a list shows them."""
    evidence(
        *(draft(session_id=f"s-{number}", occurred_at=NOON + dt.timedelta(microseconds=number // 3))
          for number in range(count))
    )  # fmt: skip
    found = sorted(Session.objects.all(), key=lambda session: (session.first_at, session.id), reverse=True)
    return [str(session.id) for session in found]


def ids(page) -> list[str]:
    return [row["id"] for row in page["results"]]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000])
def test_following_next_shows_every_row_once_though_times_are_equal(api, size):
    expected = sessions(10)
    pages = api.pages("sessions/", page_size=size)
    assert [each for page in pages for each in ids(page)] == expected
    assert all(len(page["results"]) == size for page in pages[:-1])


def test_following_previous_leads_back(api):
    sessions(10)
    pages = api.pages("sessions/", page_size=3)
    assert pages[0]["previous"] is None
    for page, earlier in zip(pages[1:], pages, strict=False):
        assert ids(api.read(page["previous"])) == ids(earlier)


def test_new_rows_do_not_shift_a_page(api):
    expected = sessions(6)
    first = api.read("sessions/", page_size=3)
    evidence(draft(session_id="later", occurred_at=NOON + dt.timedelta(days=1)))
    assert ids(api.read(first["next"])) == expected[3:]


def test_links_keep_the_filters_and_lead_to_the_public_address(api, settings):
    """Not to the Host header's, which is the sender's word: a client sends its token where a link leads."""
    settings.PUBLIC_URL = "https://governance.example"
    sessions(4)
    page = api.read("sessions/", page_size=2, agent="claude_code")
    address = urlsplit(page["next"])
    assert (address.scheme, address.netloc, address.path) == ("https", "governance.example", "/api/v1/sessions/")
    assert parse_qs(address.query).keys() == {"page_size", "agent", "after"}


def test_links_are_headers_too(api):
    sessions(4)
    page = api.read("sessions/", page_size=1)
    response = api.get(page["next"])
    second = response_json(response)
    assert response["Link"] == f'<{second["previous"]}>; rel="prev", <{second["next"]}>; rel="next"'


@pytest.mark.parametrize("path", ["sessions/", "events/", "permission-decisions/", "mcp-servers/", "mode-changes/"])
@pytest.mark.parametrize("size", ["0", "1001", "-1", "x", "", "1.5", " 5", "+5", "9" * 5000, "٣", "1e2"])
def test_a_page_size_outside_is_refused(api, path, size):
    response = api.get(path, page_size=size)
    assert response.status_code == 400
    assert "page_size" in response_json(response)["errors"]


@pytest.mark.parametrize("size", ["1", "1000"])
def test_the_bounds_of_a_page_size_are_allowed(api, size):
    assert api.get("events/", page_size=size).status_code == 200


def test_after_and_before_together_are_refused(api):
    sessions(4)
    page = api.read("sessions/", page_size=2)
    cursor = parse_qs(urlsplit(page["next"]).query)["after"][0]
    assert api.get("sessions/", after=cursor, before=cursor).status_code == 400


ODD = [
    "x", "", "%", "null", "W10", "e30", "MQ", "A" * 10_000, "é", "\0", base64.b64encode(b"[null,null]").decode(),
    *(base64.urlsafe_b64encode(json.dumps(values).encode()).decode() for values in (
        ["x", "y"], [True, "0" * 32], ["2026-11-21T12:00:00+00:00"], ["2026-11-21T12:00:00+00:00", "zz"],
        ["9999-99-99", "0" * 32], ["2026-11-21T12:00:00+00:00", "0" * 32, 1], [{}, []], ["\0", "\0"], [10**400, 1],
    )),
]  # fmt: skip


@pytest.mark.parametrize("path", ["sessions/", "events/", "permission-decisions/", "mcp-servers/", "timeline"])
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_cursor_that_was_tampered_with_is_refused(api, path, name):
    sessions(2)
    path = f"sessions/{Session.objects.first().pk}/timeline/" if path == "timeline" else path
    answers = {cursor: api.get(path, **{name: cursor}) for cursor in ODD if cursor}
    assert {response.status_code for response in answers.values()} == {400}
    assert {response["Content-Type"] for response in answers.values()} == {"application/problem+json"}


def test_the_cursor_of_another_list_is_refused(api):
    sessions(4)
    session = parse_qs(urlsplit(api.read("sessions/", page_size=2)["next"]).query)["after"][0]
    event = parse_qs(urlsplit(api.read("events/", page_size=2)["next"]).query)["after"][0]
    assert api.get("events/", after=session).status_code == 400
    assert api.get("sessions/", after=event).status_code == 400


@given(st.lists(st.none() | st.booleans() | st.integers() | st.text() | st.floats(), max_size=3))
def test_no_cursor_breaks_a_list(values):
    from audit.listing.keyset import BadCursor, Keyset

    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    try:
        list(Keyset("-first_at", "-id")._beyond(Session.objects.all(), cursor)[:1])
    except BadCursor:
        return


def test_a_page_of_a_search_goes_on_where_it_ended(api):
    evidence(*(draft("prompt", content=[("@prompt", "string", f"needle {n}")], event_name=f"{n:02}") for n in range(7)),
             draft("prompt", content=[("@prompt", "string", "hay")]))  # fmt: skip
    pages = api.pages("events/", page_size=3, q="needle")
    assert [row["event_name"] for page in pages for row in page["results"]] == [f"{n:02}" for n in range(6, -1, -1)]
    assert body(api.get(pages[1]["previous"])) == body(api.get("events/", page_size=3, q="needle"))


def test_a_page_of_large_events_ends_early_and_the_next_goes_on(api, monkeypatch):
    evidence(*(draft("prompt", content=[("@prompt", "string", "x" * 5000)]) for _ in range(7)))
    expected = ids(api.read("events/", agent="claude_code"))
    monkeypatch.setattr("audit.api.views.PAGE_BYTES", 15_000)
    pages = api.pages("events/", agent="claude_code")
    assert [len(page["results"]) for page in pages] == [3, 3, 1]
    assert [each for page in pages for each in ids(page)] == expected
    assert ids(api.read(pages[1]["previous"])) == expected[:3]
