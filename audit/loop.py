"""A supervised loop: does its round a few times a second, leaves a sign of life, survives a lost database."""

import datetime as dt
import logging
import signal
import threading
from collections.abc import Callable

import psycopg
from django.db import DatabaseError, connection

from audit.models import Heartbeat

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.2
HEARTBEAT_SECONDS = 5
RETRY_SECONDS = 1


class Loop:
    """Runs `work` until SIGTERM or SIGINT. `work` returns how much it did; after nothing it rests."""

    def __init__(self, name: str, work: Callable[[psycopg.Connection], int]) -> None:
        self.name = name
        self.work = work
        self.stopping = threading.Event()
        self.done = 0
        self._beaten_at: dt.datetime | None = None

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            self.stopping.wait(self.round())

    def round(self) -> float:
        """One round; seconds to rest after it."""
        try:
            connection.ensure_connection()
            done = self.work(connection.connection)
            self.done += done
            self._beat()
        except (DatabaseError, psycopg.Error):
            logger.exception("round failed; trying again", extra={"action": self.name})
            connection.close()
            return RETRY_SECONDS
        return 0 if done else IDLE_SECONDS

    def _beat(self) -> None:
        now = dt.datetime.now(dt.UTC)
        if self._beaten_at and now - self._beaten_at < dt.timedelta(seconds=HEARTBEAT_SECONDS):
            return
        Heartbeat.objects.update_or_create(name=self.name, defaults={"at": now, "detail": {"done": self.done}})
        self._beaten_at = now
