"""The lists of evidence and their rows."""

import datetime as dt
import json

import pytest

from audit.models import Event, McpServer, Session, ToolUse
from tests.audit.api.conftest import body, response_json
from tests.factories import draft, evidence, record

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
LISTS = (
    "sessions/", "events/", "permission-decisions/", "mode-changes/", "mcp-connections/", "mcp-servers/",
)  # fmt: skip


def call(tool_use_id: str, kind: str = "tool_decision", **columns):
    values = {"tool_use_id": tool_use_id, "tool_name": "Bash", "tool_source": "builtin", "command": "ls -la",
              "content": [("@tool_parameters", "string", "{}")]}  # fmt: skip
    if kind == "tool_decision":
        values |= {"decision": "accept", "decided_by": "person", "grant": "once", "basis": "stated", "mode": "default",
                   "mode_provenance": "stated", "decision_raw": "decision=accept source=user_temporary"}  # fmt: skip
    return draft(kind, **values | columns)


def story() -> None:
    evidence(
        draft("prompt", content=[("@prompt", "string", "Fix the rounding")], prompt_id="p-1"),
        draft("mcp_connection", mcp_server="github", mcp_server_provenance="stated", mcp_status="connected",
              mcp_transport="stdio", mcp_scope="user", outcome="success"),
        call("toolu_1", prompt_id="p-1", occurred_at=NOON),
        call("toolu_1", "tool_result", prompt_id="p-1", outcome="success", duration_ms=143),
        draft("mode_change", from_mode="default", to_mode="plan", trigger="shift_tab", mode="plan",
              mode_provenance="stated"),
        draft("api_request", input_tokens=10, output_tokens=20, cost_usd="0.0001"),
    )  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_next_previous_and_results(api, path):
    assert api.read(path) == {"next": None, "previous": None, "results": []}
    story()
    page = api.read(path)
    assert list(page) == ["next", "previous", "results"]
    assert page["results"]


def test_a_session_tells_what_happened_in_it(api):
    story()
    (session,) = api.results("sessions/")
    assert session["session_id"] == "s-1"
    assert session["id"] == str(Session.objects.get().pk)
    assert session["actor"]["email"] == "dana@acme.example"
    assert (session["team"], session["repository"], session["events"]) == ("payments", "payments-api", 6)
    assert session["decisions"] == {"accept:person": 1}
    assert session["tokens"] == {"input": 10, "output": 20, "cache_read": 0, "cache_creation": 0}
    assert session["cost_usd"].startswith("0.0001")
    assert session["grade"] == "c"
    assert session["tools"] == ["Bash"]
    assert api.read(f"sessions/{session['id']}/") == session


def test_a_session_that_is_not_judged_yet_has_no_letter(api):
    evidence(draft(sequence=0), draft(sequence=1))
    assert [session["grade"] for session in api.results("sessions/")] == ["unjudged"]
    Session.objects.update(unjudged=[])
    assert [session["grade"] for session in api.results("sessions/")] == ["a"]


def test_events_come_in_the_feeds_own_shape(api):
    story()
    feed = [json.loads(line) for line in body(api.get("export/")).splitlines()]
    assert api.results("events/", agent="claude_code") == feed[::-1]


def test_an_event_is_shown_before_it_is_sealed(api):
    (event,) = record(draft())
    shown = api.read(f"events/{event.id}/")
    assert (shown["id"], shown["seq"], shown["sealed_at"]) == (str(event.id), None, None)
    assert api.results("events/", agent="claude_code") == [shown]


def test_an_event_has_an_address(api):
    story()
    for event in api.results("events/"):
        assert api.read(f"events/{event['id']}/") == event


def test_a_permission_decision_says_who_allowed_what(api):
    story()
    (decision,) = api.results("permission-decisions/")
    expected = {
        "session_id": "s-1", "tool_use_id": "toolu_1", "agent": "claude_code", "tool": "Bash", "decision": "accept",
        "decided_by": "person", "grant": "once", "basis": "stated", "mode": "default", "mode_provenance": "stated",
        "decision_raw": "decision=accept source=user_temporary", "occurred_at": "2026-11-21T12:00:00.000000Z",
        "outcome": "success", "duration_ms": 143, "content": {"command": "ls -la", "path": None, "host": None},
        "team": "payments", "repository": "payments-api", "prompt_id": "p-1", "decisions": 1,
    }  # fmt: skip
    assert {name: decision[name] for name in expected} == expected
    assert api.read(f"events/{decision['decision_event']}/")["kind"] == "tool_decision"
    assert api.read(f"events/{decision['result_event']}/")["kind"] == "tool_result"
    assert api.read(f"sessions/{decision['session']}/")["session_id"] == "s-1"


