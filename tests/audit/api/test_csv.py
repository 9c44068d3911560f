"""Lists as CSV: the same rows and columns, flattened, and harmless in a spreadsheet."""

import csv
import io
import json
import re

import pytest

from audit.api import views
from audit.listing.slots import Slots
from audit.models import Session
from tests.audit.api.conftest import body, response_json
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db

LISTS = ["sessions/", "events/", "permission-decisions/", "mode-changes/", "mcp-connections/", "mcp-servers/"]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x", " =1", "\u3000=1", "\ufeff=1"]


def read(response) -> list[dict[str, str]]:
    assert response.status_code == 200, body(response)
    text = body(response).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def flat(row: dict, prefix: str = "") -> dict:
    found = {}
    for name, value in row.items():
        if isinstance(value, dict) and name not in {"attributes", "content", "kinds", "decisions", "modes", "outcomes",
                                                     "tools"}:  # fmt: skip
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def cell(value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("path", ["sessions/", "events/", "mode-changes/", "mcp-connections/", "mcp-servers/"])
def test_it_holds_the_same_as_the_json(api, path):
    evidence(
        draft("prompt", content=[("@prompt", "string", 'He said "no",\r\nthen left')], flags=("nul",)),
        draft("mode_change", to_mode="plan"),
        draft("mcp_connection", mcp_server="github", mcp_server_provenance="stated"),
    )
    rows = api.results(path)
    assert rows
    expected = [{name: cell(value) for name, value in flat(row).items()} for row in rows]
    assert [row for row in read(api.get(path, "text/csv")) if row.get("agent") != "portal"] == expected


def test_more_at_once_than_may_be_read_are_asked_to_come_back(api, monkeypatch):
    evidence(draft("prompt"))
    monkeypatch.setattr(views, "downloads", Slots(0))
    refused = api.get("events/", "text/csv")
    assert (refused.status_code, refused["Retry-After"]) == (503, "30")
    assert response_json(refused)["code"] == "busy"
    assert api.get("events/").status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_its_columns_do_not_depend_on_the_rows(api, path):
    header = body(api.get(path, "text/csv"))
    evidence(draft("tool_decision", tool_use_id="t", decision="accept"), draft("mode_change"),
             draft("mcp_connection", mcp_server_provenance="hidden"))  # fmt: skip
    assert body(api.get(path, "text/csv")).startswith(header)
    assert header.endswith(b"\r\n")


def test_a_timeline_and_tokens_come_as_csv_too(holding):
    api = holding("events:read", "tokens:read")
    evidence(draft("prompt"))
    rows = read(api.get(f"sessions/{Session.objects.get().pk}/timeline/", "text/csv"))
    assert [row["kind"] for row in rows] == ["prompt"]
    assert api.get("ingest-tokens/", "text/csv")["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_a_formula(api, text):
    evidence(draft("prompt", event_name=text, model=text, prompt_id=text))
    (row,) = read(api.get("events/", "text/csv"))
    assert {row["event_name"], row["model"], row["prompt_id"]} == {f"'{text}"}


def test_it_holds_all_pages(api, monkeypatch):
    monkeypatch.setattr("audit.api.pagination.LARGEST_SIZE", 3)
    evidence(*(draft(event_name=f"{number:02}") for number in range(10)))
    rows = read(api.get("events/", "text/csv"))
    assert [row["event_name"] for row in rows] == [f"{number:02}" for number in range(9, -1, -1)]


def test_it_ends_at_the_limit_it_states(api, monkeypatch):
    monkeypatch.setattr("audit.api.pagination.LARGEST_SIZE", 3)
    monkeypatch.setattr("audit.api.views.CSV_ROWS", 7)
    evidence(*(draft() for _ in range(10)))
    response = api.get("events/", "text/csv")
    assert response["X-Row-Limit"] == "7"
    assert len(read(response)) == 7


def test_with_a_page_size_it_holds_that_page(api):
    evidence(*(draft(event_name=f"{number:02}") for number in range(5)))
    response = api.get("events/", "text/csv", page_size=2)
    assert [row["event_name"] for row in read(response)] == ["04", "03"]
    following = re.search('<(.*)>; rel="next"', response["Link"])[1]
    assert [row["event_name"] for row in read(api.get(following, "text/csv"))] == ["02", "01"]


def test_it_is_a_file_to_download(api):
    response = api.get("permission-decisions/", "text/csv")
    assert response["Content-Disposition"] == 'attachment; filename="permission-decisions.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.streaming


def test_it_is_narrowed_like_the_list(api):
    evidence(draft("prompt"), draft("response"))
    assert [row["kind"] for row in read(api.get("events/", "text/csv", kind="prompt"))] == ["prompt"]


@pytest.mark.parametrize("parameters", [{"nonsense": "1"}, {"after": "x"}, {"kind": "x"}, {"page_size": "0"}])
def test_what_is_wrong_with_a_request_is_a_problem_document(api, parameters):
    response = api.get("events/", "text/csv", **parameters)
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert response_json(response)["errors"]


def test_one_row_by_itself_is_json_only(api):
    (event,) = evidence(draft())
    assert api.get(f"events/{event.id}/", "text/csv").status_code == 406


def test_text_keeps_its_control_characters_and_stays_in_its_cell(api):
    hostile = 'a\0b\x1b[31m\u202e"quoted", new\r\nline\ud7ff'
    evidence(draft("prompt", content=[("@prompt", "string", hostile)]))
    (row,) = read(api.get("events/", "text/csv"))
    assert json.loads(row["content"]) == {"prompt": hostile}
