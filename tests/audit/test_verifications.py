"""Verifying on a schedule, on demand and by hand: one at a time, and each run kept."""

import datetime as dt
import io

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from audit import checkpoints, tasks, verifications
from audit.models import Heartbeat, Seal, Session, ToolUse, Verification
from portal import trust
from portal.dashboard import evidence as tiles
from tests.factories import draft, evidence, fold, raw
from tests.portal import people

pytestmark = pytest.mark.django_db(transaction=True)

State = Verification.State
DAY = dt.timedelta(days=1)


@pytest.fixture
def ledger(signer, settings, tmp_path):
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "signer"
    evidence(*(draft("tool_decision", tool_use_id=f"t-{n}", decision="accept") for n in range(20)))
    checkpoints.sign(raw(), signer)


@pytest.fixture
def elsewhere(database_superuser):
    """Another process that verifies at the moment."""
    database_superuser.execute("SELECT pg_advisory_lock(hashtextextended('verification', 0))")
    return database_superuser


def only() -> Verification:
    return Verification.objects.get()


def tile():
    class Lists:
        def url(self, model: str) -> str:
            return model

    return tiles._verified(Lists(), timezone.now())


def test_it_runs_when_the_last_time_is_a_day_ago(ledger):
    tasks.verify_ledger()
    first = only()
    assert (first.state, first.cause, first.size, first.faults, first.told) == ("clean", "schedule", 20, 0, "")
    assert (first.done, first.total) == (21, 21)
    tasks.verify_ledger()
    assert Verification.objects.count() == 1
    Verification.objects.update(started_at=timezone.now() - DAY)
    tasks.verify_ledger()
    assert Verification.objects.count() == 2


def test_what_was_asked_for_runs_at_once_and_once(ledger):
    tasks.verify_ledger()
    assert verifications.ask("dana").pk == verifications.ask("rosa").pk
    for _ in range(2):
        tasks.verify_ledger()
    asked = Verification.objects.get(cause="person")
    assert (asked.state, asked.asked_by) == ("clean", "dana")
    assert Verification.objects.count() == 2


def test_the_command_keeps_its_run_and_finds_the_same(ledger):
    ToolUse.objects.filter(tool_use_id="t-7").update(decision="reject")
    told = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", stdout=told)
    assert ended.value.code == 1
    run = only()
    assert (run.state, run.cause, run.faults) == ("faulty", "command", 1)
    assert "decision: not what its events say" in run.told
    assert run.told in told.getvalue()


def test_one_at_a_time(ledger, elsewhere):
    tasks.verify_ledger()
    with pytest.raises(CommandError, match="being verified already"):
        call_command("verify_ledger")
    assert not Verification.objects.exists()


def test_a_run_whose_process_died_is_called_broken_and_made_up_for(ledger):
    Verification.objects.create(cause="schedule", state=State.RUNNING, started_at=timezone.now() - 2 * DAY)
    tasks.verify_ledger()
    assert list(Verification.objects.order_by("id").values_list("state", flat=True)) == ["broken", "clean"]
    assert verifications.newest().state == "clean"


def test_a_run_that_cannot_finish_is_kept_and_lets_the_next_one_go(ledger, monkeypatch):
    def failing(*_):
        yield verifications.Fault("#7", "the event is gone")
        raise psycopg.OperationalError("the disk\0 is full")

    with monkeypatch.context() as patch:
        patch.setattr(verifications.verification, "verify", failing)
        verifications.ask("dana")
        with pytest.raises(psycopg.OperationalError):
            tasks.verify_ledger()
    run = only()
    assert (run.state, run.faults) == ("broken", 1)
    assert run.told == "#7: the event is gone\nOperationalError: the disk␀ is full"
    verifications.ask("dana")
    tasks.verify_ledger()
    assert Verification.objects.get(state="clean")


def test_of_many_faults_the_first_are_kept(ledger, monkeypatch):
    monkeypatch.setattr(verifications, "MOST_KEPT", 3)
    ToolUse.objects.update(decision="reject")
    tasks.verify_ledger()
    assert (only().faults, only().told.count("\n")) == (20, 3)


def test_it_says_how_far_it_is_while_it_runs(ledger, monkeypatch):
    monkeypatch.setattr(verifications, "SAY_SECONDS", 0)
    seen = []
    run = Verification(cause="command")

    def look(this):
        stored = only()
        seen.append((stored.state, stored.done, stored.total))

    monkeypatch.setattr(verifications.verification, "EVENTS_AT_ONCE", 8)
    verifications.run(raw(), run, None, progress=look)
    assert seen[0] == ("running", 0, 21)
    assert [done for _, done, _ in seen] == [0, 0, 8, 16]


