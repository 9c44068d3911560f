"""The order of a timeline, total and exact: by time, gaps before what follows them, then by event id."""

import base64
import binascii
import datetime as dt
import heapq
import json
from collections.abc import Iterable
from typing import NamedTuple, TypeVar
from uuid import UUID

from audit import identifiers
from audit.listing.keyset import BadCursor

GAP, EVENT = 0, 1
_MICROSECOND = dt.timedelta(microseconds=1)
_LATEST_US = (dt.datetime.max.replace(tzinfo=dt.UTC) - identifiers.EPOCH) // _MICROSECOND
_EARLIEST_US = (dt.datetime.min.replace(tzinfo=dt.UTC) - identifiers.EPOCH) // _MICROSECOND


class Key(NamedTuple):
    """Where a row stands. `rank` sets a gap before the event that showed it; ids are those of events (or of gaps)."""

    at: dt.datetime
    rank: int
    id: UUID


Item = TypeVar("Item")
Keyed = tuple[Key, Item]


def merged(streams: Iterable[Iterable[Keyed[Item]]], limit: int, *, backwards: bool = False) -> list[Keyed[Item]]:
    """The first `limit` items of sorted streams, in order; backwards, the last ones, still in order."""
    ordered = heapq.merge(*streams, key=lambda item: item[0], reverse=backwards)
    taken = [item for item, _ in zip(ordered, range(limit), strict=False)]
    return taken[::-1] if backwards else taken


def cursor(key: Key) -> str:
    """A place in a timeline as text that may stand in a URL."""
    microseconds = (key.at - identifiers.EPOCH) // _MICROSECOND
    return base64.urlsafe_b64encode(json.dumps([microseconds, key.rank, key.id.hex]).encode()).decode().rstrip("=")


def key(cursor: str) -> Key:
    """The place a cursor names. Raises BadCursor."""
    try:
        microseconds, rank, identifier = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(microseconds) is not int or rank not in (GAP, EVENT) or not isinstance(identifier, str):
            raise BadCursor(cursor)
        if not _EARLIEST_US <= microseconds <= _LATEST_US:
            raise BadCursor(cursor)
        return Key(identifiers.EPOCH + microseconds * _MICROSECOND, int(rank), UUID(identifier))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise BadCursor(cursor) from error
