"""The receiver: an RSGI application that reads bounded bodies and answers what the writers decided.

Order of checks (DESIGN §5.2): path 404, method 405, token 401, network and scope 403, content type and encoding 415,
size 413, decoding 400. What is found here after the token's spelling waits for the token's own check in the writer;
only a large or unannounced body is not read before its token was found good.
"""

import asyncio
import logging
import queue
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from connectors import addresses, tokens
from connectors.tokens import Refusal
from ingest import otlp
from ingest.receiving import answers, body
from ingest.receiving.answers import Answer
from ingest.receiving.bookkeeping import Bookkeeper
from ingest.receiving.preparation import LIMITS
from ingest.receiving.requests import NOT_FOUND, NOT_POST, Outcome, Request, Route, encoding_of, is_gzip, route
from ingest.receiving.writer import Writer

logger = logging.getLogger(__name__)

BODY_SECONDS = 20.0
ANSWER_SECONDS = 8.0  # a direct client gives up after ten seconds in all
ROOM_BYTES = (64 << 20) // settings.INGEST_RECEIVERS
TRUSTED_UNREAD_BYTES = 1 << 20


class Receiver:
    """One per process. Granian calls `__rsgi_init__` before it listens and `__rsgi_del__` when it has stopped.

    `number` tells it from the other receivers at the same address.
    """

    def __init__(self, number: int = 1) -> None:
        self._waiting: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._room = body.Room(max(ROOM_BYTES, LIMITS.wire_bytes))
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._futures: dict[int, asyncio.Future[Outcome]] = {}
        self._writers: list[Writer] = []
        name = f"receiver:{settings.OTLP_HTTP_HOST}:{settings.OTLP_HTTP_PORT}"
        self._books = Bookkeeper(name if number == 1 else f"{name}#{number}", self._still_writes)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._writers = [
            Writer(self._waiting, self._decided, number) for number in range(settings.INGEST_WRITER_THREADS)
        ]
        for thread in (*self._writers, self._books):
            thread.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """What waits is still written; then the books are closed."""
        self._stopping = True
        for _ in self._writers:
            self._waiting.put(None)
        for writer in self._writers:
            writer.join(timeout=ANSWER_SECONDS)
        self._books.stop()

    def _still_writes(self) -> bool:
        return self._stopping or all(writer.is_alive() for writer in self._writers)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        try:
            answer = await self._answer(scope, protocol)
        except Exception:  # the boundary: an unknown failure is one that a retry may save
            logger.exception("request failed", extra={"action": "receive"})
            answer = answers.refused(answers.UNAVAILABLE, "protobuf")
        protocol.response_bytes(answer.status, answer.headers, answer.body)

    async def _answer(self, scope: Any, protocol: Any) -> Answer:
        headers = scope.headers
        encoding = encoding_of(headers.get("content-type") or "")
        answered_in: otlp.Encoding = "json" if isinstance(encoding, Refusal) else encoding
        address = addresses.client_address(
            scope.client, headers.get("x-forwarded-for") or "", settings.INGEST_TRUSTED_PROXIES
        )
        to = route(scope.path)
        if scope.path == "/healthz":
            return Answer(200, [("content-type", "text/plain")], b"ok\n")
        if to is None:
            return self._turned_away(NOT_FOUND, answered_in, address)
        if scope.method != "POST":
            return self._turned_away(NOT_POST, answered_in, address)
        secret = tokens.secret_of(headers.get("authorization"))
        if isinstance(secret, Refusal):
            return self._turned_away(secret, answered_in, address)
        request = Request(to, answered_in, secret, address)
        if isinstance(encoding, Refusal):
            request.early = encoding
        outcome = await self._outcome(request, headers, protocol)
        if outcome.refusal:
            return answers.refused(outcome.refusal, answered_in)
        return answers.stored(to.signal, answered_in, outcome.rejected, outcome.message)

    def _turned_away(self, refusal: Refusal, encoding: otlp.Encoding, address: str) -> Answer:
        """Refused before anything is known of the sender but its address."""
        request = Request(_NOWHERE, encoding, "", address)
        self._books.note([(request, Outcome(refusal))])
        return answers.refused(refusal, encoding)

    async def _outcome(self, request: Request, headers: Any, protocol: Any) -> Outcome:
        gzip = is_gzip(headers.get("content-encoding") or "")
        if isinstance(gzip, Refusal):
            request.early = request.early or gzip
        announced = _announced(headers)
        if announced is not None and announced > LIMITS.wire_bytes:
            request.early = request.early or Refusal(413, "too_large", f"more than {LIMITS.wire_bytes} bytes")
        if self._stopping:
            return self._told(request, answers.STOPPING)
        if request.early is None and (announced is None or announced > TRUSTED_UNREAD_BYTES):
            known = await self._decide(Request(request.route, "protobuf", request.secret, request.address, probe=True))
            if known.refusal:
                return known
        with self._room.share() as share:
            if request.early is None:
                request.gzip = gzip is True
                await self._read(request, protocol, announced, share)
            if request.early and request.early.status == 503:
                return self._told(request, request.early)
            return await self._decide(request)

    async def _read(self, request: Request, protocol: Any, announced: int | None, share: body.Share) -> None:
        """The request's body, or why it cannot be had."""
        try:
            request.body = await body.read(protocol, LIMITS, BODY_SECONDS, announced, share)
            request.size = len(request.body)
        except body.Full:
            request.early = answers.OVERLOADED
        except otlp.TooLarge as error:
            request.early = Refusal(413, "too_large", str(error))
        except body.TooSlow:
            request.early = answers.SLOW

    def _told(self, request: Request, refusal: Refusal) -> Outcome:
        outcome = Outcome(refusal)
        self._books.note([(request, outcome)])
        return outcome

    async def _decide(self, request: Request) -> Outcome:
        """The writers' decision. What takes too long is not begun; what was begun, sent again, is a duplicate."""
        assert self._loop is not None
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._futures[id(request)] = future
        self._waiting.put(request)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await future
        except TimeoutError:
            if not request.taken:
                request.early, request.body = answers.SLOW, b""
            return self._told(request, answers.SLOW)
        finally:
            self._futures.pop(id(request), None)

    def _decided(self, decided: Sequence[tuple[Request, Outcome]]) -> None:
        """Called by a writer, from its own thread."""
        self._books.note(decided)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._release, decided)

    def _release(self, decided: Sequence[tuple[Request, Outcome]]) -> None:
        for request, outcome in decided:
            future = self._futures.get(id(request))
            if future and not future.done():
                future.set_result(outcome)


_NOWHERE = Route("logs", None)


def _announced(headers: Any) -> int | None:
    """The Content-Length, or None if the body comes in chunks."""
    value = headers.get("content-length")
    return int(value) if value and value.isdecimal() else None
