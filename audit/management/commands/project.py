from typing import Any

import psycopg
from django.core.management.base import BaseCommand

from audit import completeness, projector
from audit.loop import Loop


def fold_and_look(connection: psycopg.Connection) -> int:
    return projector.fold_waiting(connection) or completeness.find_due(connection)


class Command(BaseCommand):
    help = "Folds new events into sessions, tool uses and MCP servers, and finds gaps, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        Loop("projector", fold_and_look).run()
