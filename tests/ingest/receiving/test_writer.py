"""What a writer takes at once, and how long it waits for more: without a thread, a clock or a database."""

import queue
from collections import deque

import pytest

from ingest.receiving import writer
from ingest.receiving.requests import Request, Route
from ingest.receiving.writer import Writer


class Waiting:
    """A queue that never makes anybody wait, and remembers how long each was ready to (None: for ever)."""

    def __init__(self, *items):
        self.items = deque(items)
        self.waits = []

    def get(self, timeout=None):
        self.waits.append(timeout)
        if not self.items:
            raise queue.Empty
        return self.items.popleft()

    def put(self, item):
        self.items.append(item)


def request(body: bytes = b"") -> Request:
    return Request(Route("logs", None), "json", "", "192.0.2.7", body=body)


def a_writer(*items) -> tuple[Writer, Waiting]:
    waiting = Waiting(*items)
    return Writer(waiting, lambda answers: None, 1), waiting


def test_a_sender_that_is_alone_never_waits():
    alone, waiting = a_writer(request())
    assert len(alone._next_batch()) == 1
    assert waiting.waits == [None, 0]


def test_a_busy_writer_lingers_for_those_who_were_just_answered():
    busy, waiting = a_writer(request(), request())
    assert len(busy._next_batch()) == 2
    waiting.waits.clear()
    waiting.put(request())
    assert len(busy._next_batch()) == 1
    forever, lingered = waiting.waits
    assert forever is None
    assert 0 < lingered <= writer.LINGER_SECONDS
    waiting.waits.clear()
    waiting.put(request())
    busy._next_batch()
    assert waiting.waits == [None, 0], "its last batch was of one: nobody is there to wait for"


@pytest.mark.parametrize(
    ("requests", "taken"),
    [
        pytest.param([request() for _ in range(writer.REQUESTS_AT_ONCE + 1)], writer.REQUESTS_AT_ONCE, id="requests"),
        pytest.param([request(bytes(writer.BYTES_AT_ONCE // 2)) for _ in range(3)], 2, id="bytes"),
        pytest.param([request(bytes(writer.BYTES_AT_ONCE + 1)), request()], 1, id="one-that-is-too-long"),
    ],
)
def test_a_batch_is_bounded(requests, taken):
    bounded, waiting = a_writer(*requests)
    assert bounded._next_batch() == requests[:taken]
    assert [each.taken for each in requests] == [True] * taken + [False] * (len(requests) - taken)
    assert list(waiting.items) == requests[taken:]


def test_a_writer_told_to_stop_finishes_what_it_has_taken():
    stopping, _ = a_writer(request(), None)
    assert len(stopping._next_batch()) == 1
    assert stopping._next_batch() == []
