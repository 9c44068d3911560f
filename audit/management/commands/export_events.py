"""The feed without a token, for whoever has a shell on the portal's machine."""

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from audit.exceptions import CursorError
from audit.export import cursor, feed
from audit.export.reading import Reader

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

    def handle(self, **options: Any) -> None:
        reader = Reader(with_content=not options["without_content"], with_identity=not options["without_identity"])
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be at least 1.")
        try:
            read = cursor.parse(options["after"]) if options["after"] else cursor.BEFORE_FIRST
        except CursorError as error:
            raise CommandError(str(error)) from error
        with _opened(options["output"]) as file, contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
            for page in _pages(read, options["limit"], reader, follow=options["follow"]):
                file.write(page.lines)
                file.flush()
                read = page.last
        self.stderr.write(f"Next cursor: {cursor.spell(read)}")


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