def test_a_result_without_a_decision_is_no_permission_decision(api):
    evidence(call("toolu_1", "tool_result"))
    assert api.results("permission-decisions/") == []
    assert ToolUse.objects.count() == 1


def test_mode_changes_and_connections_are_events_of_their_kind(api):
    story()
    (change,) = api.results("mode-changes/")
    assert (change["from_mode"], change["to_mode"], change["trigger"]) == ("default", "plan", "shift_tab")
    (connection,) = api.results("mcp-connections/")
    assert connection["mcp"] == {
        "server": "github", "server_provenance": "stated", "tool": None, "transport": "stdio", "status": "connected",
        "scope": "user",
    }  # fmt: skip


def test_an_mcp_server_tells_how_it_was_used(api):
    story()
    evidence(draft("mcp_connection", mcp_server_provenance="hidden", mcp_status="failed"))
    hidden, github = api.results("mcp-servers/")
    assert (hidden["name"], hidden["failures"]) == (None, 1)
    assert (github["name"], github["connections"], github["transports"], github["scopes"]) == (
        "github", 1, ["stdio"], ["user"],
    )  # fmt: skip


def test_a_timeline_joins_decision_and_result(api):
    story()
    session = Session.objects.get().pk
    shown = api.results(f"sessions/{session}/timeline/")
    kinds = [row["kind"] for row in shown]
    assert sorted(kinds) == ["api_request", "mcp_connection", "mode_change", "prompt", "tool_use"]
    use = shown[kinds.index("tool_use")]
    assert [api.read(f"events/{event}/")["kind"] for event in use["events"]] == ["tool_decision", "tool_result"]
    assert (use["decision"], use["outcome"], use["content"]["command"]) == ("accept", "success", "ls -la")
    assert shown[kinds.index("prompt")]["content"]["text"] == "Fix the rounding"
    assert shown[kinds.index("prompt")]["seq"] == 0


def test_a_timeline_is_paged_from_beginning_to_end(api):
    start = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    evidence(*(draft(occurred_at=start + dt.timedelta(seconds=n // 2), event_name=f"{n:02}") for n in range(11)))
    path = f"sessions/{Session.objects.get().pk}/timeline/"
    pages = api.pages(path, page_size=3)
    names = [row["event_name"] for page in pages for row in page["results"]]
    assert [len(page["results"]) for page in pages] == [3, 3, 3, 2]
    assert names == sorted(names)
    assert len(set(names)) == 11
    assert api.read(pages[-1]["previous"])["results"] == pages[-2]["results"]
    assert pages[0]["previous"] is None


def test_a_timeline_can_be_narrowed_to_a_show(api):
    story()
    path = f"sessions/{Session.objects.get().pk}/timeline/"
    assert {row["kind"] for row in api.results(path, show="mcp")} == {"mcp_connection"}
    assert "api_request" not in {row["kind"] for row in api.results(path, show="steps")}
    assert api.get(path, show="nonsense").status_code == 400


@pytest.mark.parametrize(
    "path",
    ["events/{}/", "sessions/{}/", "sessions/{}/timeline/"],
)
def test_what_is_not_there_is_a_404(api, path):
    response = api.get(path.format("01a1fd72-2641-7770-8000-137ebfd26f83"))
    assert (response.status_code, response_json(response)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("sessions/", 2), ("events/", 2), ("permission-decisions/", 2), ("mode-changes/", 2), ("mcp-connections/", 2),
        ("mcp-servers/", 2), ("sessions/{session}/", 2), ("events/{event}/", 2), ("sessions/{session}/timeline/", 12),
        ("events/?q=ls", 12), ("sessions/?q=ls", 12), ("permission-decisions/?q=ls", 12),
        ("events/?actor=dana@acme.example&session=s-1&team=payments&prompt=p-1&mcp_tool=x", 8),
    ],
)  # fmt: skip
def test_queries_do_not_grow_with_rows(api, path, most, django_assert_max_num_queries):
    story()
    for number in range(20):
        evidence(call(f"toolu_x{number}", session_id=f"s-{number}", prompt_id="p-1"),
                 draft("mode_change", to_mode="plan"), draft("mcp_connection", mcp_server=f"m-{number}",
                 mcp_server_provenance="stated"))  # fmt: skip
    path = path.format(session=Session.objects.get(session_id="s-1").pk, event=Event.objects.first().pk)
    api.get(path)  # the token's last use is noted once a minute
    # A deadline is set and reset around the page: six statements with the savepoint that a test adds.
    with django_assert_max_num_queries(most + 6):
        assert body(api.get(f"/api/v1/{path}"))


def test_servers_are_listed_by_when_they_were_last_seen(api):
    story()
    assert [row["id"] for row in api.results("mcp-servers/")] == [str(McpServer.objects.get().pk)]
