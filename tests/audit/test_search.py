import datetime as dt

import pytest
from django.db.models import Func, TextField, Value

from audit import search
from audit.listing.keyset import Keyset
from audit.models import Event, Session, Subject, ToolUse
from audit.search import hits
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db

NOON = dt.datetime.now(dt.UTC).replace(hour=12) - dt.timedelta(days=2)


def emitter(**attributes: str):
    return [
        ("resource@service.name", "string", "claude-code"),
        *((f"@{k}", "string", v) for k, v in attributes.items()),
    ]


def person(email: str):
    return [("@user.email", "string", email), ("@user.id", "string", email[:4])]


def call(tool_use_id: str | None, tool: str = "Bash", kind: str = "tool_decision", **columns):
    values = {"tool_use_id": tool_use_id, "tool_name": tool}
    if kind == "tool_decision":
        values |= {"decision": "accept", "decided_by": "person", "basis": "stated"}
    if "command" in columns:
        values |= {"content": [("@tool_parameters", "string", "{}")]}
    if "mcp_server" in columns:
        values |= {"mcp_server_provenance": "stated"}
    return draft(kind, **values | columns)


def prompt(text: str, **columns):
    return draft("prompt", content=[("@prompt", "string", text)], **columns)


def names(found) -> set[str]:
    return set(found.values_list("event_name", flat=True))


def said(found, text: str, *, with_content: bool = True) -> set:
    alternatives = search.saying(found, text, with_content=with_content)
    return {row.pk for alternative in alternatives for row in alternative}


@pytest.mark.parametrize(
    ("narrowing", "expected"),
    [
        ({}, {"a", "b", "c"}),
        ({"kind": "prompt"}, {"c"}),
        ({"agent": "codex"}, {"b"}),
        ({"tool": "Bash"}, {"a"}),
        ({"tool_use_id": "toolu_1"}, {"a"}),
        ({"mcp_server": "github"}, {"b"}),
        ({"mcp_tool": "search"}, {"b"}),
        ({"mcp_server": "github", "mcp_tool": "delete"}, set()),
        ({"decision": "accept"}, {"a"}),
        ({"decided_by": "policy"}, {"b"}),
        ({"grant": "once"}, {"a"}),
        ({"mode": "plan"}, {"b"}),
        ({"outcome": "not_run"}, {"b"}),
        ({"actor": "ana@acme.example"}, {"a", "b"}),
        ({"actor": "ANA@acme.example"}, {"a", "b"}),
        ({"actor": "bo@acme.example"}, {"c"}),
        ({"actor": "nobody@acme.example"}, set()),
        ({"team": "payments"}, {"a"}),
        ({"repository": "payments-api"}, {"a"}),
        ({"repository": "ledger"}, {"b", "c"}),
        ({"session": "s-1"}, {"a", "c"}),
        ({"session": "s-9"}, set()),
        ({"prompt": "p-1"}, {"a", "c"}),
        ({"occurred_after": NOON}, {"b", "c"}),
        ({"occurred_before": NOON}, {"a"}),
        ({"tool": "Bash", "actor": "bo@acme.example"}, set()),
    ],
)
def test_it_narrows_events(narrowing, expected):
    evidence(
        call(
            "toolu_1", event_name="a", grant="once", session_id="s-1", prompt_id="p-1",
            subject=person("ana@acme.example"), occurred_at=NOON - dt.timedelta(seconds=1),
            origin=emitter(team="payments", repository="git@acme.example:payments-api.git"),
        ),
        call(
            "toolu_2", "mcp_tool", event_name="b", agent="codex", session_id="s-2", mcp_server="github",
            mcp_tool="search", decision="reject", decided_by="policy", mode="plan", outcome="not_run",
            subject=person("ana@acme.example"), origin=emitter(repository="https://git.example/ledger"),
            occurred_at=NOON,
        ),
        prompt(
            "Fix it", event_name="c", session_id="s-1", prompt_id="p-1", subject=person("bo@acme.example"),
            origin=emitter(repository="ledger"), occurred_at=NOON + dt.timedelta(seconds=1),
        ),
    )  # fmt: skip
    assert names(search.events(**narrowing)) == expected


