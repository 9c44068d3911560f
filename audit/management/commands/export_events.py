"""The feed, dumps and packs without a token, for whoever has a shell on the portal's machine."""

import argparse
import contextlib
import getpass
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from audit import acts, checkpoints
from audit.exceptions import AuditError, CursorError, NotRecorded
from audit.export import cursor, dump, feed
from audit.export.reading import Reader
from audit.models import EvidencePack, Session, packs
from audit.packs import requests, shell

POLL_SECONDS = 1.0


class Command(BaseCommand):
    help = "Write sealed events as NDJSON, ascending by number. The cursor to go on with is told at the end."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--after", default="", help="Cursor of the last line already read.")
        parser.add_argument("--limit", type=int, default=None, help="At most so many lines; without it, all.")
        parser.add_argument("--follow", action="store_true", help="Go on with what is sealed meanwhile, until stopped.")
        parser.add_argument("--output", type=Path, default=None, help="A file to write anew; without it, to stdout.")
        parser.add_argument("--without-content", action="store_true", help="Leave out prompts, commands, tool input.")
        parser.add_argument("--without-identity", action="store_true", help="Actors as pseudonyms only.")

        parser.add_argument(
            "--evidence", action="store_true", help="The exact bytes up to the newest checkpoint, for the verifier."
        )

        parser.add_argument("--pack", type=Path, default=None, help="A zip to write anew: evidence with its proofs.")
        parser.add_argument("--session", help="Of a pack: a session, by the vendor's id or by ours.")
        parser.add_argument("--from-seq", type=int, help="Of a pack: the first number of a range.")
        parser.add_argument("--to-seq", type=int, help="Of a pack: the last number of a range.")
        parser.add_argument("--reason", default="", help="Of a pack: why, for the record.")
        parser.add_argument("--by", default="", help="Of a pack: who asks, for the record.")

    def handle(self, **options: Any) -> None:
        if options["pack"]:
            self._pack(options)
            return
        if options["evidence"]:
            self._dump(options)
            return
        reader = Reader(with_content=not options["without_content"], with_identity=not options["without_identity"])
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be at least 1.")
        try:
            read = cursor.parse(options["after"], feed.epoch()) if options["after"] else cursor.BEFORE_FIRST
        except CursorError as error:
            raise CommandError(str(error)) from error
        with _opened(options["output"]) as file, contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
            _record(options)
            for page in _pages(read, options["limit"], reader, follow=options["follow"]):
                file.write(page.lines)
                file.flush()
                read = page.last
        self.stderr.write(f"Next cursor: {cursor.spell(read, feed.epoch())}")

    def _dump(self, options: dict[str, Any]) -> None:
        if options["limit"] is not None or options["follow"]:
            raise CommandError("--evidence goes up to the newest checkpoint: neither --limit nor --follow.")
        withheld = {"subject": options["without_identity"], "content": options["without_content"]}
        connection.ensure_connection()
        database: psycopg.Connection = connection.connection
        try:
            first = cursor.parse(options["after"], feed.epoch()) + 1 if options["after"] else 0
            published = self._published(database, first)
            with _opened(options["output"]) as file:
                _record(options)
                for line in dump.lines(
                    database, published, first, frozenset(name for name in withheld if withheld[name])
                ):
                    file.write(line)
        except (AuditError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stderr.write(
            f"Events #{first} to #{published.head.size - 1}, under a checkpoint of {published.head.size}."
        )

    def _published(self, database: psycopg.Connection, first: int) -> checkpoints.Published:
        """The head to end with: the policy asks for a quorum of witnesses, so one that has it, if it is recent."""
        with psycopg.Cursor(database) as reading:
            published = checkpoints.latest(reading, beyond=first - 1) or checkpoints.latest(reading)
            cosigned = checkpoints.cosigned(reading)
        if published is None:
            raise CommandError("Nothing was signed yet.")
        if settings.AUDIT_WITNESS_QUORUM and (cosigned is None or published.head.size > cosigned.head.size):
            self.stderr.write("Too few witnesses have cosigned this checkpoint; the verifier will call it incomplete.")
        return published

    def _pack(self, options: dict[str, Any]) -> None:
        pack = _scope(options)
        pack.with_content, pack.with_identity = not options["without_content"], not options["without_identity"]
        pack.asked_by, pack.asked_at = options["by"].strip(), timezone.now()
        if not pack.asked_by:
            raise CommandError("--by names who asks: it is recorded.")
        try:
            pack.reason = requests.kept_reason(options["reason"])
            made = shell.write(pack, options["pack"], sys.stderr)
        except OSError as error:
            raise CommandError(f"{options['pack']}: {error.strerror}.") from error
        except NotRecorded as error:
            raise CommandError("It could not be recorded in the ledger, so no pack was made.") from error
        except AuditError as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"{made.events} events, #{made.first} to #{made.last}, under a checkpoint of {made.size}.")


def _scope(options: dict[str, Any]) -> EvidencePack:
    numbers = (options["from_seq"], options["to_seq"])
    if (options["session"] is None) is (numbers == (None, None)):
        raise CommandError("A pack is of --session, or of --from-seq and --to-seq.")
    if options["session"] is not None:
        session = _session(options["session"])
        return packs.of_session(session.pk, session.session_id)
    first, last = numbers
    if first is None or last is None or not 0 <= first <= last:
        raise CommandError("--from-seq and --to-seq are numbers of events, the first not above the last.")
    return packs.of_range(first, last)


def _session(name: str) -> Session:
    found = list(Session.objects.filter(session_id=name)[:2])
    if not found:
        with contextlib.suppress(ValueError):
            found = list(Session.objects.filter(pk=UUID(name)))
    if len(found) != 1:
        raise CommandError(f"{'No session is' if not found else 'Several sessions are'} called {name!r}.")
    return found[0]


def _record(options: dict[str, Any]) -> None:
    """An act of the portal, before the first byte is written. Whoever has a shell here is known by it only."""
    facts = {
        "format": "evidence" if options["evidence"] else "native",
        "after": options["after"],
        "content.shown": not options["without_content"],
        "identity.shown": not options["without_identity"],
    }
    try:
        acts.require("evidence.exported", by=_operator(), facts=facts)
    except NotRecorded as error:
        raise CommandError("The export could not be recorded in the ledger, so nothing was written.") from error


def _operator() -> str:
    """The operating system's user, by number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _pages(after: int, limit: int | None, reader: Reader, *, follow: bool) -> Iterator[feed.Page]:
    left = limit
    while left is None or left > 0:
        page = feed.page(after, min(feed.LIMIT, left or feed.LIMIT), reader)
        yield page
        left = None if left is None else left - (page.last - after)
        after = page.last
        if not page.has_more:
            if not follow:
                return
            time.sleep(POLL_SECONDS)


def _opened(path: Path | None) -> contextlib.AbstractContextManager[BinaryIO]:
    if path is None:
        return contextlib.nullcontext(sys.stdout.buffer)
    try:
        return path.open("wb")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from error
