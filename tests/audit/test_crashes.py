"""Crashes in the order in which things are done, and in the wrong order: the controls must lose or fork.

A control that held would prove that the tests around it prove nothing (trust in a guarantee is trust in its test).
"""

import os
import signal
import subprocess
import sys

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from audit import checkpoints, ledger, sealer
from audit.models import Seal
from audit.signer import Forked
from portal.embedded import throwaway
from tests.factories import draft, raw, receipt, record, seal
from tests.processes import PROJECT, database_url, until

ROUNDS = 20


@pytest.fixture
def other():
    """A writer on a connection of its own."""
    with psycopg.connect(database_url("default")) as writer:
        yield writer


def late(writer):
    """A batch that is under way: it took its place in the outbox, and is committed after those behind it."""
    prepared = ledger.prepare(raw(), receipt(), [draft()])
    ledger.append(writer, prepared)
    return prepared


@pytest.mark.django_db(transaction=True)
def test_signing_after_the_commit_never_forks_wherever_it_crashes(signer, other):
    late(other)
    record(draft())
    with raw().transaction():
        sealer.seal(raw())
        raise psycopg.Rollback
    other.commit()
    seal()
    record(draft())
    seal()
    assert checkpoints.sign(raw(), signer).size == 3


@pytest.mark.django_db(transaction=True)
def test_signing_inside_the_transaction_forks(signer, other):
    with raw().transaction():  # the epoch is there already
        checkpoints.sign(raw(), signer)
    late(other)
    record(draft())
    with raw().transaction():
        sealer.seal(raw())
        checkpoints.sign(raw(), signer)
        raise psycopg.Rollback
    other.commit()
    seal()
    assert Seal.objects.count() == 2
    with pytest.raises(Forked):
        checkpoints.sign(raw(), signer)


@pytest.fixture(scope="module")
def durable():
    """A cluster of its own with our schema: its backends are killed with kill -9, and all connections with one."""
    with throwaway.cluster(broker=False, durable=True) as urls:
        environment = {**os.environ, **urls, "PORTAL_NO_BOOTSTRAP": "1", "PORTAL_SECRET_KEY": "for this test only" * 4}
        command = [sys.executable, str(PROJECT / "manage.py"), "migrate", "--database", "owner", "--verbosity", "0"]
        subprocess.run(command, env=environment, check=True)
        with psycopg.connect(urls["PORTAL_TEST_SUPERUSER_URL"], autocommit=True) as superuser:
            superuser.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
            superuser.execute("SELECT pg_reload_conf()")
        yield make_conninfo(urls["PORTAL_TEST_SUPERUSER_URL"], dbname=conninfo_to_dict(urls["DATABASE_URL"])["dbname"])


def lost(url: str, synchronous_commit: str) -> int:
    """How many of the events that were acknowledged are gone after a backend was killed."""
    ledger.subjects.forget()
    ledger.origins.forget()
    acknowledged = []
    with psycopg.connect(url, autocommit=True) as victim, psycopg.connect(url, autocommit=True) as writer:
        writer.execute(f"SET synchronous_commit = {synchronous_commit}")
        for _ in range(ROUNDS):
            acknowledged += [event.id for event in ledger.record(writer, receipt(), [draft()])]
        os.kill(victim.info.backend_pid, signal.SIGKILL)

    def recovered():
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            return None

    with until(recovered, 60) as reader:
        stored = {event for (event,) in reader.execute("SELECT id FROM audit_event")}
    return len(set(acknowledged) - stored)


def test_a_killed_backend_loses_nothing_that_was_acknowledged(durable):
    assert lost(durable, "on") == 0


def test_asynchronous_commit_loses(durable):
    assert lost(durable, "off") > 0
