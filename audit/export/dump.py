"""Evidence with its exact bytes, for the offline verifier: lines from a number up to a signed head (docs/ledger.md)."""

from collections.abc import Iterator

import psycopg

from audit import stored, tree
from audit.absences import Purges
from audit.checkpoints import Published
from audit.export import lines as evidence

FORMAT = "agp-dump/1"
EVENTS_AT_ONCE = 1000


def lines(
    connection: psycopg.Connection, published: Published, first: int, withheld: frozenset[str]
) -> Iterator[bytes]:
    """The head and what lies before `first`, then every event up to that head; parts in `withheld` as commitments.

    Raises lines.PartGone and lines.NotNumbered.
    """
    size = published.head.size
    with psycopg.Cursor(connection) as cursor:
        left = [each.hex() for each in tree.compact_range(cursor, 0, first)]
        yield evidence.encode({"format": FORMAT, "first": first, "left": left, "checkpoint": published.note})
        purges = Purges(cursor)
        for begin in range(first, size, EVENTS_AT_ONCE):
            batch = stored.between(cursor, begin, min(begin + EVENTS_AT_ONCE, size))
            for line in evidence.of(cursor, batch, withheld, purges):
                yield evidence.encode(line.told)
