from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.models import RetentionRun
from audit.privacy import retention
from audit.privacy.retention import AtItAlready


class Command(BaseCommand):
    help = "Apply the retention rules. Without --yes, only say what is due. What is taken cannot be brought back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", default="command line", help="Who asks for it.")
        parser.add_argument("--yes", action="store_true", help="Do it.")

    def handle(self, **options: Any) -> None:
        if not options["yes"]:
            self._preview()
            return
        try:
            done = retention.run(options["by"], progress=self._progress)
        except AtItAlready as error:
            raise CommandError(str(error)) from error
        self._progress(done)
        self.stdout.write("")
        for each in done.kept:
            self.stdout.write(f"Kept: {each['what']} ({each['count']:,}): {each['why']}.")

    def _preview(self) -> None:
        due = retention.preview()
        for part, counts in (("Content", due.contents), ("Facts", due.facts)):
            for kind, count in counts.items():
                self.stdout.write(f"{part} of {kind}: {count:,}")
        self.stdout.write(f"Identities: {due.identities:,}")
        for month in due.months:
            why = f", but legal hold {month.hold} covers it" if month.hold is not None else ""
            self.stdout.write(f"All events of {month}: {month.events:,}{why}")
        self.stdout.write("Nothing was done. Add --yes to apply the rules.")

    def _progress(self, run: RetentionRun) -> None:
        self.stdout.write(
            f"\r{run.contents:,} contents, {run.facts:,} facts, {run.identities:,} identities, {run.events:,} events ",
            ending="",
        )
        self.stdout.flush()
