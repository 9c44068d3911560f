"""A backfill whose vendor fails and whose workers are killed: every user-day once, and totals as the vendor's."""

import itertools
import random
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from audit import acts
from connectors.credentials import rotation
from connectors.models import Connection, KeyRotation, Pull
from connectors.pulls import backfills
from tests.portal import backfilled
from tests.processes import until
from tests.vendor import FakeVendor
from tests.vendor.faults import PASSING, Fault

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.CONNECTORS_KEY_FOLDER = tmp_path / "keys"
    settings.CONNECTORS_REQUESTS_PER_MINUTE = 60_000
    return settings.CONNECTORS_KEY_FOLDER


@pytest.mark.parametrize(
    ("slug", "users", "days", "page_limit", "kills"),
    [
        pytest.param("anthropic_admin", 40, 6, 7, 3, id="console-short"),
        pytest.param("anthropic_analytics", 12, 3, 7, 2, id="enterprise-short"),
        pytest.param("anthropic_admin", 500, 90, 200, 10, id="console-long", marks=pytest.mark.slow),
        pytest.param("anthropic_analytics", 500, 90, 200, 10, id="enterprise-long", marks=pytest.mark.slow),
    ],
)
def test_killed_at_random_points_every_user_day_is_there_once(
    folder: Path, tmp_path: Path, monkeypatch: Any, slug: str, users: int, days: int, page_limit: int, kills: int
) -> None:
    chance = random.Random(f"{slug} {users}")
    log = tmp_path / "worker.log"
    with backfilled.vendor(users, days, page_limit) as vendor:
        connection = backfilled.connect(monkeypatch, vendor, slug)
        asked = backfilled.ask(connection, vendor)
        vendor.faults.at_rate(0.1, seed=users, kinds=PASSING)
        killed = 0
        most = max(asked.pulls.count() // (kills + 1), 2)
        while killed < kills:
            backfilled.unfinished()
            death = Death(at=chance.randrange(1, most), after=chance.choice([0.0, chance.random() / 20]))
            vendor.gate = death
            killed += death.of(backfilled.worker(vendor, folder, log))
            vendor.gate = lambda: None
            assert backfilled.unfinished(), "killed too late to mean anything"
            vendor.refresh()
        backfilled.finish(vendor, folder, log)
        assert vendor.faults.given > kills
        backfilled.assert_as_the_vendor_says(connection, vendor)
    assert "Traceback" not in log.read_text()
    for key in (vendor.keys.admin, vendor.keys.analytics):
        assert key not in log.read_text()


class Death:
    """Kills a process at a certain request of its, or so many seconds later; until it is dead no further one passes."""

    def __init__(self, at: int, after: float) -> None:
        self.at, self.after = at, after
        self.asked = itertools.count(1)
        self.process: Any = None
        self.born, self.dead = threading.Event(), threading.Event()

    def __call__(self) -> None:
        number = next(self.asked)
        self.born.wait(30)
        if number == self.at and self.after:
            threading.Timer(self.after, self.process.kill).start()
        elif number == self.at:
            self.process.kill()
        elif number > self.at:
            self.dead.wait(30)

    def of(self, process: Any) -> bool:
        """Whether it was that of which the process died."""
        self.process = process
        self.born.set()
        ended = backfilled.ended(process)
        self.dead.set()
        return ended == -signal.SIGKILL


def _wait_for(vendor: FakeVendor, requests: int, process: Any) -> None:
    """Until the vendor was asked so often, or the process has ended."""
    until(lambda: len(vendor.requests) >= requests or not process.is_alive(), 120)


def test_a_spending_limit_costs_no_figures(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    with backfilled.vendor(8, 3, 5) as vendor:
        connection = backfilled.connect(monkeypatch, vendor, "anthropic_admin")
        backfilled.ask(connection, vendor)
        vendor.faults.push("*", Fault.spent(), times=2)
        backfilled.finish(vendor, folder, tmp_path / "worker.log")
        assert vendor.faults.given == 2
        backfilled.assert_as_the_vendor_says(connection, vendor)


def test_a_day_that_the_vendor_restates_is_replaced(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    log = tmp_path / "worker.log"
    with backfilled.vendor(12, 3, 5) as vendor:
        connection = backfilled.connect(monkeypatch, vendor, "anthropic_admin")
        backfilled.ask(connection, vendor)
        backfilled.finish(vendor, folder, log)
        day = vendor.company.last_day
        vendor.restate(day)
        backfills.ask(connection, day, day, by=acts.Person("rosa"), again=True)
        backfilled.finish(vendor, folder, log)
        again = Pull.objects.filter(endpoint="claude_code", day=day).order_by("pk").last()
        assert again is not None
        assert again.restated > 0
        Pull.objects.update(restated=0)
        backfilled.assert_as_the_vendor_says(connection, vendor)


def test_another_sealing_key_during_pulls_changes_nothing(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    log = tmp_path / "worker.log"
    with backfilled.vendor(20, 6, 5) as vendor:
        connection = backfilled.connect(monkeypatch, vendor, "anthropic_admin")
        backfilled.ask(connection, vendor)
        before = bytes(connection.secret)
        first = backfilled.worker(vendor, folder, log)
        for number in range(1, 4):
            _wait_for(vendor, 10 * number, first)
            rotation.begin(acts.Person("rosa"))
            rotation.reseal()
            rotation.remove_unused(acts.Person("rosa"))
        backfilled.ended(first)
        backfilled.finish(vendor, folder, log)
        assert bytes(Connection.objects.get().secret) != before
        assert KeyRotation.objects.filter(told="", finished_at__isnull=False).count() == 3
        backfilled.assert_as_the_vendor_says(connection, vendor)
        assert vendor.keys.admin not in log.read_text()
