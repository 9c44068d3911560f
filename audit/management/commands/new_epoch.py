from argparse import ArgumentParser
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from audit import epochs, tree
from audit.signer import Signer, SignerError


class Command(BaseCommand):
    help = "Go on after an older database was restored: numbers given after it are lost, and the new epoch says so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, help="Why, in words: it is kept in the ledger.")
        parser.add_argument("--by", required=True, help="Who decided it.")
        parser.add_argument("--yes", action="store_true", help="Do it; without, only say what would be done.")

    def handle(self, **options: Any) -> None:
        connection.ensure_connection()
        database: psycopg.Connection = connection.connection
        with psycopg.Cursor(database) as cursor:
            current, size = epochs.current(cursor), tree.size(cursor)
        if current is None:
            raise CommandError("Nothing was signed yet, so there is no epoch to end.")
        try:
            lost = Signer(settings.AUDIT_SIGNER_FOLDER).last(current.origin)
        except SignerError as error:
            raise CommandError(str(error)) from error
        if lost is None or lost.size <= size:
            raise CommandError(f"The database holds all that was signed ({size} events); sealing goes on by itself.")
        self.stdout.write(f"Signed in epoch {current.number}: {lost.size} events. The database holds {size}.")
        self.stdout.write(f"{lost.size - size} signed events are missing. A new epoch numbers on from {size}.")
        if not options["yes"]:
            self.stdout.write("Nothing was done. Add --yes to open it; consumers of the feed then get 410 and go on.")
            return
        opened = epochs.open_next(database, lost, options["by"], options["reason"])
        self.stdout.write(f"Epoch {opened.number} is open: {opened.origin}")
