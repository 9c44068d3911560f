from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import reasons
from audit.models import Hold
from audit.privacy import holds
from audit.privacy.holds import BadHold


class Command(BaseCommand):
    help = "Place or release a legal hold, or list those in force. What one covers is neither erased nor purged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--place", nargs=2, metavar=("KIND", "VALUE"), help="person, session, repository or query.")
        parser.add_argument("--release", type=int, metavar="HOLD")
        parser.add_argument("--reason", default="", help="Kept in the ledger: a case number rather than a name.")
        parser.add_argument("--by", default="", help="Who decided it.")

    def handle(self, **options: Any) -> None:
        if options["place"] or options["release"] is not None:
            if len(options["reason"]) < reasons.SHORTEST or not options["by"]:
                raise CommandError(f"Say --reason in {reasons.SHORTEST} characters or more, and --by whom.")
            self._act(options)
        for hold in Hold.objects.filter(released_at=None).order_by("pk"):
            self.stdout.write(f"{hold.pk}\t{hold.kind}\t{hold.value}\t{hold.reason}")

    def _act(self, options: dict[str, Any]) -> None:
        why = {"reason": options["reason"], "by": options["by"]}
        if options["place"]:
            kind, value = options["place"]
            if kind not in dict(Hold.KINDS):
                raise CommandError(f"A hold covers one of: {', '.join(dict(Hold.KINDS))}.")
            try:
                placed = holds.place(kind, value, **why)
            except BadHold as error:
                raise CommandError(str(error)) from error
            self.stderr.write(f"Hold {placed.pk} covers {holds.covers(placed.kind, placed.value):,} events now.")
        else:
            hold = Hold.objects.filter(pk=options["release"], released_at=None).first()
            if hold is None:
                raise CommandError("There is no such hold in force.")
            holds.release(hold, **why)
