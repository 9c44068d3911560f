"""What lists are narrowed by. What the narrowing does is tested in tests/audit/test_search.py."""

import datetime as dt

import pytest

from audit.models import Subject
from tests.audit.api.conftest import response_json
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db

NOON = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0) - dt.timedelta(days=2)

EVENTS = """
    kind agent session prompt tool tool_use_id mcp_server mcp_tool decision decided_by grant mode actor team repository
    outcome occurred_after occurred_before received_after received_before q
""".split()  # noqa: SIM905 - the list of DESIGN §5.3
SESSIONS = """
    session agent actor team repository tool mcp_server decision decided_by mode occurred_after occurred_before q
""".split()  # noqa: SIM905
VALUES = {
    "kind": "prompt", "agent": "codex", "decision": "accept", "decided_by": "person", "grant": "once",
    "outcome": "success", "occurred_after": "2026-11-21T12:00:00Z", "occurred_before": "2026-11-21",
    "received_after": "2026-11-21T12:00:00.123456+01:00", "received_before": "2026-11-21T12:00:00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("events/", EVENTS),
        ("sessions/", SESSIONS),
        ("permission-decisions/", sorted(set(EVENTS) - {"kind"})),
        ("mode-changes/", sorted(set(EVENTS) - {"kind"})),
        ("mcp-connections/", sorted(set(EVENTS) - {"kind"})),
        ("mcp-servers/", ["name", "transport", "scope"]),
    ],
)
def test_a_list_knows_its_filters(api, path, names):
    for name in names:
        assert api.get(path, **{name: VALUES.get(name, "x")}).status_code == 200, name
    problem = response_json(api.get(path, nonsense=1))
    known = problem["errors"]["nonsense"][0].partition("Known are: ")[2].rstrip(".").split(", ")
    assert sorted(known) == sorted([*names, "page_size", "after", "before"])


@pytest.mark.parametrize("path", ["events/", "sessions/", "permission-decisions/", "mcp-servers/", "ingest-tokens/"])
def test_a_filter_that_does_not_exist_is_refused(holding, path):
    api = holding("events:read", "tokens:read")
    response = api.get(path, decison="reject")
    assert response.status_code == 400
    assert response_json(response)["code"] == "unknown_parameter"


def test_a_filter_given_twice_is_refused(api):
    response = api.get("events/?tool=Bash&tool=Read")
    assert response.status_code == 400
    assert "tool" in response_json(response)["errors"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "prompts"), ("agent", "claude"), ("decision", "allow"), ("decided_by", "me"), ("grant", "forever"),
        ("outcome", "ok"), ("occurred_after", "yesterday"), ("occurred_before", "2026-13-01"),
        ("received_after", "1795240414"), ("received_before", "2026-11-21T25:00:00Z"), ("tool", "a\0b"),
        ("q", "\0"), ("actor", "x" * 1001), ("session", "\0"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_with_its_field(api, name, value):
    response = api.get("events/", **{name: value})
    assert response.status_code == 400
    assert list(response_json(response)["errors"]) == [name]


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("0001-01-01T00:00:00Z", 200), ("9999-12-31T23:59:59.999999Z", 200), ("1969-12-31", 200),
        ("2026-11-21T12:00:00+23:59", 200), ("0001-01-01T00:00:00+00:01", 400), ("9999-12-31T23:59:59-00:01", 400),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["occurred_after", "occurred_before", "received_after", "received_before"])
def test_times_may_lie_anywhere_in_the_calendar(api, name, moment, status):
    assert api.get("events/", **{name: moment}).status_code == status
    assert api.get("sessions/", **{name: moment}).status_code == (status if name.startswith("occurred") else 400)


def test_events_are_narrowed(api):
    evidence(draft("tool_decision", tool_name="Bash", event_name="a", occurred_at=NOON),
             draft("tool_decision", tool_name="Read", event_name="b", occurred_at=NOON))  # fmt: skip
    assert [row["event_name"] for row in api.results("events/", tool="Read")] == ["b"]
    assert api.results("events/", tool="Read", kind="prompt") == []
    assert len(api.results("events/", agent="claude_code", occurred_after=f"{NOON:%Y-%m-%d}T12:00:00Z")) == 2
    assert api.results("events/", occurred_before=f"{NOON:%Y-%m-%d}T13:00:00+01:00") == []
    assert len(api.results("events/", occurred_before=f"{NOON:%Y-%m-%d}T13:00:01+01:00")) == 2


def test_sessions_are_found_by_the_vendors_id(api):
    evidence(draft(session_id="one"), draft(session_id="two"))
    assert [row["session_id"] for row in api.results("sessions/", session="two")] == ["two"]


def test_a_list_of_one_kind_keeps_to_it(api):
    evidence(draft("mode_change", to_mode="plan", mode="plan"), draft("tool_decision", mode="plan"))
    assert len(api.results("events/", mode="plan")) == 2
    assert len(api.results("mode-changes/", mode="plan")) == 1


def test_an_address_may_only_be_asked_for_with_the_right(holding):
    evidence(draft())
    allowed, refused = holding("events:read", "identity:read"), holding("events:read", "content:read")
    for path in ("events/", "sessions/", "permission-decisions/", "mode-changes/"):
        assert allowed.get(path, actor="dana@acme.example").status_code == 200
        response = refused.get(path, actor="dana@acme.example")
        assert (response.status_code, response_json(response)["code"]) == (403, "permission_denied")
        assert "identity:read" in response_json(response)["detail"]


def test_a_pseudonym_may_be_asked_for_without_the_right(holding):
    evidence(draft(), draft(subject=(("@user.email", "string", "bo@acme.example"),)))
    api = holding("events:read")
    pseudonym = api.results("events/")[0]["actor"]["id"]
    assert {row["actor"]["id"] for row in api.results("events/", actor=pseudonym)} == {pseudonym}
    dana = Subject.objects.get(email="dana@acme.example")
    assert {row["actor"]["id"] for row in api.results("events/", actor=dana.pseudonym)} == {str(dana.id)}


def test_text_is_searched_in_content_only_with_the_right(holding):
    evidence(draft("prompt", content=[("@prompt", "string", "payments")]), draft("tool_result", tool_name="payments"))
    kinds = {"content:read": {"prompt", "tool_result"}, "identity:read": {"tool_result"}}
    for scope, expected in kinds.items():
        api = holding("events:read", scope)
        assert {row["kind"] for row in api.results("events/", q="payments")} == expected
