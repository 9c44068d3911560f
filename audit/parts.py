"""Parts of an event read back: from their exact bytes to attributes that people and queries understand.

The bytes are the truth (docs/ledger.md); nothing here changes them, and nothing here raises on odd values.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from audit.drafts import Attribute

REDACTED = "<REDACTED>"
"""What Claude Code writes in place of a text that it was not told to send."""


def attributes(data: bytes | memoryview | None) -> list[Attribute]:
    """The attributes of a part in arrival order; of an erased or absent part none."""
    if data is None:
        return []
    return [(key, kind, value) for key, kind, value in msgspec.json.decode(data)]


def values(part: Iterable[Attribute], prefix: str = "@") -> dict[str, Any]:
    """The record's own attributes by key, without their types; of duplicate keys the last."""
    return {key.removeprefix(prefix): plain(kind, value) for key, kind, value in part if key.startswith(prefix)}


def plain(kind: str, value: Any) -> Any:
    """A value without its types: arrays as lists, maps as dictionaries, bytes as they are written."""
    if kind == "array":
        return [plain(*item) for item in value]
    if kind == "map":
        return {key: plain(inner, item) for key, inner, item in value}
    return value


def text_of(found: Mapping[str, Any], *keys: str) -> str | None:
    """The first of the keys that holds a text which the client did send."""
    for key in keys:
        value = found.get(key)
        if isinstance(value, str) and value and value != REDACTED:
            return value
    return None


def number_of(found: Mapping[str, Any], key: str) -> int | None:
    """A whole number, however it was spelled (old events spell numbers as texts)."""
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None
