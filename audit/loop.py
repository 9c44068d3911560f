"""A supervised loop: does its round at most ten times a second, leaves a sign of life, survives a lost database."""

import datetime as dt
import logging
import signal
import threading
import time
from collections.abc import Callable

import psycopg
from django.db import DatabaseError, connection

from audit.models import Heartbeat

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.2
PACE_SECONDS = 0.1
"""Rounds begin no closer together: a round has its own cost, and fewer, larger ones cost an event less."""

HEARTBEAT_SECONDS = 5
RETRY_SECONDS = 1


class Halted(Exception):
    """The work must not go on until a person has acted; the message says what happened and what to do."""


class Loop:
    """Runs `work` until SIGTERM or SIGINT. `work` returns how much it did; after nothing it rests.

    While work is `Halted` the sign of life says why, and each round asks again.
    """

    def __init__(self, name: str, work: Callable[[psycopg.Connection], int]) -> None:
        self.name = name
        self.work = work
        self.stopping = threading.Event()
        self.done = 0
        self.halted = ""
        self._beaten_at: dt.datetime | None = None

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            self.stopping.wait(self.round())

    def round(self) -> float:
        """One round; seconds to rest after it."""
        begun = time.monotonic()
        try:
            connection.ensure_connection()
            done = self._work(connection.connection)
            self.done += done
            self._beat()
        except (DatabaseError, psycopg.Error):
            logger.exception("round failed; trying again", extra={"action": self.name})
            connection.close()
            return RETRY_SECONDS
        return max(0.0, begun + PACE_SECONDS - time.monotonic()) if done else IDLE_SECONDS

    def _work(self, database: psycopg.Connection) -> int:
        try:
            done = self.work(database)
        except Halted as error:
            if not self.halted:
                logger.critical("halted: %s", error, extra={"action": self.name})
            self._told_at_once(str(error))
            return 0
        self._told_at_once("")
        return done

    def _told_at_once(self, halted: str) -> None:
        if halted != self.halted:
            self.halted, self._beaten_at = halted, None

    def _beat(self) -> None:
        now = dt.datetime.now(dt.UTC)
        if self._beaten_at and now - self._beaten_at < dt.timedelta(seconds=HEARTBEAT_SECONDS):
            return
        detail = {"done": self.done, "halted": self.halted}
        Heartbeat.objects.update_or_create(name=self.name, defaults={"at": now, "detail": detail})
        self._beaten_at = now
