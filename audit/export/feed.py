"""The feed: every sealed event once, in the order of the numbers (DESIGN §5.3).

Numbers are given after commit and without a hole, so a reader that goes on after the last number it saw misses nothing,
and a full page is the same bytes whenever it is asked for.
"""

from dataclasses import dataclass

from audit.export import cursor, native
from audit.export.reading import Reader
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

    @property
    def next(self) -> str:
        return cursor.spell(self.last)


def page(after: int, limit: int, reader: Reader) -> Page:
    """What follows the line numbered `after` (cursor.BEFORE_FIRST: the first lines), at most `limit` lines.

    Made whole before any of it is sent: a slow client then holds neither a thread nor a transaction.
    """
    newest = Seal.objects.order_by("-seq").values_list("seq", flat=True).first()
    head = cursor.BEFORE_FIRST if newest is None else newest
    lines, last = bytearray(), after
    for event in reader.between(after + 1, min(after + limit, head)):
        lines += native.encode(event)
        lines += b"\n"
        last = event.seq if event.seq is not None else last
        if len(lines) >= PAGE_BYTES:
            break
    return Page(bytes(lines), last, has_more=head > last)
