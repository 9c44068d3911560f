"""Sessions and tool uses that say something else than their events (I21)."""

import re

import pytest
from django.db import connection

from audit import projection_check
from audit.models import Event, McpUse, Session, ToolUse
from tests.factories import draft, evidence, fold, raw, record, seal

pytestmark = pytest.mark.django_db(transaction=True)

DECIDED = {"decision": "accept", "decided_by": "policy", "decision_raw": "decision=accept source=config"}
MCP = {"tool_name": "mcp_tool", "tool_source": "mcp", "mcp_server": "prod-db", "mcp_server_provenance": "stated"}


@pytest.fixture
def sessions(monkeypatch):
    """Seven sessions, which are looked at three at a time, their events in pieces."""
    monkeypatch.setattr(projection_check, "SESSIONS_AT_ONCE", 3)
    monkeypatch.setattr(projection_check.projector, "EVENTS_AT_ONCE", 4)
    for number in range(7):
        of = {"session_id": f"s-{number}"}
        evidence(
            draft(
                "tool_decision",
                tool_use_id=f"t-{number}",
                tool_name="Bash",
                command="ls",
                content=[("@x", "string", "ls")],
                **DECIDED,
                **of,
            ),
            draft("mode_change", from_mode="default", to_mode="plan", **of),
        )
        evidence(
            draft("tool_result", tool_use_id=f"t-{number}", tool_name="Bash", outcome="success", duration_ms=7, **of),
            draft("tool_decision", tool_use_id=f"m-{number}", **MCP, **DECIDED, **of),
            draft("api_request", input_tokens=10, model="m", **of),
            draft("tool_result", tool_name="Read", outcome="failure", **of),
        )
    evidence(draft(session_id=None), draft("tool_decision", session_id=None, tool_use_id="x", **DECIDED))


def faults() -> list[str]:
    return [str(fault) for fault in projection_check.faults(raw())]


def test_nothing_is_wrong_with_what_was_folded(sessions):
    seen = []
    assert [str(fault) for fault in projection_check.faults(raw(), seen.append)] == []
    assert seen == [3, 6, 7]
    assert Session.objects.count() == 7


CHANGED: dict[str, tuple[str, dict[str, object], str]] = {
    "decision": ("audit_tooluse", {"decision": "reject"}, "tool use {}: decision: not"),
    "two columns": ("audit_tooluse", {"decided_by": "person", "mode": "plan"}, "tool use {}: decided_by, mode: not"),
    "what was run": ("audit_tooluse", {"command": "rm -rf /"}, "tool use {}: command: not"),
    "a time": ("audit_tooluse", {"at": "2020-01-01T00:00:00Z"}, "tool use {}: at: not"),
    "a sum": ("audit_session", {"input_tokens": 1}, "session {}: input_tokens: not"),
    "a list": ("audit_session", {"modes_seen": "{}"}, "session {}: modes_seen: not"),
    "counters": ("audit_session", {"decisions": '{"reject:person": 2}'}, "session {}: decisions: not"),
    "whose": ("audit_session", {"subject_id": "01a1fd3a-0236-7d89-8000-0013e47ce217"}, "session {}: subject_id: not"),
    "a use": ("audit_mcpuse", {"calls": 0}, "use of an MCP server, row {}: calls: not"),
}


def test_a_changed_row_is_named_with_its_columns(sessions):
    for table, columns, told in CHANGED.values():
        where = "command = 'ls'" if table == "audit_tooluse" else "true"
        names = ", ".join(columns)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, {names} FROM {table} WHERE {where} ORDER BY id DESC LIMIT 1")
            row, *_ = cursor.fetchone()
            changes = ", ".join(f"{column} = %s" for column in columns)
            cursor.execute(f"CREATE TEMPORARY TABLE before AS SELECT {names} FROM {table} WHERE id = %s", [row])
            cursor.execute(f"UPDATE {table} SET {changes} WHERE id = %s", [*columns.values(), row])
            (found,) = faults()
            cursor.execute(f"UPDATE {table} SET ({names}) = (SELECT * FROM before) WHERE id = %s", [row])
            cursor.execute("DROP TABLE before")
        assert re.match(re.escape(told.format(row)), found)
        assert "rm -rf" not in found


def test_rows_that_are_missing_or_invented_are_named(sessions):
    use = ToolUse.objects.filter(session__isnull=False).first()
    session = Session.objects.exclude(pk=use.session_id).first()
    invented = Session.objects.exclude(pk__in=[use.session_id, session.pk]).first()
    ToolUse.objects.filter(pk=use.pk).delete()
    Session.objects.filter(pk=session.pk).delete()
    McpUse.objects.filter(session=use.session_id).delete()
    invented.pk = "ffffffff-0236-7d89-8000-0013e47ce217"
    invented.save(force_insert=True)
    found = faults()
    assert f"tool use {use.pk}: it is missing, and events tell of it" in found
    assert f"session {session.pk}: it is missing, and events tell of it" in found
    assert f"session {invented.pk}: no event tells of it" in found
    assert len(found) == 4


def test_a_tool_use_moved_to_another_session_is_named(sessions):
    use = ToolUse.objects.filter(session__isnull=False).first()
    ToolUse.objects.filter(pk=use.pk).update(session=Session.objects.exclude(pk=use.session_id).first())
    assert {each.split(": ")[0] for each in faults()} == {f"tool use {use.pk}"}


def test_what_is_not_folded_yet_is_no_fault(sessions):
    record(draft("tool_decision", session_id="s-1", tool_use_id="late", **DECIDED), draft(session_id="s-new"))
    assert faults() == []
    seal()
    fold()
    assert faults() == []


def test_it_leaves_nothing_behind(sessions):
    before = list(ToolUse.objects.order_by("id").values()), list(Session.objects.order_by("id").values())
    faults()
    assert (list(ToolUse.objects.order_by("id").values()), list(Session.objects.order_by("id").values())) == before
    assert Event.objects.count() == 7 * 6 + 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()")
        assert cursor.fetchone() == (0,)
