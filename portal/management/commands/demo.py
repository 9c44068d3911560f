import sys
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from audit.identifiers import session_key
from audit.models import Session
from audit.progress import Progress
from ingest.replaying.client import Unreachable
from portal.demo import data, delivery

SESSIONS = 110
SEED = "acme"


class Command(BaseCommand):
    help = (
        "Fills the portal with some hundred believable sessions of the last 30 days, bad cases included. They belong "
        "to the source “Demo”. Goes through the receiver if the portal runs, else works by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--more", action="store_true", help="Add another month's worth to what is there.")
        parser.add_argument("--sessions", type=int, default=SESSIONS, help="Ordinary sessions. Default: %(default)s")
        parser.add_argument("--seed", default=SEED, help="Another word gives other people's days. Default: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sessions"] < 1:
            raise CommandError("--sessions must be at least 1.")
        source = delivery.source()
        there = Session.objects.filter(source_id=source.pk).count() if source else 0
        if there and not options["more"]:
            self.stdout.write(f"The demonstration data is there: {there:,} sessions. --more adds as many again.")
            return
        seed = f"{options['seed']}/{there}" if there else options["seed"]
        made = data.build(timezone.now(), seed, options["sessions"])
        statuses = self._deliver(made)
        delivery.look_at_it()
        self._report(made, statuses)

    def _deliver(self, made: data.DataSet) -> Counter[int]:
        statuses: Counter[int] = Counter()
        progress = Progress(sys.stderr, "requests", len(made.requests))

        def answered(status: int) -> None:
            statuses[status] += 1
            progress.update(statuses.total())

        through_receiver = delivery.receiver_is_up()
        self.stdout.write(
            f"Sending {len(made.requests):,} requests of {made.sessions:,} sessions "
            + ("to the receiver." if through_receiver else "through this process: no receiver runs.")
        )
        try:
            with delivery.token() as secret:
                (delivery.send if through_receiver else delivery.record_here)(made.requests, secret, answered)
        except Unreachable as error:
            raise CommandError(f"The receiver does not answer any more: {error}.") from None
        finally:
            progress.clear()
        return statuses

    def _report(self, made: data.DataSet, statuses: Counter[int]) -> None:
        source = delivery.source()
        assert source is not None
        answers = ", ".join(f"{count:,} answered {status}" for status, count in sorted(statuses.items()))
        self.stdout.write(f"{answers} (one is meant to be refused, for the quarantine). What to look at:\n\n")
        for sight in made.sights:
            key = session_key(source.pk, "claude_code", sight.session_id)
            page = reverse("admin:audit_session_change", args=[key])
            self.stdout.write(f"  {sight.look}\n    {settings.PUBLIC_URL}{page}")
        self.stdout.write(
            "\nThe gap shows a minute after it was received, while the portal runs. All of it belongs to the source "
            f"“{delivery.SOURCE}”, whose token was revoked again.\n"
            "It makes figures of the overview amber, as it is meant to: Sessions complete, for the session with the "
            "gap; Quarantine, for a request cut short and a record nested too deep. The ingest lag is of days, because "
            "a month arrives at once."
        )
