"""Killed in every way under load: nothing acknowledged is lost, nothing is stored twice."""

import contextlib
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from audit.models import Content, Event, Seal, Session
from tests.ingest.receiving.load import load
from tests.processes import PROJECT, environment, until

TIMES = 3
TIMES_SLOW = 20
RECORDS_BETWEEN_KILLS = 60


@pytest.fixture
def times(request):
    return TIMES_SLOW if request.config.getoption("--slow") else TIMES


@contextlib.contextmanager
def loop(command: str, folder: Path):
    """A sealer or a projector; killed ones are started again, as `up` does."""
    running: list[subprocess.Popen] = []

    def start():
        with (folder / f"{command}.log").open("ab") as log:
            arguments = [sys.executable, str(PROJECT / "manage.py"), command]
            running.append(subprocess.Popen(arguments, env=environment(), stdout=log, stderr=log))
        return running[-1]

    try:
        yield start
    finally:
        for process in running:
            process.kill()
            process.wait()


def marks():
    """The marks of all stored records, repeated if one was stored twice."""
    found = []
    for (content,) in Content.objects.values_list("bytes").iterator():
        text = bytes(content).decode()
        at = text.find('"@mark","string","')
        if at >= 0:
            found.append(text[at + 18 : text.index('"', at + 18)])
    return found


def assert_nothing_lost(acknowledged):
    stored = marks()
    assert len(stored) == len(set(stored)), "stored twice"
    assert acknowledged <= set(stored), f"{len(acknowledged - set(stored))} acknowledged records lost"


def more(running, count=RECORDS_BETWEEN_KILLS):
    """Waits until so many more records were acknowledged."""
    goal = running.count() + count
    until(lambda: running.count() >= goal, 60)


def test_a_killed_receiver_loses_nothing(receiver, token, times):
    with load(receiver, token) as running:
        for _ in range(times):
            more(running)
            receiver.kill()
            receiver.start()
        more(running)
    assert_nothing_lost(running.acknowledged)


def test_a_killed_database_backend_loses_nothing(receiver, token, superuser_url, times):
    name = connection.settings_dict["NAME"]
    with load(receiver, token) as running, psycopg.connect(superuser_url, autocommit=True) as superuser:
        for _ in range(times):
            more(running)
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = 'portal_app' AND pid <> pg_backend_pid()",
                [name],
            )
        more(running)
    connection.close()
    assert set(running.statuses) <= {200, 503}
    assert_nothing_lost(running.acknowledged)


def test_a_killed_sealer_leaves_no_hole(receiver, token, tmp_path, times):
    with load(receiver, token) as running, loop("seal", tmp_path) as start:
        for _ in range(times):
            sealed = Seal.objects.count()
            process = start()
            until(lambda sealed=sealed: Seal.objects.count() > sealed, 30)
            process.kill()
            process.wait()
        start()
        more(running)
        running._stop.set()
        until(lambda: not Event.objects.exclude(id__in=Seal.objects.values("event_id")).exists(), 60)
    seals = Seal.objects.order_by("seq")
    assert list(seals.values_list("seq", flat=True)) == list(range(len(seals)))
    assert not seals.exclude(event_id__in=Event.objects.values("id")).exists()
    assert len(seals) == seals.distinct("event_id").order_by("event_id").count()


def test_a_killed_projector_counts_nothing_twice(receiver, token, tmp_path, times):
    def counted():
        return sum(Session.objects.values_list("events", flat=True))

    with load(receiver, token) as running, loop("project", tmp_path) as start:
        for _ in range(times):
            before = counted()
            process = start()
            until(lambda before=before: counted() > before, 30)
            process.kill()
            process.wait()
        start()
        more(running)
        running._stop.set()
        until(lambda: counted() == Event.objects.filter(session__isnull=False).count(), 60)
