"""Writer threads: merge the requests that wait, and answer each when its transaction is committed."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

import psycopg
from django.db import connection, connections

from ingest.receiving.answers import UNAVAILABLE
from ingest.receiving.recording import record
from ingest.receiving.requests import Outcome, Request

logger = logging.getLogger(__name__)

REQUESTS_AT_ONCE = 64
BYTES_AT_ONCE = 2 << 20
LINGER_SECONDS = 0.003
"""How long a busy writer waits for more requests: senders just answered come back within it, and one transaction for
many costs each of them less. A sender that is alone never waits."""

_SESSION = "SET synchronous_commit = on; SET statement_timeout = '6s'; SET lock_timeout = '4s'"

Done = Callable[[Sequence[tuple[Request, Outcome]]], None]


class Writer(threading.Thread):
    """Takes requests from `waiting` until it finds None there. Each writer has a database connection of its own."""

    def __init__(self, waiting: "queue.SimpleQueue[Request | None]", done: Done, number: int) -> None:
        super().__init__(name=f"writer-{number}", daemon=True)
        self._waiting = waiting
        self._done = done
        self._prepared_connection: object = None
        self._busy = False  # whether the last batch was of more than one request

    def run(self) -> None:
        while batch := self._next_batch():
            self._done(list(zip(batch, self._record(batch), strict=True)))
        connections.close_all()

    def _record(self, batch: Sequence[Request]) -> Sequence[Outcome]:
        try:
            return record(self._database(), batch)
        except Exception:  # the boundary: whatever it was, nothing is recorded, and the senders are told so
            logger.exception("not recorded", extra={"action": "write", "requests": len(batch)})
            connection.close()
            return [Outcome(UNAVAILABLE)] * len(batch)

    def _next_batch(self) -> list[Request]:
        """What is waiting, up to a bound; empty when it is time to stop."""
        batch: list[Request] = []
        size = 0
        request = self._waiting.get()
        until = time.monotonic() + (LINGER_SECONDS if self._busy else 0)
        while request is not None:
            request.taken = True
            batch.append(request)
            size += len(request.body)
            if len(batch) >= REQUESTS_AT_ONCE or size >= BYTES_AT_ONCE:
                break
            try:
                request = self._waiting.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                break
        if request is None and batch:
            self._waiting.put(None)
        self._busy = len(batch) > 1
        return batch

    def _database(self) -> psycopg.Connection:
        """A live connection; its session is set up once. Raises the driver's errors."""
        connection.close_if_unusable_or_obsolete()
        connection.ensure_connection()
        database: psycopg.Connection = connection.connection
        if self._prepared_connection is not database:
            database.execute(_SESSION)
            self._prepared_connection = database
        return database