def test_it_narrows_by_when_it_was_received():
    moment = dt.datetime.now(dt.UTC).replace(microsecond=0)
    for seconds in (0, 10, 20):
        received = moment - dt.timedelta(seconds=30) + dt.timedelta(seconds=seconds)
        evidence(draft(event_name=f"at {seconds}"), received_at_us=int(received.timestamp() * 1_000_000))
    start = moment - dt.timedelta(seconds=30)
    assert names(search.events(received_after=start + dt.timedelta(seconds=10))) == {"at 10", "at 20"}
    assert names(search.events(received_before=start + dt.timedelta(seconds=10))) == {"at 0"}


def received(moment: dt.datetime) -> dict[str, int]:
    return {"received_at_us": int(moment.timestamp() * 1_000_000)}


def test_what_arrives_late_is_found_when_it_happened():
    day, minute = dt.timedelta(days=1), dt.timedelta(minutes=1)
    now = dt.datetime.now(dt.UTC)
    noon = now - 10 * day
    evidence(draft(event_name="early", occurred_at=noon - minute), **received(noon - minute))
    evidence(draft(event_name="two days late", occurred_at=noon - 2 * minute), **received(noon + 2 * day))
    evidence(
        draft(event_name="late, in no session", session_id=None, occurred_at=noon - minute), **received(noon + day)
    )
    evidence(draft(event_name="later", occurred_at=noon + minute), **received(noon + minute))
    evidence(draft(event_name="clock ahead", occurred_at=noon + 8 * minute), **received(noon - minute))
    assert names(search.events(occurred_before=noon)) == {"early", "two days late", "late, in no session"}
    assert names(search.events(occurred_after=noon)) == {"later", "clock ahead"}
    between = search.events(occurred_after=noon - 2 * minute, occurred_before=noon - minute)
    assert names(between) == {"two days late"}


def test_what_says_no_time_counts_from_when_it_was_received():
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    second = dt.timedelta(seconds=1)
    evidence(draft(event_name="timeless", occurred_at=None), **received(moment))
    assert names(search.events(occurred_after=moment)) == {"timeless"}
    assert names(search.events(occurred_before=moment + second)) == {"timeless"}
    assert names(search.events(occurred_before=moment - second)) == set()
    assert names(search.events(occurred_after=moment + second)) == set()


@pytest.mark.parametrize("year", [1970, 1999, 2026, 9999])
def test_what_says_an_impossible_time_is_found_by_it(year):
    claimed = dt.datetime(year, 1, 2, tzinfo=dt.UTC)
    evidence(draft(event_name="odd", occurred_at=claimed, flags=("skew",)), draft(event_name="usual"))
    second = dt.timedelta(seconds=1)
    assert names(search.events(occurred_after=claimed, occurred_before=claimed + second)) == {"odd"}
    assert names(search.events(occurred_after=claimed + second, occurred_before=claimed + 2 * second)) == set()
    assert "odd" in names(search.events(occurred_after=claimed))
    assert "odd" in names(search.events(occurred_before=claimed + second))
    assert "odd" not in names(search.events(occurred_before=claimed))


def test_it_knows_an_actor_by_pseudonym():
    evidence(
        draft(event_name="a", subject=person("ana@acme.example")), draft(event_name="b", subject=person("bo@x.example"))
    )
    ana = Subject.objects.get(email="ana@acme.example")
    assert names(search.events(actor=str(ana.id))) == {"a"}
    assert names(search.events(actor=ana.pseudonym)) == {"a"}
    assert names(search.events(actor=ana.pseudonym.upper())) == {"a"}


@pytest.mark.parametrize("actor", ["p-7f3a01c2", "P-7F3A01C2", "2e686bdf-70f0-4099-a7df-dcf4f630c996"])
def test_a_pseudonym_names_nobody(actor):
    assert search.is_pseudonym(actor)


@pytest.mark.parametrize("actor", ["ana@acme.example", "p-7f3a01c", "p-7f3a01c22", "user_01", ""])
def test_everything_else_may_name_somebody(actor):
    assert not search.is_pseudonym(actor)


