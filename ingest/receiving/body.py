"""Reads a request's body with a bound on its size and on its time."""

import asyncio
from collections.abc import AsyncIterable

from connectors.tokens import Refusal
from ingest import compression
from ingest.otlp import Limits, Malformed, TooLarge
from ingest.receiving.requests import Request


class TooSlow(Exception):
    """The body did not arrive within its time."""


async def read(chunks: AsyncIterable[bytes], limits: Limits, seconds: float) -> bytes:
    """The body as sent. Raises TooLarge as soon as the limit is passed, TooSlow when it does not come in time."""
    received = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
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
