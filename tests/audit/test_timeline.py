import datetime as dt
import json
import uuid
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import timeline
from audit.listing.keyset import BadCursor
from audit.models import Event, Gap, Session
from audit.timeline import keys
from audit.timeline.counts import counts
from tests import captures
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db

START = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)


def seconds(count: float) -> dt.datetime:
    return START + dt.timedelta(seconds=count)


def decision(use: str, at: float, **overrides):
    words = {"decision": "accept", "decided_by": "policy", "basis": "stated", "mode": "default"}
    return draft("tool_decision", tool_use_id=use, tool_name="Bash", occurred_at=seconds(at), **words | overrides)


def result(use: str, at: float, **overrides):
    words = {"outcome": "success", "duration_ms": 12}
    return draft("tool_result", tool_use_id=use, tool_name="Bash", occurred_at=seconds(at), **words | overrides)


def whole(session: Session, **options) -> list[timeline.Row]:
    """All rows, read page by page."""
    rows, after = [], ""
    while True:
        page = timeline.page(session, after=after, **options)
        rows += page.rows
        if page.next is None:
            return rows
        after = page.next


@pytest.mark.parametrize("scenario", captures.scenarios())
def test_it_tells_of_every_event_of_every_capture_once(scenario):
    captures.evidence(scenario)
    for session in Session.objects.all():
        told = [event for row in whole(session, show="all", limit=7) for event in row.events]
        assert sorted(told) == sorted(Event.objects.filter(session=session.pk).values_list("id", flat=True))
        rows = {show: len(whole(session, show=show)) for show in timeline.SHOWS if show != "all"}
        assert rows | {"all": len(told)} == counts(session)


def test_a_decision_and_its_result_are_one_row():
    evidence(decision("t1", 1, decided_by="person", grant="once"), result("t1", 2))
    (row,) = timeline.page(Session.objects.get()).rows
    assert (row.kind, row.tool_name, row.decision, row.decided_by, row.grant) == (
        "tool_use", "Bash", "accept", "person", "once",
    )  # fmt: skip
    assert (row.outcome, row.duration_ms, row.at, len(row.events)) == ("success", 12, seconds(1), 2)


def test_a_result_without_a_decision_is_a_row_of_its_own():
    evidence(result("t1", 2))
    (row,) = timeline.page(Session.objects.get()).rows
    assert (row.kind, row.decision, row.outcome, row.at) == ("tool_use", None, "success", seconds(2))


def test_a_second_decision_on_the_same_use_is_told_among_all_events():
    evidence(decision("t1", 1), decision("t1", 2, decision="reject"), result("t1", 3))
    session = Session.objects.get()
    assert [row.kind for row in timeline.page(session, show="all").rows] == ["tool_use", "tool_decision"]
    (step,) = timeline.page(session).rows
    assert step.decisions == 2


def test_every_row_leads_to_its_event_and_number():
    evidence(draft("prompt", occurred_at=seconds(0)), decision("t1", 1), result("t1", 2))
    prompt, use = timeline.page(Session.objects.get()).rows
    assert (prompt.seq, use.seq) == (0, 1)
    assert use.id == Event.objects.get(kind="tool_decision").id


def test_steps_leave_out_what_only_all_events_show():
    evidence(
        draft("prompt", occurred_at=seconds(0)),
        draft("api_request", occurred_at=seconds(1)),
        draft("response", occurred_at=seconds(2)),
        draft("mode_change", occurred_at=seconds(3), to_mode="plan"),
        draft("plugin", occurred_at=seconds(4)),
    )
    session = Session.objects.get()
    assert [row.kind for row in timeline.page(session).rows] == ["prompt", "mode_change"]
    assert len(timeline.page(session, show="all").rows) == 5


@pytest.mark.parametrize(
    ("blocked", "kinds"),
    [(("string", "1"), ["hook"]), (("int", 2), ["hook"]), (("string", "0"), []), (("int", 0), [])],
)
def test_a_hook_is_a_step_where_it_stopped_something(blocked, kinds):
    evidence(draft("hook", facts=(("@hook_event", "string", "PreToolUse"), ("@num_blocking", *blocked))))
    assert [row.kind for row in timeline.page(Session.objects.get()).rows] == kinds


