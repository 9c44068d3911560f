"""The words of a text, for search: cut at everything that is neither letter nor digit, on both sides of a search.

PostgreSQL's own parser keeps paths, hosts and options whole, so that `payments` would not find `src/payments/api.py`.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

MAX_CHARACTERS = 50_000
_SEPARATORS = re.compile(r"[\W_]+")
_HIDDEN = frozenset({"<REDACTED>"})


def of_text(text: str) -> str:
    return _SEPARATORS.sub(" ", text[:MAX_CHARACTERS]).strip()


def of_content(content: bytes) -> str:
    """The words of all texts in a content part, bounded."""
    found: list[str] = []
    length = 0
    for text in _texts(msgspec.json.decode(content)):
        if text not in _HIDDEN:
            found.append(text)
            length += len(text)
        if length > MAX_CHARACTERS:
            break
    return of_text("\n".join(found))


def _texts(attributes: list[Any]) -> Iterator[str]:
    """String values at any depth; values are `[key, type, value]`, array items `[type, value]` (docs/ledger.md)."""
    for item in attributes:
        kind, value = item[-2], item[-1]
        if kind == "string":
            yield value
        elif kind in ("array", "map"):
            yield from _texts(value)