def test_what_is_left_is_reckoned_from_what_it_took():
    run = Verification(state=State.RUNNING, done=250, total=1000, started_at=timezone.now() - dt.timedelta(minutes=1))
    assert 175 < run.rest.total_seconds() < 240
    assert Verification(state=State.RUNNING, started_at=timezone.now()).rest is None
    assert Verification(state=State.CLEAN, done=5, total=5).rest is None


def test_what_the_signer_remembers_is_asked_too(ledger, signer, database_superuser):
    database_superuser.execute("SET session_replication_role = replica")
    for statement in (
        "DELETE FROM audit_checkpoint",
        "DELETE FROM audit_seal",
        "DELETE FROM audit_event",
        "DELETE FROM audit_head",
        "DELETE FROM audit_session",
        "DELETE FROM audit_tooluse",
    ):
        database_superuser.execute(statement)
    assert not Seal.objects.exists()
    tasks.verify_ledger()
    assert only().told == (
        "signer: The ledger holds 0 events, but 20 were signed: an older database was put in its place.\n"
    )


def test_the_overview_and_the_header_say_what_came_of_it(ledger):
    Heartbeat.objects.create(name="sealer", at=timezone.now())
    assert (tile().value, tile().note) == ("–", "not yet")
    tasks.verify_ledger()
    assert (tile().state, tile().unit, tile().note) == ("", "s ago", "nothing wrong in 20 events")
    assert trust.trust().state == "ok"
    Verification.objects.update(finished_at=timezone.now() - dt.timedelta(hours=49))
    assert (tile().state, tile().value, tile().unit) == ("due", "2", "d ago")
    ToolUse.objects.update(decision="reject")
    verifications.ask("dana")
    tasks.verify_ledger()
    assert (tile().state, tile().note) == ("bad", "20 faults in 20 events")
    found = trust.trust()
    assert (found.state, found.verdict) == ("bad", "Ledger at fault")


# ── In the admin ────────────────────────────────────────────────────────────────────────────────

LIST = "/admin/audit/verification/"


def logged_in(*roles: str) -> Client:
    client = Client()
    client.force_login(people.person(*roles), backend=people.BACKEND)
    return client


@pytest.fixture
def told(monkeypatch) -> list:
    messages: list = []
    monkeypatch.setattr(tasks.verify_ledger, "delay", lambda: messages.append(1))
    return messages


def test_a_reviewer_reads_them_and_asks_for_one(ledger, told):
    client = logged_in(people.REVIEWER)
    fold()  # the log-in is an event, too: what is as new as it would be left for the next time
    Session.objects.update(decisions={})
    tasks.verify_ledger()
    page = client.get(LIST).content.decode()
    assert "Faults found" in page
    assert "21 of 21 rows" in page
    assert "decisions: not what its events say" in client.get(f"{LIST}{only().pk}/change/").content.decode()
    assert client.get(f"{LIST}now/").status_code == 405
    for _ in range(2):
        assert client.post(f"{LIST}now/").status_code == 302
    assert told == [1, 1]
    assert Verification.objects.filter(state=State.QUEUED).count() == 1
    assert "Queued" in client.get(LIST).content.decode()


def test_without_a_broker_it_is_queued_all_the_same(ledger, monkeypatch):
    from kombu.exceptions import OperationalError

    def nobody():
        raise OperationalError

    monkeypatch.setattr(tasks.verify_ledger, "delay", nobody)
    page = logged_in(people.REVIEWER).post(f"{LIST}now/", follow=True).content.decode()
    assert "it starts within ten minutes" in page
    assert only().state == "queued"


@pytest.mark.parametrize("role", [people.CONNECTOR, people.ADMINISTRATOR])
def test_others_neither_read_nor_ask(role, told):
    client = logged_in(role)
    for answer in (client.get(LIST), client.post(f"{LIST}now/")):
        assert answer.status_code == 403
    assert not told
    assert not Verification.objects.exists()


def test_faults_are_shown_as_text(db):
    run = Verification.objects.create(
        cause="person", asked_by="<b>dana", state=State.FAULTY, faults=1, started_at=timezone.now(),
        finished_at=timezone.now(), told="#1: <script>alert(1)</script>\u202e\x1b[31m\n",
    )  # fmt: skip
    client = logged_in(people.REVIEWER)
    for url in (LIST, f"{LIST}{run.pk}/change/"):
        page = client.get(url).content.decode()
        assert "<script>alert" not in page
        assert "<b>dana" not in page
        assert "\u202e" not in page