@pytest.mark.parametrize(
    ("narrowing", "expected"),
    [
        ({}, {"s-1", "s-2"}),
        ({"session": "s-2"}, {"s-2"}),
        ({"agent": "claude_code"}, {"s-1", "s-2"}),
        ({"actor": "bo@acme.example"}, {"s-2"}),
        ({"team": "ledger"}, {"s-2"}),
        ({"repository": "ledger-api"}, {"s-2"}),
        ({"tool": "Write"}, {"s-2"}),
        ({"mcp_server": "github"}, {"s-1"}),
        ({"decision": "reject"}, {"s-2"}),
        ({"decided_by": "person"}, {"s-1"}),
        ({"decision": "reject", "decided_by": "person"}, set()),
        ({"mode": "plan"}, {"s-1"}),
        ({"occurred_after": NOON + dt.timedelta(hours=1)}, {"s-2"}),
        ({"occurred_before": NOON + dt.timedelta(hours=1)}, {"s-1"}),
        ({"occurred_after": NOON, "occurred_before": NOON + dt.timedelta(microseconds=1)}, {"s-1"}),
    ],
)
def test_it_narrows_sessions(narrowing, expected):
    evidence(
        call("toolu_1", mode="plan", occurred_at=NOON, subject=person("ana@acme.example")),
        draft("mcp_connection", mcp_server="github", mcp_status="connected", occurred_at=NOON,
              subject=person("ana@acme.example")),
        call("toolu_2", "Write", session_id="s-2", decision="reject", decided_by="policy",
             subject=person("bo@acme.example"), origin=emitter(team="ledger", repo="ledger-api"),
             occurred_at=NOON + dt.timedelta(hours=2)),
    )  # fmt: skip
    assert set(search.sessions(**narrowing).values_list("session_id", flat=True)) == expected


def test_decisions_are_tool_uses_that_were_decided():
    evidence(call("toolu_1"), call("toolu_2", kind="tool_result", outcome="success"))
    assert [use.tool_use_id for use in search.decisions()] == ["toolu_1"]
    assert search.tool_uses().count() == 2


def test_a_piece_of_a_command_finds_the_decision_and_the_result(few_or_many):
    decided, ran, _ = evidence(
        call("toolu_1", command="curl https://packages.example/simple"),
        call("toolu_1", kind="tool_result"),
        call("toolu_2"),
    )
    assert said(Event.objects.all(), "://Packages.e") == {decided.id, ran.id}
    assert said(ToolUse.objects.all(), "://packages.e") == {ToolUse.objects.get(tool_use_id="toolu_1").pk}
    assert said(Session.objects.all(), "://packages.e") == {Session.objects.get().pk}


def test_a_piece_of_a_command_finds_a_call_that_has_no_id(few_or_many):
    (decided, _) = evidence(call(None, command="rm -rf build"), call(None, command="ls"))
    assert said(Event.objects.all(), "-rf bu") == {decided.id}
    assert len(said(ToolUse.objects.all(), "-rf bu")) == 1


@pytest.mark.parametrize("text", ["100%", "a_b", "back\\slash", "it's", '"quoted"'])
def test_a_piece_is_taken_literally(few_or_many, text):
    found, _ = evidence(
        call("toolu_1", command=f"echo {text} end"), call("toolu_2", command="echo 100x axb backslash end")
    )
    assert said(Event.objects.all(), f"cho {text}") == {found.id}


@pytest.mark.parametrize("text", ["rounding", "Rounding", "src/rounding.py", "payments rounding", "ünïcode"])
def test_words_of_content_find_event_session_and_tool_use(few_or_many, text):
    content = [("@tool_input", "string", '{"file_path": "src/rounding.py", "x": "the payments Ünïcode"}')]
    found, _ = evidence(call("toolu_1", content=content), prompt("nothing of the kind", session_id="s-2"))
    assert said(Event.objects.all(), text) == {found.id}
    assert said(ToolUse.objects.all(), text) == {ToolUse.objects.get().pk}
    assert said(Session.objects.all(), text) == {Session.objects.get(session_id="s-1").pk}


@pytest.mark.parametrize("tool_use_id", ["toolu_1", None])
@pytest.mark.parametrize("session_id", ["s-1", None])
def test_words_of_content_find_their_tool_use_whatever_it_is_known_by(few_or_many, tool_use_id, session_id):
    needle = [("@tool_input", "string", "needle")]
    evidence(
        call(tool_use_id, "Read", session_id=session_id, content=needle),
        call(None, "Write", session_id=session_id), call("toolu_2", "Edit", session_id=session_id),
    )  # fmt: skip
    assert said(ToolUse.objects.all(), "needle") == {ToolUse.objects.get(tool_name="Read").pk}


