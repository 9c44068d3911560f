import sys
from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from audit import verifications
from audit.listing import words
from audit.models import Verification
from audit.proofs.notes import NoteError, VerifierKey
from audit.verification import Fault

MOST_TOLD = 100


class Command(BaseCommand):
    help = (
        "Recompute the whole ledger from its stored bytes, and say what is wrong and where. Exit code 1 if anything is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--key", help="Verifier key of the log; without it, that of the signer on this machine.")

    def handle(self, **options: Any) -> None:
        connection.ensure_connection()
        database: psycopg.Connection = connection.connection
        key = _key(options["key"]) or verifications.key_here(database)
        if key is None:
            self.stderr.write("No key here: the checkpoints' signatures are not looked at.")
        this = Verification(cause=Verification.Cause.COMMAND)
        with verifications.undisturbed() as is_alone:
            if not is_alone:
                raise CommandError(
                    "The ledger is being verified already; the admin's list of verifications tells how far."
                )
            verifications.run(database, this, key, lambda fault: self._tell(this, fault), self._progress)
        if this.faults > MOST_TOLD:
            self.stdout.write(f"… and {this.faults - MOST_TOLD} more.")
        found = f"{this.faults} faults" if this.faults else "nothing is wrong"
        self.stdout.write(f"{this.size} events verified: {found}.")
        if this.faults:
            sys.exit(1)

    def _tell(self, this: Verification, fault: Fault) -> None:
        if this.faults <= MOST_TOLD:
            self.stdout.write(str(fault))

    def _progress(self, this: Verification) -> None:
        if sys.stderr.isatty():
            left = f", {words.span(this.rest)} left" if this.rest is not None else ""
            self.stderr.write(f"\r{this.done} of {this.total} rows{left} ", ending="")


def _key(text: str | None) -> VerifierKey | None:
    if text is None:
        return None
    try:
        return VerifierKey.parse(text)
    except NoteError as error:
        raise CommandError(f"--key: {error}.") from error
