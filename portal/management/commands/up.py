from typing import Any

from django.core.management.base import BaseCommand

from portal.runner import up
from portal.runner.log import Log


class Command(BaseCommand):
    help = "Run the whole portal in the foreground: database, broker, receiver, web, worker, beat, sealer, projector."
    requires_system_checks = []  # the database that some of them ask is not there yet

    def handle(self, *args: Any, **options: Any) -> None:
        up.run(Log())
