from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connectors.roster import folding, missing


class Command(BaseCommand):
    help = (
        "Count the installations anew from the sealed events. What was erased or purged meanwhile can tell of no switch"
        " and be counted no more."
    )

    def handle(self, **options: Any) -> None:
        counted = folding.rebuild()
        if counted is None:
            raise CommandError("Another process counts at this moment; try again in a minute.")
        missing.count()
        self.stdout.write(f"{counted} sealed events counted.")
