"""JSON text (RFC 8259) cut into its values without recursion, and without looking into them.

msgspec gives up a whole text for one string that is not Unicode or one value nested too deep; a text cut here loses
that one value only.
"""

import json
import re
from collections.abc import Iterator

from ingest.otlp.limits import TooLarge

MAX_BRACKETS = 1_000_000
"""So many are counted one by one in a text: those of values deeper than usual."""

USUAL_DEPTH = 24

_PLAIN = rb'[^"{}\[\]]++'
QUOTED = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_OPENING = b"{["
_WHITE = b" \t\n\r"


def _nested(depth: int) -> bytes:
    """A pattern for an array or object of at most that depth; which bracket closes which is not looked at."""
    inner = b"" if depth == 1 else b"|" + _nested(depth - 1)
    return rb"[{\[](?:%b|%b%b)*+[}\]]" % (_PLAIN, QUOTED, inner)


# Possessive throughout: a text that does not match is given up at once, and none can make these slow.
USUAL = re.compile(_nested(USUAL_DEPTH), re.DOTALL)
_STRING = re.compile(QUOTED, re.DOTALL)
_BRACKET = re.compile(rb"(?:%b|%b)*+([{}\[\]])" % (_PLAIN, QUOTED), re.DOTALL)
_SPACE = re.compile(rb"[ \t\n\r]*+")
_ATOM = re.compile(rb'[^ \t\n\r"{}\[\],:]++')


class NotJSON(Exception):
    """The text is not JSON even so."""


class Scanner:
    """A place in a JSON text that moves over values. Whoever iterates members or elements has to pass each value."""

    def __init__(self, data: bytes) -> None:
        self.text = data
        self._at = 0
        self._brackets = 0

    def peek(self) -> bytes:
        """The next character that is not white space; empty at the end."""
        character = self.text[self._at : self._at + 1]
        if character in _WHITE:  # so is the empty one at the end
            self._at = self._match(_SPACE).end()
            character = self.text[self._at : self._at + 1]
        return character

    def members(self) -> Iterator[str]:
        """The names of an object's members, the place standing before the value of each."""
        for _ in self._items(b"{", b"}"):
            name = self._name()
            self._pass(b":")
            yield name

    def elements(self) -> Iterator[None]:
        """Stops before each value of an array; null counts as an empty one, as proto3's JSON has it."""
        if self.peek() != b"n":
            yield from self._items(b"[", b"]")
        elif self.skip() != b"null":
            raise NotJSON

    def skip(self) -> bytes:
        """The next value as it stands, not looked at but for its end."""
        begin, end = self.pass_over()
        return self.text[begin:end]

    def pass_over(self) -> tuple[int, int]:
        """Where the next value begins and ends."""
        first = self.peek()
        start = self._at
        if not first or first not in _OPENING:
            self._at = self._match(_STRING if first == b'"' else _ATOM).end()
        elif usual := USUAL.match(self.text, start):
            self._at = usual.end()
        else:
            self._skip_deep(start)
        return start, self._at

    def _skip_deep(self, start: int) -> None:
        for depth, end in depths(self.text, start):
            self._brackets += 1
            if self._brackets > MAX_BRACKETS:
                raise TooLarge("too many values are nested deep")
            if depth == 0:
                self._at = end
                return
        raise NotJSON

    def end(self) -> None:
        if self.peek():
            raise NotJSON

    def _items(self, opening: bytes, closing: bytes) -> Iterator[None]:
        self._pass(opening)
        if self.peek() == closing:
            self._at += 1
            return
        while True:
            yield
            character = self.peek()
            self._at += 1
            if character == closing:
                return
            if character != b",":
                raise NotJSON

    def _name(self) -> str:
        if self.peek() != b'"':
            raise NotJSON
        literal = self.skip()
        if b"\\" not in literal:
            return literal[1:-1].decode(errors="replace")
        try:
            return str(json.loads(literal.decode(errors="replace"), strict=False))
        except ValueError as exc:
            raise NotJSON from exc

    def _pass(self, character: bytes) -> None:
        if self.peek() != character:
            raise NotJSON
        self._at += 1

    def _match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        match = pattern.match(self.text, self._at)
        if match is None:
            raise NotJSON
        return match


def depths(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """At each bracket from a place on: how deep after it, and the place behind."""
    depth = 0
    while bracket := _BRACKET.match(data, start):
        start = bracket.end()
        depth += 1 if bracket.group(1) in _OPENING else -1
        yield depth, start