def test_rows_of_the_same_time_keep_their_order_over_pages_and_back():
    evidence(*(draft("prompt", occurred_at=seconds(1)) for _ in range(4)), decision("t1", 1), decision("t2", 1))
    session = Session.objects.get()
    in_one = timeline.page(session, limit=100).rows
    assert [row.id for row in whole(session, limit=1)] == [row.id for row in in_one]
    assert [row.key for row in in_one] == sorted(row.key for row in in_one)
    backwards, before = [], keys.cursor(in_one[-1].key)
    while before:
        page = timeline.page(session, before=before, limit=2)
        backwards = [row.id for row in page.rows] + backwards
        before = page.previous
    assert backwards == [row.id for row in in_one[:-1]]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("show", ["steps", "all", "rejected", "errors", "mcp"])
def test_pages_of_any_size_hold_the_same_rows_forwards_and_backwards(limit, show):
    captures.evidence("h-mcp.json.details")
    for session in Session.objects.all():
        expected = [row.id for row in timeline.page(session, limit=1000, show=show).rows]
        assert [row.id for row in whole(session, limit=limit, show=show)] == expected
        last = timeline.page(session, limit=limit, show=show)
        while last.next:
            last = timeline.page(session, limit=limit, show=show, after=last.next)
        found = [row.id for row in last.rows]
        while last.previous:
            last = timeline.page(session, limit=limit, show=show, before=last.previous)
            found = [row.id for row in last.rows] + found
        assert found == expected


def test_what_a_broken_clock_dates_stands_where_it_was_received():
    wrong = START - dt.timedelta(days=400)
    evidence(
        draft("prompt", occurred_at=START),
        draft("prompt", occurred_at=None),
        draft("prompt", occurred_at=wrong, flags=("skew",)),
        draft("prompt", occurred_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)),
    )
    session = Session.objects.get()
    rows = whole(session, limit=1)
    assert [row.flags for row in rows] == [[], [], ["skew"], []]
    assert rows[2].at == rows[2].received_at != wrong
    assert [row.id for row in timeline.page(session).rows] == [row.id for row in rows]
    page = timeline.page(session, before=keys.cursor(rows[-1].key), limit=2)
    assert [row.id for row in page.rows] == [row.id for row in rows[1:3]]


def test_a_gap_stands_before_the_event_that_showed_it():
    evidence(draft("prompt", occurred_at=seconds(1)), draft("prompt", occurred_at=seconds(5), sequence=9))
    session = Session.objects.get()
    Gap.objects.create(
        id=uuid.UUID(int=2**128 - 1), session=session, chain=1, after=4, before=9, missing=4, at=seconds(5)
    )
    assert [row.kind for row in whole(session, limit=1)] == ["prompt", "gap", "prompt"]
    gap = timeline.page(session, show="all").rows[1]
    assert (gap.after, gap.before, gap.missing) == (4, 9, 4)
    back = timeline.page(session, before=keys.cursor(timeline.page(session).rows[2].key), limit=1)
    assert [row.kind for row in back.rows] == ["gap"]


def test_the_time_a_person_took_is_inferred_from_the_request():
    asked = draft("api_request", occurred_at=seconds(1), request_id="req_1")
    evidence(
        asked,
        decision("t1", 3.5, request_id="req_1", decided_by="person"),
        decision("t2", 3.6, request_id="req_1", decided_by="policy"),
        decision("t3", 0.5, request_id="req_1", decided_by="person"),
        decision("t4", 3.7, request_id="req_unknown", decided_by="person"),
    )
    rows = {row.tool_use_id: row.waited_ms for row in timeline.page(Session.objects.get()).rows}
    assert rows == {"t1": 2500, "t2": None, "t3": None, "t4": None}


