"""A backfill from the fake vendor by real worker processes, and what must be there afterwards."""

import contextlib
import datetime as dt
import multiprocessing
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.models.functions import Now
from django.utils import timezone

from audit import acts
from connectors.connections import lifecycle
from connectors.models import Backfill, Connection, Page, Pull, Reported, UsageDay
from connectors.pulls import backfills
from connectors.vendors import registry
from tests.portal import pulling
from tests.processes import until
from tests.vendor import FakeVendor, truth

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.portal.pulling"])
_COLUMNS = (
    "day", "agent", "model", "surface", "customer_type", "remote", "sessions", "prompts", "lines_added",
    "lines_removed", "commits", "pull_requests", "requests", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_creation_tokens", "cost_reported",
)  # fmt: skip


@contextlib.contextmanager
def vendor(users: int, days: int, page_limit: int) -> Iterator[FakeVendor]:
    """A fake with figures up to the day before yesterday, which have settled whatever the hour is."""
    last_day = timezone.now().date() - dt.timedelta(days=2)
    with FakeVendor(users, days, last_day=last_day, now=timezone.now) as running:
        running.page_limit = page_limit
        yield running


def connect(monkeypatch: Any, running: FakeVendor, slug: str) -> Connection:
    """Connected here, with nothing queued yet; workers find the vendor by `variables`."""
    made = type(registry.VENDORS[slug])(running.url)
    monkeypatch.setitem(registry.VENDORS, slug, made)
    key = {"anthropic_admin": running.keys.admin, "anthropic_analytics": running.keys.analytics}[slug]
    connection = lifecycle.connect(slug, "Claude", key, by=acts.Person("rosa"))
    connection.pulls.all().delete()
    return connection


def ask(connection: Connection, running: FakeVendor) -> Backfill:
    company = running.company
    return backfills.ask(connection, company.first_day, company.last_day, by=acts.Person("rosa"))


def variables(running: FakeVendor, folder: Path) -> dict[str, str]:
    """What a worker that is started anew needs to pull from the fake. Its leases are over in a second."""
    return {
        "CONNECTORS_ANTHROPIC_URL": running.url,
        "CONNECTORS_KEY_FOLDER": str(folder),
        "CONNECTORS_LEASE_SECONDS": "1",
    }


def worker(running: FakeVendor, folder: Path, log: Path) -> Any:
    """A process that works until nothing is due."""
    database = connections["default"].settings_dict["NAME"]
    process = _FORKS.Process(target=pulling.pull, args=(database, running.url, folder, log), daemon=True)
    process.start()
    return process


def ended(process: Any, seconds: float = 600) -> int:
    """How the process ended: 0 by itself, -9 killed."""
    process.join(seconds)
    assert process.exitcode in (0, -signal.SIGKILL), f"it ended with {process.exitcode}"
    return int(process.exitcode)


def unfinished() -> int:
    """How many pulls are. Those that wait for better times need not: for them these have come."""
    waiting = Pull.objects.filter(state=Pull.State.QUEUED, not_before__gt=Now())
    waiting.update(not_before=Now())
    return Pull.objects.filter(state__in=Pull.UNFINISHED).count()


def finish(running: FakeVendor, folder: Path, log: Path) -> None:
    """Workers, one after the other, until there is nothing to do."""
    for _ in range(100):
        if not unfinished():
            return
        until(
            lambda: not Pull.objects.filter(state=Pull.State.RUNNING, lease_until__gt=Now()).exists(), 20
        )  # abandoned
        assert ended(worker(running, folder, log)) == 0, log.read_text()
    raise AssertionError(
        list(Pull.objects.filter(state__in=Pull.UNFINISHED).values("endpoint", "day", "state", "error"))
    )


def assert_as_the_vendor_says(connection: Connection, running: FakeVendor) -> None:
    """Every row of every endpoint once, each figure that of the vendor, and the totals those it generated."""
    running.faults.clear()
    failed = Pull.objects.exclude(state=Pull.State.DONE).values_list("endpoint", "day", "state", "error")
    assert not failed, list(failed)
    vendor = registry.VENDORS[connection.vendor]
    key = {"anthropic_admin": running.keys.admin, "anthropic_analytics": running.keys.analytics}[connection.vendor]
    company = running.company
    days = [company.first_day + dt.timedelta(days=number) for number in range(company.days)]
    for endpoint in [each for each in vendor.endpoints if each.daily]:
        usage: Counter[tuple[Any, ...]] = Counter()
        reports: Counter[tuple[Any, ...]] = Counter()
        for day in days:
            reading = vendor.read(endpoint.name, day, _pages(vendor, key, endpoint.name, day))
            usage.update((row.identity_kind, row.identity, *(getattr(row, name) for name in _COLUMNS))
                         for row in reading.usage)  # fmt: skip
            reports.update((day, row.key) for row in reading.reports)
        rows = UsageDay.objects.filter(connection=connection, endpoint=endpoint.name)
        stored = rows.values_list("identity__kind", "identity__value", *_COLUMNS)
        _assert_same(Counter(stored.iterator(2000)), usage)
        told = Reported.objects.filter(connection=connection, endpoint=endpoint.name)
        _assert_same(Counter(told.values_list("day", "key")), reports)
        assert usage or reports
    _assert_totals(connection, running)
    assert not Pull.objects.filter(restated__gt=0).exists(), "what is read twice is no restatement"
    for pull in Pull.objects.filter(day__isnull=False):
        numbers = list(Page.objects.filter(pull=pull).order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, pull.pages_taken + 1))


def _assert_same(stored: Counter[Any], said: Counter[Any]) -> None:
    """A few of what differs are enough to see why."""
    more, less = list((stored - said).items())[:3], list((said - stored).items())[:3]
    assert not more, f"stored: {more}, where the vendor says: {less}"
    assert not less, f"not stored: {less}"


def _assert_totals(connection: Connection, running: FakeVendor) -> None:
    company = running.company
    rows = UsageDay.objects.filter(connection=connection).select_related("identity")
    if connection.vendor == "anthropic_admin":
        found = truth.of_rows(rows.filter(endpoint="claude_code").iterator(2000))
        assert found == truth.claude_code(running, company.first_day, company.last_day)
    else:
        expected = truth.analytics(running, company.first_day, company.last_day)
        spent = truth.of_rows(rows.filter(endpoint="user_cost_report").iterator(2000))
        used = truth.of_rows(rows.filter(endpoint="user_usage_report").iterator(2000))
        assert (spent.cost, spent.user_days) == (expected.cost, expected.user_days)
        assert (used.input_tokens, used.requests) == (expected.input_tokens, expected.requests)


def _pages(vendor: Any, key: str, endpoint: str, day: dt.date) -> list[bytes]:
    bodies, cursor = [], ""
    while True:
        fetched = vendor.fetch(key, endpoint, day, cursor)
        bodies.append(fetched.body)
        if not (cursor := fetched.next_cursor):
            return bodies
