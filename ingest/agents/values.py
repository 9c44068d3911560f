"""From what the wire says to what a typed column takes. Nothing here raises: an odd value is None and a flag.

Claude Code spells numbers and booleans as strings on some events and natively on others, and its exporter writes a
double as an integer when it happens to be whole (wire-claude-code.md A3), so every reader takes every spelling.
"""

import base64
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

IDENTIFIER_CHARACTERS = 256
"""A longer text would not fit a btree entry in every encoding and index."""

PLAIN_TYPES = frozenset({"string", "int", "bool", "double"})

Reader = Callable[[Any, list[str]], Any]
"""(value, flags) → the column's value; appends to flags what it noticed."""

_ODD = object()
_INT64 = 2**63
_NUMBER_CHARACTERS = 40
_MOST_DOLLARS = 10**9


def names(text: str) -> frozenset[str]:
    """The names in a text, separated by white space: long lists stay readable."""
    return frozenset(text.split())


def plain(kind: str, value: Any) -> Any:
    """An attribute value as a reader wants it: text with invalid bytes shown as U+FFFD; None for null."""
    if kind in PLAIN_TYPES:
        return value
    if kind == "null":
        return None
    if kind == "invalid_utf8" and isinstance(value, str):
        return _decoded(value)
    return _ODD


def text(value: Any, flags: list[str]) -> str | None:
    """A string, storable by PostgreSQL and at most IDENTIFIER_CHARACTERS long."""
    if value.__class__ is str:
        if len(value) <= IDENTIFIER_CHARACTERS and value.isascii() and "\0" not in value:
            return value
        return bounded(value, IDENTIFIER_CHARACTERS, flags)
    return None if value is None else _odd(flags)


def identifier(value: Any, flags: list[str]) -> str | None:
    """As `text`; an empty identifier identifies nothing."""
    return text(value, flags) or None


def word(value: Any, flags: list[str]) -> str | None:
    """As `text`, and numbers as they are spelled (`status_code` 429)."""
    if value.__class__ is int and -_INT64 <= value < _INT64:
        return str(value)
    return text(value, flags)


def raw(value: Any, flags: list[str]) -> str | None:
    """A string as it is, however long; for values that are parsed further."""
    if isinstance(value, str):
        return value
    return None if value is None else _odd(flags)


def present(value: Any, flags: list[str]) -> bool:
    """Whether there is a value at all."""
    return value is not None


def integer(value: Any, flags: list[str]) -> int | None:
    """A whole number within int64, from an int, a double or their decimal spelling."""
    if value.__class__ is int:
        return value if -_INT64 <= value < _INT64 else _odd(flags)
    number = _number(value)
    if number is None:
        return None if value is None else _odd(flags)
    return int(number) if abs(number) < _INT64 else _odd(flags)


def boolean(value: Any, flags: list[str]) -> bool | None:
    """A boolean, from a boolean or the words `true` and `false`."""
    if value.__class__ is bool:
        return value
    if value.__class__ is str and value.lower() in ("true", "false"):
        return bool(value.lower() == "true")
    return None if value is None else _odd(flags)


def dollars(value: Any, flags: list[str]) -> str | None:
    """A cost in USD as a decimal string with at most 12 places."""
    number = _number(value)
    if number is None:
        return None if value is None else _odd(flags)
    return _decimal(number) if abs(number) < _MOST_DOLLARS else _odd(flags)


def dollars_of_micros(value: Any, flags: list[str]) -> str | None:
    """A cost given in millionths of a USD as a decimal string."""
    micros = integer(value, flags)
    if micros is None:
        return None
    if abs(micros) >= _MOST_DOLLARS * 10**6:
        _odd(flags)
        return None
    return _decimal(Decimal(micros) / 10**6)


def bounded(value: str, characters: int, flags: list[str]) -> str:
    """`value` as PostgreSQL takes it: no NUL (U+2400), no lone surrogate (U+FFFD), at most so many characters."""
    if "\0" in value:
        flags.append("nul")
        value = value.replace("\0", "␀")
    if not value.isascii():
        value = _without_surrogates(value)
    if len(value) > characters:
        flags.append("overlong")
        value = value[:characters]
    return value


def _without_surrogates(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        # Through UTF-16, so that two halves of a pair become the one character that they mean.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _decoded(encoded: str) -> str | object:
    try:
        return base64.b64decode(encoded).decode("utf-8", "replace")
    except ValueError:
        return _ODD


def _number(value: Any) -> Decimal | None:
    """The finite number that an int, a double or a short decimal string spells; else None."""
    if value.__class__ is str:
        if not (value.isascii() and 0 < len(value) <= _NUMBER_CHARACTERS) or "_" in value:
            return None
    elif value.__class__ is not int and not (value.__class__ is float and math.isfinite(value)):
        return None
    try:
        number = Decimal(repr(value)) if value.__class__ is float else Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() and number.adjusted() < _NUMBER_CHARACTERS else None


def _decimal(number: Decimal) -> str:
    rounded = f"{number:.12f}".rstrip("0")
    return rounded + "0" if rounded.endswith(".") else rounded


def _odd(flags: list[str]) -> Any:
    flags.append("odd_value")
    return None
