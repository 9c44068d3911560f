"""The feed: every sealed event once, in the order of the numbers (DESIGN §5.3).

Numbers are given after commit and without a hole, so a reader that goes on after the last number it saw misses nothing,
and a full page is the same bytes whenever it is asked for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit.export import cursor, native
from audit.export.reading import Reader
from audit.models import Seal

LIMIT = 10_000
WRITE_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """The lines with the numbers `first` to `last`, both included; none if `last` comes before `first`.

    `has_more`: a line after them was sealed when the page was asked for.
    """

    first: int
    last: int
    has_more: bool

    @property
    def next(self) -> str:
        return cursor.spell(self.last)


def page(after: int, limit: int) -> Page:
    """What follows the line numbered `after` (cursor.BEFORE_FIRST: the first lines), at most `limit` lines."""
    newest = Seal.objects.order_by("-seq").values_list("seq", flat=True).first()
    head = cursor.BEFORE_FIRST if newest is None else newest
    last = max(after, min(after + limit, head))
    return Page(after + 1, last, has_more=head > last)


def lines(page: Page, reader: Reader) -> Iterator[bytes]:
    """The page as NDJSON, one event a line, in pieces of whole lines."""
    return pieces(native.encode(event) + b"\n" for event in reader.between(page.first, page.last))


def pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer writes, with never much more than WRITE_BYTES waiting."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        if len(waiting) >= WRITE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
