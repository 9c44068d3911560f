"""How much the receiver holds at once, and what becomes of a request that nobody waits for any more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ingest.otlp import Limits, TooLarge
from ingest.receiving import receiver as receiving
from ingest.receiving.body import AT_ONCE_BYTES, Full, Room, read
from ingest.receiving.receiver import Receiver
from ingest.receiving.requests import Outcome, Request, Route


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    with ThreadPoolExecutor(1) as thread:  # the browser tests leave a running loop in this one
        return thread.submit(lambda: asyncio.run(coroutine)).result()


class Sent:
    """A body as granian hands it over: whole when awaited, else in chunks."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __call__(self) -> Awaitable[bytes]:
        async def whole() -> bytes:
            return b"".join(self.chunks)

        return whole()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


@pytest.mark.parametrize("announced", [None, 6, AT_ONCE_BYTES + 1])
def test_a_body_takes_room_as_it_comes_and_gives_it_back(announced):
    room = Room(10)

    async def held() -> int:
        with room.share() as share:
            assert await read(Sent(b"abc", b"def"), Limits(), 5, announced, share) == b"abcdef"
            return room.left

    assert (run(held()), room.left) == (4, 10)


def test_a_body_that_finds_no_room_is_let_go_of():
    room = Room(5)

    async def refused() -> None:
        with room.share() as share:
            await read(Sent(b"abc", b"def"), Limits(), 5, None, share)

    with pytest.raises(Full):
        run(refused())
    assert room.left == 5


def test_what_was_announced_but_has_not_come_takes_no_room():
    room = Room(5)

    async def kept() -> bytes:
        with room.share() as share:
            return await read(Sent(b"abc"), Limits(), 5, 1 << 20, share)

    assert run(kept()) == b"abc"


def test_reading_stops_at_the_limit():
    async def refused() -> None:
        with Room(100).share() as share:
            await read(Sent(b"abc", b"def"), Limits(wire_bytes=5), 5, None, share)

    with pytest.raises(TooLarge):
        run(refused())


@pytest.mark.parametrize("taken", [False, True])
def test_a_request_nobody_waits_for_any_more_is_not_begun(monkeypatch, taken):
    monkeypatch.setattr(receiving, "ANSWER_SECONDS", 0.01)
    request = Request(Route("logs", None), "json", secret="", address="", body=b"body", taken=taken)

    async def decided() -> Outcome:
        receiver = Receiver()
        receiver._loop = asyncio.get_running_loop()
        return await receiver._decide(request)

    assert run(decided()).refusal.status == 503
    assert (request.body, request.early is None) == ((b"body", True) if taken else (b"", False))
