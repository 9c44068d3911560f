import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import acts
from audit.privacy import access, people


class Command(BaseCommand):
    help = "Write everything there is of a person as lines of JSON, with who looked at it. The ledger records that."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="An e-mail address, an account, an installation, or a pseudonym (p-1a2b3c4d).")
        parser.add_argument("--by", required=True, help="Who asks for it.")

    def handle(self, **options: Any) -> None:
        subjects = people.find(options["who"])
        if not subjects:
            raise CommandError("Nobody in the ledger is called that.")
        facts = [("subject.id", str(subject)) for subject in subjects]
        acts.record("subject.exported", by=options["by"], facts=facts)
        for line in access.lines(subjects):
            sys.stdout.buffer.write(line)
