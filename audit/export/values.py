"""Values as readers of JSON in any language can take them. Pure; of parts see docs/ledger.md."""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

LARGEST_EXACT = 2**53 - 1
"""JSON readers round integers beyond it."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)
_EARLIEST = (dt.datetime.min.replace(tzinfo=dt.UTC) - _EPOCH) // _SECOND
_LATEST = (dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH) // _SECOND


def exact(number: int | None) -> int | str | None:
    """The number; as text where JSON readers would round it."""
    if number is None or -LARGEST_EXACT <= number <= LARGEST_EXACT:
        return number
    return str(number)


def plain(kind: str, value: Any) -> Any:
    """A part's value without its types: arrays as lists, maps as objects (of duplicate keys the last), bytes as base64.

    Raises TypeError and ValueError on what is not a part's value.
    """
    if kind == "int":
        return exact(value)
    if kind == "array":
        return [plain(*item) for item in value]
    if kind == "map":
        return {key: plain(inner, item) for key, inner, item in value}
    return value


def named(part: Iterable[tuple[str, str, Any]]) -> dict[str, Any]:
    """A part's values by name, of duplicate names the last.

    The record's own attributes lose their `@`; `resource@` and `scope@` stay, and fields of the record have none.
    """
    return {
        key[1:] if key[:1] == "@" else key: value if kind == "string" else plain(kind, value)
        for key, kind, value in part
    }


def rfc3339(microseconds: int | None) -> str | None:
    """Microseconds since the epoch as RFC 3339 in UTC; None for what no calendar holds."""
    if microseconds is None:
        return None
    second, fraction = divmod(microseconds, 1_000_000)
    return f"{_second(second)}.{fraction:06d}Z" if _EARLIEST <= second <= _LATEST else None


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return (_EPOCH + dt.timedelta(seconds=second)).isoformat()[:19]
