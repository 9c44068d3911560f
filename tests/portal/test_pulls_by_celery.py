"""Pulls through Celery on every broker there is here: messages lost or repeated, workers killed, and the same rows."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import kombu
import pytest

from connectors.tasks import do_pulls
from tests.portal import backfilled
from tests.processes import PROJECT, environment, until
from tests.vendor.faults import PASSING

pytestmark = pytest.mark.django_db(transaction=True)

BROKERS = {
    "embedded": (os.environ["PORTAL_TEST_BROKER_URL"],),
    "redis": [f"redis://127.0.0.1:6379/{database}" for database in range(15, 0, -1)],
    "rabbitmq": ("amqp://guest:guest@127.0.0.1:5672//",),
}
"""Where to look for them. Of Redis an empty database, which is empty again afterwards."""


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The address of a broker and a queue of the test's own there, which is gone afterwards."""
    queue = f"portal-test-{uuid4().hex}"
    for url in BROKERS[request.param]:
        with kombu.Connection(url, connect_timeout=3) as connection:
            try:
                connection.ensure_connection(max_retries=1, timeout=3)
            except (OSError, kombu.exceptions.KombuError) as error:
                pytest.skip(f"no {request.param} answers here: {type(error).__name__}")
            if request.param == "redis" and connection.default_channel.client.dbsize():
                continue
            yield url, queue
            if request.param == "redis":
                connection.default_channel.client.flushdb()
            elif request.param == "rabbitmq":
                _delete(connection, queue)
            return
    pytest.skip("no database of Redis is empty")


def _delete(connection: kombu.Connection, queue: str) -> None:
    with connection.channel() as channel:
        bound = kombu.Queue(queue, kombu.Exchange(queue), queue)(channel)
        bound.delete()
        bound.exchange.delete()


class Worker:
    """A worker of two processes, as the portal starts it, that listens to one queue."""

    def __init__(self, url: str, queue: str, log: Path, variables: dict[str, str]) -> None:
        command = ["--app=tests.portal.one_queue", "--quiet", "worker", "--concurrency=2", "--without-gossip"]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", *command, "--without-mingle", "--loglevel=INFO"],
                cwd=PROJECT,
                env=environment(CELERY_BROKER_URL=url, PORTAL_TEST_QUEUE=queue, **variables),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """It and its children, with nothing said to the broker."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def workers() -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(*arguments: Any) -> Worker:
        started.append(Worker(*arguments))
        return started[-1]

    yield start
    for worker in started:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()


def hint(broker: tuple[str, str], times: int) -> None:
    """Messages that say that there may be something to do."""
    url, queue = broker
    with kombu.Connection(url) as connection:
        for _ in range(times):
            do_pulls.apply_async(queue=queue, connection=connection)


def lose(broker: tuple[str, str]) -> int:
    """Throws away the messages that wait; how many those were."""
    url, queue = broker
    with kombu.Connection(url) as connection, connection.channel() as channel:
        return int(kombu.Queue(queue, kombu.Exchange(queue), queue)(channel).purge())


def test_whatever_becomes_of_messages_and_workers_the_rows_are_the_vendors(
    broker: tuple[str, str], workers: Callable[..., Worker], settings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    settings.CONNECTORS_KEY_FOLDER = tmp_path / "keys"
    log = tmp_path / "worker.log"
    with backfilled.vendor(20, 3, 7) as vendor:
        connection = backfilled.connect(monkeypatch, vendor, "anthropic_admin")
        asked = backfilled.ask(connection, vendor)
        variables = backfilled.variables(vendor, settings.CONNECTORS_KEY_FOLDER)
        vendor.faults.at_rate(0.1, seed=4, kinds=PASSING)

        hint(broker, times=3)
        assert lose(broker) == 3

        numbers, reached, dead = itertools.count(1), threading.Event(), threading.Event()

        def gate() -> None:
            if next(numbers) >= 6:
                reached.set()
                dead.wait(60)

        vendor.gate = gate
        first = workers(*broker, log, variables)
        hint(broker, times=2)
        assert reached.wait(60), log.read_text()
        first.kill()
        vendor.gate = lambda: None
        dead.set()
        assert backfilled.unfinished()

        second = workers(*broker, log, variables)
        hint(broker, times=5)

        def is_done() -> bool:
            left = backfilled.unfinished()
            if left and not asked.pulls.filter(state="running").exists():
                hint(broker, times=1)
            return not left

        until(is_done, 120, every=0.1)
        second.kill()
        backfilled.assert_as_the_vendor_says(connection, vendor)
    assert vendor.keys.admin not in log.read_text()
    assert "Traceback" not in log.read_text()
