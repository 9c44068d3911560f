"""What the receiver answered, added up and written every second: never in a request's way."""

import datetime as dt
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psycopg
from django.db import DatabaseError, connection, connections

from connectors import tokens
from ingest.receiving.requests import Outcome, Request

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
ADDRESS_CHARACTERS = 64

_TALLY = """
INSERT INTO ingest_answered AS a
    (hour, token_id, outcome, requests, records, duplicates, rejected, bytes, last_at, last_address)
VALUES (date_trunc('hour', now()), %s, %s, %s, %s, %s, %s, %s, now() - %s, %s)
ON CONFLICT (hour, token_id, outcome) DO UPDATE SET requests = a.requests + excluded.requests,
    records = a.records + excluded.records, duplicates = a.duplicates + excluded.duplicates,
    rejected = a.rejected + excluded.rejected, bytes = a.bytes + excluded.bytes,
    last_at = greatest(a.last_at, excluded.last_at),
    last_address = CASE WHEN excluded.last_at >= a.last_at THEN excluded.last_address ELSE a.last_address END
"""
_BEAT = """
INSERT INTO audit_heartbeat (name, at, detail) VALUES (%s, now(), '{}')
ON CONFLICT (name) DO UPDATE SET at = excluded.at
"""


@dataclass(slots=True)
class Tally:
    """What was answered alike since the last time. `first` and `last` are readings of the monotonic clock."""

    requests: int = 0
    records: int = 0
    duplicates: int = 0
    rejected: int = 0
    bytes: int = 0
    address: str = ""
    last: float = 0
    first_address: str = ""
    first: float = 0

    def add(self, request: Request, outcome: Outcome) -> None:
        self.last, self.address = time.monotonic(), request.address[:ADDRESS_CHARACTERS]
        if not self.requests:
            self.first, self.first_address = self.last, self.address
        self.requests += 1
        self.records += outcome.records
        self.duplicates += outcome.duplicates
        self.rejected += outcome.rejected
        self.bytes += request.size

    def put_back(self, earlier: "Tally") -> None:
        """Adds what was noted before this."""
        if not self.requests:
            self.last, self.address = earlier.last, earlier.address
        self.first, self.first_address = earlier.first, earlier.first_address
        self.requests += earlier.requests
        self.records += earlier.records
        self.duplicates += earlier.duplicates
        self.rejected += earlier.rejected
        self.bytes += earlier.bytes


def name_of(outcome: Outcome) -> str:
    """`stored`, or the status and reason of the refusal."""
    return f"{outcome.refusal.status} {outcome.refusal.reason}" if outcome.refusal else "stored"


def _ago(reading: float) -> dt.timedelta:
    """How long a reading of the monotonic clock is past: the database then tells when that was by its own clock."""
    return dt.timedelta(seconds=time.monotonic() - reading)


class Bookkeeper(threading.Thread):
    """Adds up outcomes by token, and writes them, the tokens' last use and a sign of life.

    A process that does not `work` any more is asked to stop, so that whoever supervises it starts another.
    """

    def __init__(self, heartbeat: str, works: Callable[[], bool]) -> None:
        super().__init__(name="bookkeeper", daemon=True)
        self._heartbeat = heartbeat
        self._works = works
        self._lock = threading.Lock()
        self._tallies: dict[tuple[int, str], Tally] = {}
        self._stopping = threading.Event()

    def note(self, decided: Iterable[tuple[Request, Outcome]]) -> None:
        with self._lock:
            for request, outcome in decided:
                if request.probe and outcome.refusal is None:
                    continue
                key = (outcome.token_id, name_of(outcome))
                self._tallies.setdefault(key, Tally()).add(request, outcome)

    def stop(self) -> None:
        """Writes what is left and ends."""
        self._stopping.set()
        self.join(timeout=5)

    def run(self) -> None:
        self._write()
        while not self._stopping.wait(INTERVAL_SECONDS):
            if not self._works():
                logger.critical("a writer has died; stopping", extra={"action": "receive"})
                os.kill(os.getpid(), signal.SIGTERM)
                break
            self._write()
        self._write()
        connections.close_all()

    def _write(self) -> None:
        with self._lock:
            tallies, self._tallies = self._tallies, {}
        try:
            connection.close_if_unusable_or_obsolete()
            connection.ensure_connection()
            self._book(connection.connection, tallies)
        except (psycopg.Error, DatabaseError):
            logger.warning("answers not booked; trying again", extra={"action": "book"})
            connection.close()
            self._put_back(tallies)

    def _book(self, database: psycopg.Connection, tallies: dict[tuple[int, str], Tally]) -> None:
        with database.transaction(), psycopg.Cursor(database) as cursor:
            for (token_id, outcome), each in sorted(tallies.items()):
                numbers = (each.requests, each.records, each.duplicates, each.rejected, each.bytes)
                cursor.execute(_TALLY, (token_id, outcome, *numbers, _ago(each.last), each.address))
            cursor.execute(_BEAT, (self._heartbeat,))
        used = [
            tokens.Use(token_id, each.address, each.records > 0, _ago(each.last))
            for (token_id, outcome), each in tallies.items()
            if token_id and outcome == "stored"
        ]
        tokens.touch(database, used)
        tokens.note_accepted(database, used)
        refused = {
            (token_id, outcome.partition(" ")[2]): tokens.Refused(
                each.requests, each.address, each.first_address, _ago(each.first)
            )
            for (token_id, outcome), each in tallies.items()
            if token_id and outcome != "stored"
        }
        if refused:
            tokens.note_refusals(database, refused)

    def _put_back(self, tallies: dict[tuple[int, str], Tally]) -> None:
        with self._lock:
            for key, each in tallies.items():
                self._tallies.setdefault(key, Tally()).put_back(each)
