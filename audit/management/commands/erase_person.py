from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.models import Erasure
from audit.privacy import erasing, people


class Command(BaseCommand):
    help = (
        "Erase a person: identities, contents, words, metric points. Proofs stay valid. Without --yes, only say what."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="An e-mail address, an account, an installation, or a pseudonym (p-1a2b3c4d).")
        parser.add_argument("--reason", required=True, help="Kept in the ledger: a case number rather than a name.")
        parser.add_argument("--by", required=True, help="Who decided it.")
        parser.add_argument("--yes", action="store_true", help="Do it. It cannot be brought back.")

    def handle(self, **options: Any) -> None:
        subjects = people.find(options["who"])
        if not subjects:
            raise CommandError("Nobody in the ledger is called that.")
        found = people.overview(subjects)
        self.stdout.write(
            f"{len(found.identities)} identities, {found.events:,} events, {found.contents:,} contents,"
            f" {found.sessions:,} sessions, {found.points:,} metric points."
        )
        if found.holds:
            self.stdout.write(f"Under legal hold {', '.join(map(str, found.holds))}: it would wait for the release.")
        if not options["yes"]:
            self.stdout.write("Nothing was done. Add --yes to erase them.")
            return
        erasure = erasing.run(erasing.ask(subjects, reason=options["reason"], by=options["by"]), self._progress)
        if erasure.state == Erasure.HELD:
            raise CommandError(f"Erasure {erasure.pk} waits for legal hold {erasure.hold_id}.")
        self.stdout.write(
            f"\rErasure {erasure.pk}: {erasure.contents:,} contents, {erasure.identities} identities,"
            f" {erasure.points:,} metric points are gone."
        )

    def _progress(self, erasure: Erasure) -> None:
        self.stdout.write(f"\r{erasure.contents:,} of {erasure.total:,} contents ", ending="")
        self.stdout.flush()
