"""Retention takes exactly what is due, says what it took, and can be cut off anywhere."""

import datetime as dt
import json

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit import absences, checkpoints, completeness, partitions, projector, verification
from audit.export import feed
from audit.export.reading import Reader
from audit.models import Content, Event, RetentionRule, RetentionRun, SearchText, Session, Subject, ToolUse
from audit.privacy import holds, purging, retention
from tests.factories import draft, evidence, raw, record, seal

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

NOW = dt.datetime.now(dt.UTC)
LAST_MONTH = (NOW.replace(day=1) - dt.timedelta(days=1)).replace(day=10)
OLD = int(LAST_MONTH.timestamp() * 1e6)
OVER = NOW.replace(day=1, hour=0, minute=0) + dt.timedelta(days=184)
"""When last month is older than half a year, and this one is not."""


@pytest.fixture(autouse=True)
def _months():
    """A month that was purged is there again, empty, for the next test."""
    yield
    partitions.ensure()


def rule(part, days=200, kind="", exception=""):
    return RetentionRule.objects.create(part=part, days=days, kind=kind, exception=exception)


def old(*drafts, days=0):
    return evidence(*drafts, received_at_us=OLD + days * 86_400_000_000)


def prompt(text="remember the walrus", **columns):
    return draft("prompt", content=[("@prompt", "string", text)], **columns)


def agents():
    return Event.objects.exclude(agent="portal")


def contents():
    return Content.objects.exclude(event__agent="portal")


def faults(signer):
    seal()
    key = signer.verifier_key(checkpoints.sign(raw(), signer).origin)
    return [str(fault) for fault in verification.verify(raw(), key)]


def test_content_goes_by_kind_when_it_is_due_and_not_before(signer):
    old(prompt(), draft("tool_decision", tool_use_id="t", path="/etc/x", content=[("@p", "string", "/etc/x")]))
    evidence(prompt("young"))
    rule("content", 183)
    rule("content", 366, "tool_decision")
    when = LAST_MONTH + dt.timedelta(days=184)
    assert retention.preview(when).contents == {"prompt": 1}
    done = retention.run("officer", when)
    assert (done.state, done.contents) == (RetentionRun.DONE, 1)
    assert sorted(contents().values_list("event__kind", flat=True)) == ["prompt", "tool_decision"]
    assert retention.run("officer", when).contents == 0
    assert retention.run("officer", LAST_MONTH + dt.timedelta(days=367)).contents >= 1
    assert ToolUse.objects.get().path is None
    assert faults(signer) == []


def test_an_identity_goes_when_nothing_young_points_to_it(signer):
    gone = (("@user.email", "string", "gone@acme.example"),)
    old(draft(subject=gone), draft())
    evidence(draft())
    rule("identity", 183)
    done = retention.run("officer", LAST_MONTH + dt.timedelta(days=184))
    assert done.identities == 1
    assert not Subject.objects.filter(email="gone@acme.example").exists()
    assert Subject.objects.filter(email="dana@acme.example").exists()
    assert faults(signer) == []


def test_facts_of_a_kind_go_before_the_rest(signer):
    old(draft("tool_decision", tool_use_id="t", tool_name="Read", facts=[("@tool_name", "string", "Read")]), draft())
    rule("facts", 183, "tool_decision")
    done = retention.run("officer", LAST_MONTH + dt.timedelta(days=184))
    assert (done.facts, done.events) == (1, 0)
    event = agents().get(kind="tool_decision")
    assert (event.facts, event.tool_name, event.session_id) == (None, None, "s-1")
    assert not ToolUse.objects.filter(tool_name="Read").exists()
    assert faults(signer) == []


def test_whole_months_go_at_once_and_the_numbers_say_so(signer):
    old(prompt(session_id="o-1"), draft(session_id="o-1"))
    evidence(prompt(session_id="y-1"))
    rule("facts", 183)
    seal()
    (month,) = retention.preview(OVER).months
    assert (month.events, month.hold, month.unsealed) == (2, None, 0)
    done = retention.run("officer", month.end + dt.timedelta(days=183))
    assert (done.events, done.months) == (2, [str(month)])
    assert list(agents().values_list("session_id", flat=True)) == ["y-1"]
    assert list(Session.objects.values_list("session_id", flat=True)) == ["y-1"]
    assert SearchText.objects.count() == 1
    assert faults(signer) == []
    first, *_ = map(json.loads, feed.page(-1, 2, Reader(with_content=True, with_identity=True)).lines.splitlines())
    act = Event.objects.get(event_name="retention.purged")
    assert first == {"seq_from": 0, "seq_to": 1, "purged_by": act.seal.seq}
    assert retention.run("officer", month.end + dt.timedelta(days=183)).events == 0


