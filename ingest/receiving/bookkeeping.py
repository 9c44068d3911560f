"""What the receiver answered, added up and written every second: never in a request's way."""

import logging
import threading
from collections.abc import Iterable
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
VALUES (date_trunc('hour', now()), %s, %s, %s, %s, %s, %s, %s, now(), %s)
ON CONFLICT (hour, token_id, outcome) DO UPDATE SET requests = a.requests + excluded.requests,
    records = a.records + excluded.records, duplicates = a.duplicates + excluded.duplicates,
    rejected = a.rejected + excluded.rejected, bytes = a.bytes + excluded.bytes, last_at = excluded.last_at,
    last_address = excluded.last_address
"""
_BEAT = """
INSERT INTO audit_heartbeat (name, at, detail) VALUES (%s, now(), '{}')
ON CONFLICT (name) DO UPDATE SET at = excluded.at
"""


@dataclass(slots=True)
class Tally:
    requests: int = 0
    records: int = 0
    duplicates: int = 0
    rejected: int = 0
    bytes: int = 0
    address: str = ""

    def add(self, request: Request, outcome: Outcome) -> None:
        self.requests += 1
        self.records += outcome.records
        self.duplicates += outcome.duplicates
        self.rejected += outcome.rejected
        self.bytes += request.size
        self.address = request.address[:ADDRESS_CHARACTERS]


def name_of(outcome: Outcome) -> str:
    """`stored`, or the status and reason of the refusal."""
    return f"{outcome.refusal.status} {outcome.refusal.reason}" if outcome.refusal else "stored"


class Bookkeeper(threading.Thread):
    """Adds up outcomes by token, and writes them, the tokens' last use and a sign of life."""

    def __init__(self, heartbeat: str) -> None:
        super().__init__(name="bookkeeper", daemon=True)
        self._heartbeat = heartbeat
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
        while not self._stopping.wait(INTERVAL_SECONDS):
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
                cursor.execute(_TALLY, (token_id, outcome, *numbers, each.address))
            cursor.execute(_BEAT, (self._heartbeat,))
        used = [
            tokens.Use(token_id, each.address, recorded=each.records > 0)
            for (token_id, outcome), each in tallies.items()
            if token_id and outcome == "stored"
        ]
        tokens.touch(database, used)
        refused = {
            (token_id, outcome.partition(" ")[2]): tokens.Refused(each.requests, each.address)
            for (token_id, outcome), each in tallies.items()
            if token_id and outcome != "stored"
        }
        if refused:
            tokens.note_refusals(database, refused)

    def _put_back(self, tallies: dict[tuple[int, str], Tally]) -> None:
        with self._lock:
            for key, each in tallies.items():
                into = self._tallies.setdefault(key, Tally(address=each.address))
                into.requests += each.requests
                into.records += each.records
                into.duplicates += each.duplicates
                into.rejected += each.rejected
                into.bytes += each.bytes
