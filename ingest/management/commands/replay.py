import contextlib
import os
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.progress import Progress
from ingest.replaying import captures, client, run

TOKEN_VARIABLE = "PORTAL_REPLAY_TOKEN"  # noqa: S105 - where the token is, not the token
SHOWN_REFUSALS = 20


class Command(BaseCommand):
    help = (
        "Sends captured OTLP requests to a receiver, in the order of their names: files NNNN.<signal>.<json|pb>[.gz], "
        "folders of them, or the JSON lines of an OpenTelemetry Collector's file exporter. Goes on after refusals; "
        f"the exit code is 1 if any request was refused for good. The token is read from {TOKEN_VARIABLE}."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--endpoint", default=settings.OTLP_PUBLIC_URL, help="Default: %(default)s")
        parser.add_argument(
            "--token",
            help=f"An ingestion token, or - to read it from standard input. Others on this machine can read what "
            f"stands in a command line: prefer - or the variable {TOKEN_VARIABLE}.",
        )
        parser.add_argument("--times", type=_count, default=1, help="Send everything this often. Default: 1")
        parser.add_argument("--rate", type=_rate, help="At most this many requests a second.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found, skipped = captures.find(options["paths"])
            sender = client.Client(options["endpoint"], _token(options["token"]))
        except (captures.NotACapture, client.BadEndpoint) as error:
            raise CommandError(str(error)) from None
        total = sum(capture.count() for capture in found) * options["times"]
        if not total:
            raise CommandError("There is no request in what was named.")
        summary = run.Summary()
        try:
            with contextlib.closing(sender):
                self._replay(sender, run.requests(found, options["times"]), total, options["rate"], summary)
        except client.Unreachable as error:
            self._report(summary, len(skipped))
            raise CommandError(f"Stopped: no answer from {options['endpoint']}: {error}.") from None
        except captures.NotACapture as error:
            self._report(summary, len(skipped))
            raise CommandError(f"Stopped: {error}.") from None
        self._report(summary, len(skipped))
        if summary.refused:
            raise SystemExit(1)

    def _replay(
        self, sender: client.Client, captured: Any, total: int, rate: float | None, summary: run.Summary
    ) -> None:
        progress = Progress(sys.stderr, "requests", total)

        def answered(request: captures.Captured, reply: client.Reply) -> None:
            if reply.status != 200 and summary.refused <= SHOWN_REFUSALS:
                progress.clear()
                self.stderr.write(f"{request.name}: {reply.status} {reply.message}")
            progress.update(summary.sent)

        try:
            run.replay(sender, captured, summary, answered, rate)
        finally:
            progress.clear()

    def _report(self, summary: run.Summary, skipped: int) -> None:
        statuses = ", ".join(f"{number:,} answered {status}" for status, number in sorted(summary.statuses.items()))
        self.stdout.write(f"{summary.sent:,} requests sent{': ' if statuses else ''}{statuses}.")
        if summary.sent_again:
            self.stdout.write(f"{summary.sent_again:,} of them had to be sent more than once.")
        for (signal, message), number in sorted(summary.rejected.items()):
            self.stdout.write(f"Warning: {number:,} records in requests for {signal} were not kept: {message}")
        if summary.refused > SHOWN_REFUSALS:
            self.stdout.write(f"Only the first {SHOWN_REFUSALS} refusals are shown.")
        if skipped:
            self.stdout.write(f"{skipped:,} other files were passed over.")


def _token(given: str | None) -> str:
    token = sys.stdin.readline() if given == "-" else given or os.environ.get(TOKEN_VARIABLE, "")
    token = token.strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise CommandError(f"Give an ingestion token: {TOKEN_VARIABLE}=agp_ing_…, or --token - and the token on stdin.")
    return token


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("a whole number from 1")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ArgumentTypeError("a number above 0")
    return rate
