"""JSON text (RFC 8259) read with forbearance: without recursion where it only has to be cut, and keeping what strict
readers refuse.

Strict readers give up the whole text for one bad string or one value nested too deep. This one is many times slower
and serves where they did. It accepts bytes that are not UTF-8, lone surrogates, control characters inside strings,
and the names NaN, Infinity and -Infinity; each is noted in `flags`.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from ingest.otlp.limits import RecordRefused
from ingest.otlp.values import is_utf8, too_deep

MAX_NUMBER_CHARACTERS = 400
ABSURD: Final = object()
"""A number beyond all ranges, whatever it was."""

_SPACE = re.compile(rb"[ \t\n\r]*+")
_STRING = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_ATOM = re.compile(rb'[^ \t\n\r"{}\[\],:]++')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][+-]?[0-9]++)?")
_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"{}\[\]]*+)*+([{}\[\]])', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL
)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_ESCAPED = dict(zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True))
_NAMES: dict[bytes, Any] = {b"null": None, b"true": True, b"false": False}
_NOT_FINITE = {b"NaN": math.nan, b"Infinity": math.inf, b"-Infinity": -math.inf}
_OPENING = b"{["


class NotJSON(Exception):
    """The text is not JSON even so."""


class BrokenText(str):
    """A string that is not Unicode text: reads with U+FFFD in the bad places, and keeps its bytes in `raw`."""

    raw: bytes


class Scanner:
    """A place in a JSON text that moves over values. Whoever iterates members or elements has to pass each value."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.flags: set[str] = set()

    def peek(self) -> bytes:
        """The next character that is not white space; empty at the end."""
        self.at = self._match(_SPACE).end()
        return self.data[self.at : self.at + 1]

    def members(self) -> Iterator[str]:
        """The names of an object's members, the place standing before the value of each."""
        for _ in self._items(b"{", b"}"):
            name = self.string()
            self._pass(b":")
            yield name

    def elements(self) -> Iterator[None]:
        """Stops before each value of an array; null counts as an empty one, as OTLP's JSON has it."""
        if self.peek() == b"n":
            if self.atom() is not None:
                raise NotJSON
            return
        yield from self._items(b"[", b"]")

    def string(self) -> str:
        """A string: BrokenText where it is none."""
        self.peek()
        match = self._match(_STRING)
        self.at = match.end()
        return self._text(match.group(1))

    def atom(self) -> Any:
        """A number, true, false or null."""
        self.peek()
        match = self._match(_ATOM)
        self.at = match.end()
        word = match.group()
        if word in _NAMES:
            return _NAMES[word]
        if word in _NOT_FINITE:
            self.flags.add("lenient")
            return _NOT_FINITE[word]
        number = parsed_number(word)
        if number is None:
            raise NotJSON
        return number

    def skip(self) -> bytes:
        """The next value as it stands. Of arrays and objects, only the brackets are looked at."""
        start_character = self.peek()
        start = self.at
        if start_character == b'"':
            self.at = self._match(_STRING).end()
        elif start_character and start_character in _OPENING:
            depth = 0
            while True:
                match = self._match(_BRACKET)
                self.at = match.end()
                depth += 1 if match.group(1) in _OPENING else -1
                if depth == 0:
                    break
        else:
            self.at = self._match(_ATOM).end()
        return self.data[start : self.at]

    def end(self) -> None:
        if self.peek():
            raise NotJSON

    def _items(self, opening: bytes, closing: bytes) -> Iterator[None]:
        self._pass(opening)
        if self.peek() == closing:
            self.at += 1
            return
        while True:
            yield
            character = self.peek()
            self.at += 1
            if character == closing:
                return
            if character != b",":
                raise NotJSON

    def _pass(self, character: bytes) -> None:
        if self.peek() != character:
            raise NotJSON
        self.at += 1

    def _match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        match = pattern.match(self.data, self.at)
        if match is None:
            raise NotJSON
        return match

    def _text(self, literal: bytes) -> str:
        raw = _ESCAPE.sub(_unescape, literal) if b"\\" in literal else literal
        if _CONTROL.search(literal):
            self.flags.add("lenient")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.flags |= {"lenient", "surrogate" if is_utf8(literal) else "invalid_utf8"}
        text = BrokenText(raw.decode(errors="replace"))
        text.raw = raw
        return text


class TreeReader(Scanner):
    """Reads one value into dicts, lists, strings, numbers, booleans and None; numbers out of all range as ABSURD."""

    def __init__(self, data: bytes, *, nesting: int, elements: int) -> None:
        super().__init__(data)
        self._nesting = nesting
        self._deepest = 4 * nesting + 16  # a map in a map takes four brackets
        self._left = 4 * elements  # an attribute is an object, its value another, with a scalar inside
        self._elements = elements

    def tree(self) -> Any:
        """The whole text as one value. Raises NotJSON; RecordRefused when it is too deep or holds too much."""
        value = self._value(0)
        self.end()
        return value

    def _value(self, depth: int) -> Any:
        if depth > self._deepest:
            raise too_deep(self._nesting)
        self._left -= 1
        if self._left < 0:
            raise RecordRefused(f"a record holds more than {self._elements} attributes and values")
        character = self.peek()
        if character == b"{":
            return self._object(depth)
        if character == b"[":
            return [self._value(depth + 1) for _ in self.elements()]
        return self.string() if character == b'"' else self.atom()

    def _object(self, depth: int) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for name in self.members():
            if name in tree:
                self.flags.add("duplicate_key")
            tree[name] = self._value(depth + 1)
        return tree


def parsed_number(word: bytes) -> Any:
    """The number that a word is: an int, a float, ABSURD, or None when it is none."""
    match = _NUMBER.fullmatch(word)
    if match is None:
        return None
    if len(word) > MAX_NUMBER_CHARACTERS:
        return ABSURD
    if match.group(1) is None and match.group(2) is None:
        return int(word)
    number = float(word)
    return number if math.isfinite(number) else ABSURD


def _unescape(match: re.Match[bytes]) -> bytes:
    high, low, unit, character = match.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF)).encode()
    if unit:
        return chr(int(unit, 16)).encode("utf-8", "surrogatepass")
    if ord(character) not in _ESCAPED:
        raise NotJSON
    return bytes((_ESCAPED[ord(character)],))
