"""Reads a request's body with a bound on its size, on its time, and on what all bodies take together."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from connectors.tokens import Refusal
from ingest import compression
from ingest.otlp import Limits, Malformed, TooLarge
from ingest.receiving.requests import Request

AT_ONCE_BYTES = 16 << 10


class TooSlow(Exception):
    """The body did not arrive within its time."""


class Full(Exception):
    """The bodies that are being read and worked on take all the room there is."""


class Share:
    """One body's part of a room."""

    def __init__(self, room: "Room") -> None:
        self._room = room
        self.taken = 0

    def take(self, size: int) -> None:
        """Raises Full."""
        if self._room.left < size:
            raise Full
        self._room.left -= size
        self.taken += size


class Room:
    """The bytes that all bodies in this process may take together, from their first one to their answer."""

    def __init__(self, size: int) -> None:
        self.left = size

    @contextlib.contextmanager
    def share(self) -> Iterator[Share]:
        """Grows as it is taken; what was taken is given back when the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            self.left += share.taken


async def read(protocol: Any, limits: Limits, seconds: float, announced: int | None, share: Share) -> bytes:
    """The body as sent. Raises TooLarge as soon as the limit is passed, Full, and TooSlow if it does not come in time.

    `announced` is its Content-Length, which the server holds the sender to. A small body is taken in one piece; of a
    larger one only what has come takes room, so that announcing much costs the others nothing.
    """
    received = bytearray()
    try:
        async with asyncio.timeout(seconds):
            if announced is not None and announced <= AT_ONCE_BYTES:
                share.take(announced)
                return bytes(await protocol())
            async for chunk in protocol:
                share.take(len(chunk))
                received += chunk
                if len(received) > limits.wire_bytes:
                    raise TooLarge(f"more than {limits.wire_bytes} bytes")
    except TimeoutError:
        raise TooSlow from None
    return bytes(received)


def unpack(request: Request, limits: Limits) -> None:
    """Turns a compressed body into what it holds, or notes why it cannot be."""
    if not request.gzip or request.early:
        return
    request.gzip = False
    try:
        request.body = compression.gunzip([request.body], limits)
    except TooLarge as error:
        request.body, request.early = b"", Refusal(413, "too_large", str(error))
    except Malformed as error:
        request.early = Refusal(400, "malformed", str(error))