def test_content_is_read_only_when_it_is_asked_for():
    evidence(
        draft("prompt", occurred_at=seconds(0), content=(("@prompt", "string", "Fix the rounding"),)),
        decision("t1", 1, command="rm -rf dist", content=(("@tool_parameters", "string", "{}"),)),
        draft("prompt", occurred_at=seconds(3)),
    )
    session = Session.objects.get()
    assert [(row.has_content, row.content) for row in timeline.page(session).rows] == [
        (True, None), (True, None), (False, None),
    ]  # fmt: skip
    prompt, use, bare = timeline.page(session, with_content=True).rows
    assert (prompt.content.text, use.content.command, bare.content.text) == ("Fix the rounding", "rm -rf dist", None)


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"sql": "select 1"}, "select 1"),
        ({"subagent_type": "reviewer", "description": "PCI check", "prompt": "…"}, "reviewer · PCI check"),
        ({"first": "a", "second": "b", "third": "c"}, "a · b"),
        ({"count": 3}, None),
        ([1], None),
    ],
)
def test_a_tool_without_command_or_path_is_told_by_its_input(details, told):
    evidence(result("t1", 1, content=(("@tool_input", "string", json.dumps(details)),)))
    (row,) = timeline.page(Session.objects.get(), with_content=True).rows
    assert row.content.text == told


def test_a_redacted_text_is_no_text():
    evidence(draft("prompt", content=(("@prompt", "string", "<REDACTED>"),)))
    assert timeline.page(Session.objects.get(), with_content=True).rows[0].content.text is None


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!", "WzFd", "bnVsbA", keys.cursor(keys.Key(START, 1, uuid.UUID(int=1)))[:-4] + "AAAA", "W1siYSJdLDEsMl0"],
)
def test_it_refuses_a_cursor_it_did_not_give_out(cursor):
    evidence(draft("prompt"))
    with pytest.raises(BadCursor):
        timeline.page(Session.objects.get(), after=cursor)


@pytest.mark.parametrize("at", [dt.datetime(1970, 1, 1, tzinfo=dt.UTC), START, dt.datetime.max.replace(tzinfo=dt.UTC)])
def test_a_cursor_names_its_key(at):
    place = keys.Key(at, keys.GAP, uuid.uuid4())
    assert keys.key(keys.cursor(place)) == place


def test_another_session_is_not_read():
    evidence(draft("prompt", session_id="s-1"), draft("prompt", session_id="s-2"))
    assert len(timeline.page(Session.objects.get(session_id="s-1"), show="all").rows) == 1


def test_a_page_takes_the_same_few_queries_however_long_the_session():
    evidence(*(draft("prompt", occurred_at=seconds(n)) for n in range(150)), *(decision(f"t{n}", n) for n in range(99)))
    session = Session.objects.get()
    with CaptureQueriesContext(connection) as queries:
        timeline.page(session, with_content=True)
    assert len(queries) <= 7


@pytest.mark.parametrize("show", ["steps", "all"])
def test_every_stream_of_a_page_is_read_through_an_index(show):
    sessions = [f"s-{n}" for n in range(40)]
    evidence(*(draft("prompt", session_id=each, occurred_at=seconds(n)) for n in range(60) for each in sessions))
    evidence(*(decision(f"{each}-{n}", n, session_id=each) for n in range(20) for each in sessions))
    session = Session.objects.get(session_id="s-7")
    first = timeline.page(session, limit=10, show=show)
    with CaptureQueriesContext(connection) as queries:
        timeline.page(session, limit=10, show=show, after=first.next)
    plans = []
    for query in queries.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + query["sql"])
            plans.append("\n".join(line for (line,) in cursor))
    read = [plan for plan in plans if "audit_event" in plan or "audit_tooluse" in plan]
    assert read
    assert not [plan for plan in read if "Seq Scan" in plan]


def test_neighbouring_rows_are_in_order_of_time():
    captures.evidence("n-interactive-multiturn.json")
    for session in Session.objects.all():
        assert all(one.key < other.key for one, other in pairwise(whole(session, show="all", limit=3)))
