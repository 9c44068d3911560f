"""One record of OTLP/JSON as a tree, keeping what strict readers refuse.

That is: bytes that are not UTF-8, lone surrogates, control characters inside strings, and the names NaN, Infinity
and -Infinity.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final

from ingest.otlp.json_scan import QUOTED, USUAL, depths
from ingest.otlp.limits import Limits, RecordRefused, Unreadable
from ingest.otlp.values import too_deep, too_many

MAX_NUMBER_CHARACTERS = 400
ABSURD: Final = object()
"""A number beyond all ranges, whatever it was."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?", re.ASCII)
_MARKS = (b"{", b"[", b",")
_THOUSAND_MARKS = re.compile(rb'(?:(?:[^"{\[,]++|%b)*+[{\[,]){1000}+' % QUOTED, re.DOTALL)
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPED_LIKE_A_BYTE = re.compile(rb"\\u[dD][cC][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_ENCODED_BYTE = re.compile(rb"\xed[\xb2\xb3][\x80-\xbf]")


class BrokenText(str):
    """A string that is not Unicode text: reads with U+FFFD in the bad places, and keeps its bytes in `raw`."""

    raw: bytes

    @classmethod
    def of(cls, raw: bytes) -> "BrokenText":
        text = cls(raw.decode(errors="replace"))
        text.raw = raw
        return text


def parse_tree(data: bytes, limits: Limits, flags: set[str]) -> Any:
    """One record as dicts, lists, strings, numbers, booleans and None; numbers out of all range as ABSURD.

    Strings that are not Unicode are BrokenText. Raises RecordRefused.
    """
    _refuse_unbounded(data, limits)
    try:
        text, bytes_of = data.decode(), _surrogates
    except UnicodeDecodeError:
        if _ESCAPED_LIKE_A_BYTE.search(data):
            raise RecordRefused("a record has invalid UTF-8 and lone surrogates, not to be told apart") from None
        text, bytes_of = data.decode(errors="surrogateescape"), _escaped_bytes
        flags.add("lenient")

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        tree = dict(pairs)
        if len(tree) != len(pairs):
            flags.add("duplicate_key")
        return tree

    def not_finite(name: str) -> float:
        flags.add("lenient")
        return float(name)

    try:
        tree = json.loads(
            text,
            strict=False,
            object_pairs_hook=members,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=not_finite,
        )
    except ValueError as exc:
        raise Unreadable("a record is not JSON") from exc
    if bytes_of is _escaped_bytes or _ESCAPED_SURROGATE.search(data):
        tree = _marked(tree, bytes_of, flags)
    return tree


def _refuse_unbounded(data: bytes, limits: Limits) -> None:
    """Raises RecordRefused for more depth, or more values, than a parser should be given."""
    if not USUAL.match(data):
        deepest = 4 * limits.nesting + 16  # a map in a map takes four brackets
        if any(depth > deepest for depth, _ in depths(data, 0)):
            raise too_deep(limits.nesting)
    most = 4 * limits.record_elements  # an attribute and its value have two brackets, and two commas between them
    if sum(map(data.count, _MARKS)) > most and _more_than(most, data):
        raise too_many(limits.record_elements)


def _more_than(most: int, data: bytes) -> bool:
    """Whether there are more marks outside of strings than that, to the next thousand."""
    at = marks = 0
    while marks <= most and (thousand := _THOUSAND_MARKS.match(data, at)):
        at = thousand.end()
        marks += 1000
    return marks > most


def _marked(tree: Any, bytes_of: Callable[[str, set[str]], bytes], flags: set[str]) -> Any:
    """The tree with its surrogates found."""
    if isinstance(tree, str):
        if not _SURROGATE.search(tree):
            return tree
        flags.add("lenient")
        return BrokenText.of(bytes_of(tree, flags))
    if isinstance(tree, list):
        return [_marked(value, bytes_of, flags) for value in tree]
    if isinstance(tree, dict):
        return {name: _marked(value, bytes_of, flags) for name, value in tree.items()}
    return tree


def _surrogates(text: str, flags: set[str]) -> bytes:
    flags.add("surrogate")
    return text.encode("utf-8", "surrogatepass")


def _escaped_bytes(text: str, flags: set[str]) -> bytes:
    """Of text decoded with surrogateescape, which may have escaped surrogates of other values as well."""
    flags.add("invalid_utf8")
    if _SURROGATE_NO_BYTE.search(text):
        flags.add("surrogate")
    return _ENCODED_BYTE.sub(
        lambda encoded: bytes((ord(encoded.group().decode("utf-8", "surrogatepass")) & 0xFF,)),
        text.encode("utf-8", "surrogatepass"),
    )


def number_in(text: str) -> Any:
    """The number that a string spells as JSON does, or None."""
    if not _NUMBER.fullmatch(text):
        return None
    return _integer(text) if text.removeprefix("-").isdigit() else _float(text)


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) <= MAX_NUMBER_CHARACTERS else ABSURD


def _float(digits: str) -> Any:
    number = float(digits) if len(digits) <= MAX_NUMBER_CHARACTERS else math.inf
    return number if math.isfinite(number) else ABSURD