@pytest.mark.parametrize("other", ["s-2", None])
def test_another_sessions_use_of_the_same_id_says_nothing(few_or_many, other):
    """Some vendors count their calls anew in each session."""
    decided, ran, *_ = evidence(
        call("call_1", command="rm -rf build", session_id="s-1", content=[("@tool_input", "string", "needle")]),
        call("call_1", kind="tool_result", session_id="s-1"),
        call("call_1", session_id=other),
        call("call_1", kind="tool_result", session_id=other),
    )
    use = ToolUse.objects.get(session_vendor_id="s-1")
    assert said(ToolUse.objects.all(), "needle") == {use.pk}
    assert said(Event.objects.all(), "-rf bu") == {decided.id, ran.id}


def test_the_uses_of_what_is_in_no_session_are_told_apart_by_their_source(few_or_many):
    needle = [("@tool_input", "string", "needle")]
    evidence(call("call_1", session_id=None, command="rm -rf build", content=needle), source_id=1)
    evidence(call("call_1", session_id=None), source_id=2)
    use = ToolUse.objects.get(source_id=1)
    assert said(ToolUse.objects.all(), "needle") == {use.pk}
    assert said(Event.objects.all(), "-rf bu") == {use.position}


def test_what_is_slow_to_count_is_found_nevertheless(monkeypatch):
    needle = [("@tool_input", "string", "needle")]
    found, called, _ = evidence(prompt("needle"), call("toolu_1", command="echo needle", content=needle), prompt("hay"))
    monkeypatch.setattr(hits, "_SAYING", "SELECT pg_sleep(60)")
    monkeypatch.setattr(hits, "PATIENCE_MS", 20)
    assert said(Event.objects.all(), "needle") == {found.id, called.id}
    slow = ToolUse.objects.annotate(slept=Func(Value(60), function="pg_sleep", output_field=TextField()))
    assert hits.telling(slow.exclude(slept=None)) is None


@pytest.mark.parametrize("text", ["secretword", "ecretwor", "/etc/shadow"])
def test_content_is_not_searched_without_the_right(few_or_many, text):
    evidence(call("toolu_1", command="cat /etc/shadow secretword", content=[("@tool_input", "string", "secretword")]))
    for model in (Event, ToolUse, Session):
        assert said(model.objects.all(), text)
        assert not said(model.objects.all(), text, with_content=False)


@pytest.mark.parametrize("text", ["toolu_1", "BASH", "bas", "githu", "s-1"])
def test_names_are_searched_without_the_right_to_content(text):
    found, _ = evidence(call("toolu_1", mcp_server="github"), call("toolu_2", "Read", session_id="t-2"))
    assert said(Event.objects.all(), text, with_content=False) == {found.id}
    assert said(ToolUse.objects.all(), text, with_content=False) == {ToolUse.objects.get(tool_use_id="toolu_1").pk}
    if text != "toolu_1":
        assert said(Session.objects.all(), text, with_content=False) == {Session.objects.get(session_id="s-1").pk}


@pytest.mark.parametrize("text", ["", " ", "-", "!!", "%", "ab", "\\", "'", "a" * 5000, "ü", "or", '"', "not or and"])
def test_no_text_is_too_odd_to_be_searched_for(few_or_many, text):
    evidence(call("toolu_1", command="ls"))
    for model in (Event, ToolUse, Session):
        said(model.objects.all(), text)


def test_a_page_over_alternatives_shows_each_row_once_and_in_order(few_or_many):
    evidence(*(call(f"toolu_{n}", command=f"echo needle {n}", content=[("@x", "string", "needle")]) for n in range(20)))
    newest_first = Keyset("-id")
    alternatives = search.saying(search.events(), "needle", with_content=True)
    page = newest_first.page(alternatives, 7)
    rows = [row.pk for row in page.rows]
    while page.next:
        page = newest_first.page(alternatives, 7, after=page.next)
        rows += [row.pk for row in page.rows]
    assert rows == sorted(Event.objects.values_list("pk", flat=True), reverse=True)
    back = newest_first.page(alternatives, 7, before=page.previous)
    assert [row.pk for row in back.rows] == rows[7:14]


def test_servers_are_found_by_a_part_of_their_name():
    evidence(
        draft("mcp_connection", mcp_server="github", mcp_status="connected", mcp_transport="stdio", mcp_scope="user"),
        draft("mcp_connection", mcp_server="jira", mcp_status="connected", mcp_transport="http", mcp_scope="project"),
    )
    assert [server.name for server in search.mcp_servers(name="GIT")] == ["github"]
    assert [server.name for server in search.mcp_servers(transport="http")] == ["jira"]
    assert [server.name for server in search.mcp_servers(scope="user")] == ["github"]
