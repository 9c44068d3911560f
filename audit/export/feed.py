"""The feed: every sealed event once, in the order of the numbers (DESIGN §5.3).

Numbers are given after commit and without a hole, so a reader that goes on after the last number it saw misses nothing,
and a full page is the same bytes whenever it is asked for.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import psycopg
from django.db import connection

from audit import epochs
from audit.absences import Purges
from audit.export import cursor, native
from audit.export.reading import Reader
from audit.export.shapes import PurgedRange
from audit.models import Seal

LIMIT = 10_000
PAGE_BYTES = 32 * 1024 * 1024
"""A page ends with the line that reaches it, so that large events cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of NDJSON, and the number of the last one; of an empty page, that of the line it was to follow.

    `has_more`: a line after them was sealed when the page was begun.
    """

    lines: bytes
    last: int
    has_more: bool
    epoch: int = cursor.FIRST_EPOCH

    @property
    def next(self) -> str:
        return cursor.spell(self.last, self.epoch)


def epoch() -> int:
    """The number of the epoch that goes on now."""
    with connection.cursor() as database:
        current = epochs.current(database.cursor)
    return current.number if current else cursor.FIRST_EPOCH


def page(after: int, limit: int, reader: Reader) -> Page:
    """What follows the line numbered `after` (cursor.BEFORE_FIRST: the first lines), at most `limit` lines.

    Made whole before any of it is sent: a slow client then holds neither a thread nor a transaction.
    """
    newest = Seal.objects.order_by("-seq").values_list("seq", flat=True).first()
    head = cursor.BEFORE_FIRST if newest is None else newest
    lines, last = bytearray(), after
    for rendered, seq in itertools.islice(_following(after + 1, head, limit, reader), limit):
        lines += rendered
        lines += b"\n"
        last = seq
        if len(lines) >= PAGE_BYTES:
            break
    return Page(bytes(lines), last, has_more=head > last, epoch=epoch())


def _following(first: int, head: int, limit: int, reader: Reader) -> Iterator[tuple[bytes, int]]:
    """Lines from a number on with the last number each tells of; a purged range is one line, however long.

    Events are read in the portions in which they will be asked for, `limit` at the most.
    """
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as database:
        purges = Purges(database)
    while first <= head:
        purged = purges.of(first)
        if purged:
            last = min(purged.last, head)
            yield native.encode(PurgedRange(first, last, purged.seq)), last
        else:
            last = min(first + limit - 1, head, purges.next_after(first, head + 1) - 1)
            for event in reader.between(first, last):
                yield native.encode(event), cast(int, event.seq)
        first = last + 1