def test_a_page_goes_over_a_purged_range_in_one_line():
    old(*(draft() for _ in range(5)))
    evidence(draft(), draft())
    rule("facts", 183)
    retention.run("officer", OVER)
    seal()
    page = feed.page(1, 2, Reader(with_content=True, with_identity=True))
    told = [json.loads(line) for line in page.lines.splitlines()]
    assert [each.get("seq_to", each.get("seq")) for each in told] == [4, 5]
    assert (told[0]["seq_from"], page.next, page.has_more) == (2, "0.5", True)


def test_a_month_with_an_event_that_has_no_number_stays():
    record(draft(), received_at_us=OLD)
    rule("facts", 183)
    done = retention.run("officer", OVER)
    assert (done.events, done.kept[0]["why"]) == (0, "1 events have no number")
    (month,) = purging.due(NOW)
    with connection.cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("SELECT audit_purge_month_v1(%s, %s)", [month.start, Event.objects.first().pk])


def test_what_is_held_stays_and_the_rest_goes():
    old(prompt(session_id="held"), prompt(session_id="free"))
    hold = holds.place("session", str(Session.objects.get(session_id="held").pk), reason="Case 4711 of legal", by="c")
    rule("content", 183)
    rule("facts", 183)
    done = retention.run("officer", OVER)
    assert (done.contents, done.events) == (1, 0)
    assert contents().get().event.session_id == "held"
    assert [(each["what"], each["why"]) for each in done.kept] == [
        ("content of prompt", "legal hold"),
        (f"{LAST_MONTH:%Y-%m} and what is younger", f"legal hold {hold.pk}"),
    ]
    (month,) = purging.due(NOW)
    with pytest.raises(Exception, match=f"Legal hold {hold.pk} stands in the way"):
        purging.purge(month, [])
    assert agents().count() == 2
    holds.release(hold, reason="Case 4711 is closed", by="c")
    assert retention.run("officer", OVER).events == 2


def test_a_purge_that_fails_on_the_way_takes_nothing(monkeypatch):
    old(draft(), draft())
    rule("facts", 183)
    monkeypatch.setattr(purging, "_forget_projections", lambda cursor, month: cursor.execute("SELECT 1 / 0"))
    with pytest.raises(DatabaseError):
        retention.run("officer", OVER)
    assert agents().count() == 2
    assert RetentionRun.objects.get().state == RetentionRun.FAILED
    assert not absences.Purges(psycopg.Cursor(raw())).ranges
    assert not Event.objects.filter(event_name="retention.purged").exists()


def test_a_run_that_was_cut_off_before_it_folded_is_finished_by_the_next(monkeypatch):
    both = {"session_id": "both"}
    old(draft(**both), draft(**both))
    evidence(draft(**both))
    rule("facts", 183)
    monkeypatch.setattr(projector, "rebuild", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        retention.run("officer", OVER)
    assert Session.objects.get().events == 3
    monkeypatch.undo()
    retention.run("officer", OVER)
    assert Session.objects.get().events == 1


def test_a_run_of_numbers_that_began_before_the_purge_is_not_called_incomplete():
    numbered = {"origin": (), "session_id": "long"}
    old(draft(sequence=0, **numbered), draft(sequence=1, **numbered), days=0)
    start = NOW.replace(day=1, hour=1)
    young = {"received_at_us": int(start.timestamp() * 1e6)}
    evidence(
        draft(sequence=2, occurred_at=start, **numbered), draft(sequence=4, occurred_at=start, **numbered), **young
    )
    rule("facts", 183)
    retention.run("officer", OVER)
    completeness.find_due(raw(), NOW + dt.timedelta(days=1))
    assert Session.objects.get().missing == 1


def test_less_than_six_months_asks_for_a_written_exception():
    with pytest.raises(ValidationError, match="written exception"):
        RetentionRule(part="content", days=30).full_clean()
    RetentionRule(part="content", days=30, exception="Works council agreement 12, signed 2026-03-01").full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        rule("content", 30)


def test_a_run_leaves_its_certificate_in_the_ledger():
    rule("content", 183)
    old(prompt())
    done = retention.run("officer@acme.example", OVER)
    act = Event.objects.get(event_name="retention.run")
    assert act.subject.email == "officer@acme.example"
    assert json.loads(bytes(act.facts))[-4:] == [
        ["@retention.contents", "int", 1],
        ["@retention.identities", "int", 0],
        ["@retention.facts", "int", 0],
        ["@retention.events", "int", 0],
    ]
    assert done.rules == [{"part": "content", "kind": "", "days": 183, "exception": ""}]
