"""Counts usage anew from the telemetry that is still stored."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connectors.usage import rollup


class Command(BaseCommand):
    help = (
        "Count the user-days of telemetry anew from what is stored. Those of events that were purged meanwhile are gone"
        " then, which is why --forget-purged has to be said."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forget-purged", action="store_true", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        rollup.rebuild()
        events = points = 0
        finished = False
        while not finished:
            done = rollup.run()
            events, points, finished = events + done.events, points + done.points, done.finished
            self.stdout.write(f"{events} events, {points} points")
