"""What both encodings share when they read values."""

import base64
import math
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from ingest.otlp.limits import RecordRefused
from ingest.otlp.records import Attribute

INT64 = (-(2**63), 2**63 - 1)

Typed = tuple[str, Any]
"""(type, value), as in records.py."""

_key = itemgetter(0)


def double(number: float) -> float | str:
    """A number as JSON can hold it: those that are not finite by name."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def invalid_utf8(raw: bytes) -> Typed:
    return "invalid_utf8", base64.b64encode(raw).decode("ascii")


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def repeats(attributes: Sequence[Attribute | list[Any]]) -> bool:
    """Whether a key occurs twice."""
    return len(set(map(_key, attributes))) != len(attributes)


def in_order(flags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(flags))


def too_many(elements: int) -> RecordRefused:
    return RecordRefused(f"a record holds more than {elements} attributes and values")


def too_deep(nesting: int) -> RecordRefused:
    return RecordRefused(f"a value is nested deeper than {nesting}")
