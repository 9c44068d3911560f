"""Readers that tail the feed while many write, roll back and take their time (trust.md I20).

A control reads by id, as one might do without a ledger: it must be seen to miss, or the test proves nothing.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from audit import ledger
from audit.models import Event
from tests.audit.api.conftest import Api, body
from tests.factories import draft, raw, receipt, seal

WRITERS, READERS = 16, 3
PATIENCE_SECONDS = 60
LONGEST_TRANSACTION_SECONDS = 0.2

pytestmark = pytest.mark.django_db(transaction=True)


class RolledBack(Exception):
    pass


class Story:
    """What happened: the events that were committed, and those that were rolled back."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.stopping = threading.Event()
        self.written = threading.Event()
        self.committed: set[UUID] = set()
        self.rolled_back: set[UUID] = set()

    def write(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.stopping.is_set():
            database = raw()
            prepared = ledger.prepare(database, receipt(), [draft() for _ in range(chance.randint(1, 20))])
            ids = {event.id for event in prepared}
            try:
                with database.transaction():
                    ledger.append(database, prepared)
                    time.sleep(chance.choice((0, 0, 0.01, LONGEST_TRANSACTION_SECONDS)) * chance.random())
                    if chance.random() < 0.2:
                        raise RolledBack
                self.committed.update(ids)
            except RolledBack:
                self.rolled_back.update(ids)

    def number(self) -> None:
        while not self.written.is_set() or seal():
            seal()

    def follow(self, api: Api, limit: int) -> list[dict[str, Any]]:
        """The lines a reader of the feed gets, until all that was written is numbered and nothing is left."""
        cursor: dict[str, str] = {}
        lines: list[dict[str, Any]] = []
        deadline = time.monotonic() + self.seconds + PATIENCE_SECONDS
        while True:
            complete = self.written.is_set() and len(_of_agents(lines)) >= len(self.committed)
            response = api.get("export/", limit=limit, **cursor)
            assert response.status_code == 200
            lines += [json.loads(line) for line in body(response).splitlines()]
            cursor = {"after": response["X-Next-Cursor"]}
            if complete and response["X-Has-More"] == "false":
                return lines
            assert time.monotonic() < deadline, "the reader never came to the end"

    def follow_by_id(self) -> set[UUID]:
        """The naive way: all that is there after the greatest id seen."""
        seen: set[UUID] = set()
        last = UUID(int=0)
        while True:
            complete = self.written.is_set()
            found = list(Event.objects.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:1000])
            seen.update(found)
            last = max(found, default=last)
            if complete and not found:
                return seen

    def play(self, readers: list[Api]) -> tuple[list[list[dict[str, Any]]], set[UUID]]:
        with _threads(WRITERS + READERS + 2) as start:
            numbering = start(self.number)
            following = [start(self.follow, api, limit) for api, limit in zip(readers, (50, 1000, 10_000), strict=True)]
            naive = start(self.follow_by_id)
            writing = [start(self.write, seed) for seed in range(WRITERS)]
            self.stopping.wait(self.seconds)
            self.stopping.set()
            for each in writing:
                each.result()
            self.written.set()
            numbering.result()
            return [each.result() for each in following], naive.result()


def _of_agents(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the portal's own acts: that these readers polled."""
    return [line for line in lines if line["agent"] != "portal"]


@contextmanager
def _threads(count: int) -> Iterator[Callable[..., Future]]:
    def closing(work: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return work(*arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        yield lambda work, *arguments: pool.submit(closing, work, *arguments)


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_a_tailing_reader_misses_nothing_repeats_nothing_and_sees_one_order(seconds):
    story = Story(seconds)
    lines_of_each, seen_by_id = story.play([Api("export:read") for _ in range(READERS)])
    assert story.rolled_back
    for lines in lines_of_each:
        assert [line["seq"] for line in lines] == list(range(len(lines)))
        assert len(_of_agents(lines)) == len(story.committed)
        assert {UUID(line["id"]) for line in _of_agents(lines)} == story.committed
    shortest = min(map(len, lines_of_each))
    assert lines_of_each[0][:shortest] == lines_of_each[1][:shortest] == lines_of_each[2][:shortest]
    assert story.committed - seen_by_id, "the control did not miss: the writers were too tame to prove anything"
    assert not seen_by_id & story.rolled_back
