import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from audit import projector
from audit.models import Event


class Command(BaseCommand):
    help = "Folds all events anew into sessions, tool uses and MCP servers; readers see the old rows until it is done."

    def handle(self, *args: Any, **options: Any) -> None:
        connection.ensure_connection()
        total, started = Event.objects.count(), time.monotonic()

        def progress(done: int) -> None:
            rate = done / max(time.monotonic() - started, 0.001)
            left = max(total - done, 0) / rate
            self.stdout.write(f"\r{done:,} of {total:,} events, {left:,.0f} s left ", ending="")
            self.stdout.flush()

        done = projector.rebuild(connection.connection, progress)
        self.stdout.write(f"\rRebuilt from {done:,} events in {time.monotonic() - started:,.1f} s.          ")
