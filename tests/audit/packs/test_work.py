"""Packs that were asked for: made once, whatever happens to whoever makes them."""

import contextlib
import datetime as dt
import os
import subprocess
import sys
import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from audit import tasks
from audit.models import Event, EvidencePack, packs
from audit.packs import report, store, work
from tests.audit.packs.auditing import assert_valid, manifest
from tests.factories import draft, evidence
from tests.processes import PROJECT


def asked(last: int = 9, **overrides) -> EvidencePack:
    """A range that somebody waits for."""
    pack = packs.of_range(0, last)
    usual = {
        "with_content": True, "with_identity": True, "asked_by": "dana", "asked_at": timezone.now(),
        "reason": "Incident 2026-117",
    }  # fmt: skip
    for name, value in (usual | overrides).items():
        setattr(pack, name, value)
    pack.save()
    return pack


def kept() -> list[str]:
    folder = settings.AUDIT_PACK_FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def ledger(db, signs) -> int:
    evidence(*(draft(content=[("@prompt", "string", f"text {n}")]) for n in range(10)))
    return signs()


def test_a_waiting_pack_is_made_once_and_kept_for_a_week(ledger, tmp_path):
    pack = asked()
    assert work.sweep() == 1
    assert work.make(pack.pk) is False
    pack.refresh_from_db()
    assert (pack.state, pack.done, pack.total, pack.attempt) == ("ready", 10, 10, 1)
    assert pack.expires_at - pack.finished_at == dt.timedelta(days=7)
    path = settings.AUDIT_PACK_FOLDER / pack.file
    assert kept() == [pack.file]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (tmp_path / "pack.zip").write_bytes(path.read_bytes())
    assert "10 of 10 events disclosed" in assert_valid(tmp_path / "pack.zip")
    assert manifest(path)["made_by"] == "dana"
    (made,) = Event.objects.filter(event_name="pack.made")
    assert pack.sha256 in bytes(made.facts).decode()


def test_what_cannot_be_made_says_why(ledger):
    pack = asked(last=10_000)
    assert work.sweep() == 1
    pack.refresh_from_db()
    assert pack.state == "failed"
    assert "The signed checkpoint ends before #10000" in pack.error
    assert kept() == []
    assert not Event.objects.filter(event_name="pack.made").exists()


def test_a_database_that_goes_away_leaves_it_to_the_next_sweep(ledger, monkeypatch):
    pack = asked()

    def broken(*arguments):
        raise psycopg.OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(report, "render", broken)
        with pytest.raises(psycopg.OperationalError):
            work.make(pack.pk)
    pack.refresh_from_db()
    assert pack.state == "running"
    assert kept() == []
    assert work.sweep() == 1
    pack.refresh_from_db()
    assert (pack.state, pack.attempt) == ("ready", 2)


def test_what_breaks_off_three_times_is_given_up(ledger):
    pack = asked(state="running", attempt=3, file="left-behind.zip")
    store.create(pack.file).close()
    work.sweep()
    pack.refresh_from_db()
    assert pack.state == "failed"
    assert "broken off 3 times" in pack.error
    assert kept() == []


def test_a_full_disk_is_said(ledger, monkeypatch):
    pack = asked()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "render", full)
    work.sweep()
    pack.refresh_from_db()
    assert (pack.state, pack.error) == ("failed", "The file could not be written: No space left on device.")
    assert kept() == []


@contextlib.contextmanager
def refusing(superuser: psycopg.Connection):
    """A database that takes no more evidence."""
    superuser.execute("REVOKE INSERT ON audit_event FROM portal_app")
    try:
        yield
    finally:
        superuser.execute("GRANT INSERT ON audit_event TO portal_app")


def test_what_the_ledger_cannot_record_is_not_given_out(ledger, database_superuser):
    pack = asked()
    with refusing(database_superuser):
        work.sweep()
    pack.refresh_from_db()
    assert pack.state == "failed"
    assert "could not be recorded" in pack.error
    assert kept() == []


def test_a_discard_takes_what_discloses_and_nothing_else(ledger):
    disclosing = [asked(), asked(with_content=False), asked(with_identity=False)]
    facts = asked(with_content=False, with_identity=False)
    work.sweep()
    assert work.discard("A person was erased") == 3
    assert kept() == [EvidencePack.objects.get(pk=facts.pk).file]
    for pack in EvidencePack.objects.filter(pk__in=[each.pk for each in disclosing]):
        assert (pack.can_be_had, pack.discard_reason) == (False, "A person was erased")
    assert work.discard("Again") == 0


def test_a_discard_makes_one_that_is_being_made_begin_anew(ledger, monkeypatch):
    pack = asked()
    render = report.render

    def discarded(*arguments):
        work.discard("A person was erased")
        return render(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(report, "render", discarded)
        work.make(pack.pk)
    pack.refresh_from_db()
    assert pack.state == "waiting"
    assert kept() == []
    assert not Event.objects.filter(event_name="pack.made").exists()
    work.sweep()
    pack.refresh_from_db()
    assert pack.can_be_had


def test_it_tells_how_far_it_is_and_stops_when_it_is_not_its_own(ledger):
    pack = work._begin(asked().pk)
    times = iter([0.0, 0.0, 0.5, 1.5, 1.5, 9.0, 9.0])
    telling = work._Telling(pack, clock=lambda: next(times))
    for done in (1, 2, 3):
        telling(done, 10)
        told = EvidencePack.objects.get(pk=pack.pk)
        assert (told.done, told.total) == ({1: 1, 2: 1, 3: 3}[done], 10)
    work.discard("A person was erased")
    with pytest.raises(work.Superseded):
        telling(4, 10)


def test_files_go_when_they_expire_or_belong_to_nothing(ledger):
    old, young = asked(), asked()
    work.sweep()
    EvidencePack.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    store.create("left-behind.zip").close()
    work.sweep()
    assert kept() == [EvidencePack.objects.get(pk=young.pk).file]
    old.refresh_from_db()
    assert (old.state, old.discard_reason) == ("ready", "expired")


def test_the_schedule_looks_after_packs(ledger):
    assert PeriodicTask.objects.get(name="Look after evidence packs").task == tasks.look_after_packs.name
    pack = asked()
    tasks.look_after_packs()
    tasks.make_pack(pack.pk)
    pack.refresh_from_db()
    assert (pack.state, pack.attempt) == ("ready", 1)


WORKER = """
import sys, time
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[2]
from audit.packs import report, work
def stuck(*arguments):
    print("in the middle", flush=True)
    time.sleep(60)
report.render = stuck
work.make(int(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_a_pack_whose_worker_was_killed_is_made_by_the_next_sweep(signs, tmp_path):
    evidence(*(draft() for _ in range(10)))
    signs()
    pack = asked()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(pack.pk), connection.settings_dict["NAME"]],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "AUDIT_PACK_FOLDER": str(tmp_path / "packs")},
    )
    try:
        assert worker.stdout.readline() == b"in the middle\n"
        assert work.make(pack.pk) is False
        pack.refresh_from_db()
        assert (pack.state, kept()) == ("running", [pack.file])
    finally:
        worker.kill()
        worker.communicate()
    deadline = time.monotonic() + 20
    while not work.sweep():  # the server lets go of the lock when it notices that nobody is there
        assert time.monotonic() < deadline
    pack.refresh_from_db()
    assert (pack.state, pack.attempt, kept()) == ("ready", 2, [pack.file])
