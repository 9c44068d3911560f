"""Writer threads: merge the requests that wait, and answer each when its transaction is committed."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence

import psycopg
from django.db import connection, connections

from ingest.receiving.answers import UNAVAILABLE
from ingest.receiving.budget import Budgets
from ingest.receiving.recording import record
from ingest.receiving.requests import Outcome, Request

logger = logging.getLogger(__name__)

REQUESTS_AT_ONCE = 64
BYTES_AT_ONCE = 2 << 20
_SESSION = "SET synchronous_commit = on; SET statement_timeout = '6s'; SET lock_timeout = '4s'"

Done = Callable[[Sequence[tuple[Request, Outcome]]], None]


class Writer(threading.Thread):
    """Takes requests from `waiting` until it finds None there. Each writer has a database connection of its own."""

    def __init__(self, waiting: "queue.SimpleQueue[Request | None]", budgets: Budgets, done: Done, number: int) -> None:
        super().__init__(name=f"writer-{number}", daemon=True)
        self._waiting = waiting
        self._budgets = budgets
        self._done = done
        self._prepared_connection: object = None

    def run(self) -> None:
        while batch := self._next_batch():
            self._done(list(zip(batch, self._record(batch), strict=True)))
        connections.close_all()

    def _record(self, batch: Sequence[Request]) -> Sequence[Outcome]:
        try:
            return record(self._database(), batch, self._budgets)
        except Exception:  # the boundary: whatever it was, nothing is recorded, and the senders are told so
            logger.exception("not recorded", extra={"action": "write", "requests": len(batch)})
            connection.close()
            return [Outcome(UNAVAILABLE)] * len(batch)

    def _next_batch(self) -> list[Request]:
        """What is waiting, up to a bound; empty when it is time to stop."""
        batch: list[Request] = []
        size = 0
        request = self._waiting.get()
        while request is not None:
            batch.append(request)
            size += len(request.body)
            if len(batch) >= REQUESTS_AT_ONCE or size >= BYTES_AT_ONCE:
                return batch
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                return batch
        if batch:
            self._waiting.put(None)
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
