"""AnyValue and KeyValue messages as typed values.

Two thirds of a record's attributes repeat on the next one, byte for byte, and a message object for each of them is
what reading costs: so each distinct KeyValue of a request is read once and found again by its bytes, and the usual
ones are read without a message object at all.
"""

import base64
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1 import common_pb2

from ingest.otlp.limits import Budget, Unreadable
from ingest.otlp.records import Attribute
from ingest.otlp.schema import LENIENT, Parser
from ingest.otlp.values import INT64, Typed, double, invalid_utf8, is_utf8, repeats, too_deep
from ingest.otlp.weight import weigh
from ingest.otlp.wire import WireError, varint

REMEMBERED_BYTES = 256
"""Longer ones are prompts and results, which do not repeat."""

_REMEMBERED = 20_000
_remembered: dict[bytes, Attribute] = {}
"""Usual attributes of earlier requests, forgotten all at once when they are too many: those that repeat soon return."""

_lenient_key_value = LENIENT.parse("common.v1.KeyValue")
_lenient_any_value = LENIENT.parse("common.v1.AnyValue")


def forget() -> None:
    """Drops what is remembered from one request to the next."""
    _remembered.clear()


class Attributes(dict[bytes, Attribute]):
    """The attributes of one request by the bytes of their KeyValue message. What is odd about one is in `odd`."""

    def __init__(self, values: "ValueReader") -> None:
        super().__init__()
        self.odd: dict[bytes, frozenset[str]] = {}
        self.reader = values

    def __missing__(self, raw: bytes) -> Attribute:
        attribute = _remembered.get(raw)
        if attribute is None:
            attribute = usual(raw)
            if attribute is None:
                attribute = self._look_closely(raw)
            elif len(raw) <= REMEMBERED_BYTES:
                if len(_remembered) >= _REMEMBERED:
                    forget()
                _remembered[raw] = attribute
        if len(raw) <= REMEMBERED_BYTES:
            self[raw] = attribute
        return attribute

    def forget_many(self) -> None:
        """Bounds what is held. Between two records: the flags of one are asked for when all of it has been read."""
        if len(self) > _REMEMBERED:
            self.clear()
            self.odd.clear()

    def flags(self, raws: Iterable[bytes]) -> set[str]:
        """What is odd about any of these."""
        return set().union(*(self.odd.get(raw, ()) for raw in raws)) if self.odd else set()

    def _look_closely(self, raw: bytes) -> Attribute:
        flags: set[str] = set()
        attribute = self.reader.attribute(raw, flags)
        if flags:
            self.odd[raw] = frozenset(flags)
        return attribute


def usual(raw: bytes) -> Attribute | None:
    """A KeyValue of key and value, each with its length in one byte, the value a text or a number that is not negative.

    Nothing is left to guess: the lengths have to add up. None for all others, and where a zero byte may be a U+0000.
    """
    try:
        size, value = len(raw), raw[1] + 2
        if raw[0] != 0x0A or value > 129 or raw[value] != 0x12 or raw[value + 1] != size - value - 2 or b"\0" in raw:
            return None
        kind, number = raw[value + 2], raw[value + 3]
        if kind == 0x0A and number == size - value - 4 < 0x80:
            return raw[2:value].decode(), "string", raw[value + 4 :].decode()
        if kind == 0x18:
            number, end = varint(raw, value + 3)
            if end == size and number <= INT64[1]:
                return raw[2:value].decode(), "int", number
    except (IndexError, UnicodeDecodeError, WireError):
        pass
    return None


class ValueReader:
    """Reads the values of one request through message objects; what is odd about a value joins the caller's flags."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._nesting = budget.limits.nesting

    def attribute(self, raw: bytes, flags: set[str]) -> Attribute:
        """A KeyValue. Raises RecordRefused."""
        try:
            pair = common_pb2.KeyValue.FromString(raw)
        except DecodeError:
            pair = self._parse_leniently(_lenient_key_value, raw, common_pb2.KeyValue.DESCRIPTOR, flags)
        return self._pair(pair, 0, flags)

    def body(self, raw: bytes, flags: set[str]) -> Typed | None:
        """An AnyValue; None where it states no value. Raises RecordRefused."""
        try:
            value = common_pb2.AnyValue.FromString(raw)
        except DecodeError:
            value = self._parse_leniently(_lenient_any_value, raw, common_pb2.AnyValue.DESCRIPTOR, flags)
        typed = self._typed(value, 0, flags)
        return None if typed[0] == "null" else typed

    def text(self, text: str | bytes, flags: set[str]) -> str:
        """A key, or a field of the record itself: always text."""
        if isinstance(text, bytes):
            if not is_utf8(text):
                flags.add("invalid_utf8")
            text = text.decode(errors="replace")
        if "\0" in text:
            flags.add("nul")
        return text

    def _parse_leniently(self, parse: Parser, raw: bytes, descriptor: Any, flags: set[str]) -> Any:
        flags.add("lenient")
        try:
            return parse(raw)
        except DecodeError as exc:
            if weigh(raw, descriptor, self._budget.limits.record_elements).depth > self._nesting:
                raise too_deep(self._nesting) from exc
            raise Unreadable("a value is not a protobuf message") from exc

    def _pair(self, pair: Any, depth: int, flags: set[str]) -> Attribute:
        return (self.text(pair.key, flags), *self._typed(pair.value, depth, flags))

    def _typed(self, value: Any, depth: int, flags: set[str]) -> Typed:
        if value.HasField("string_value"):
            return self._string(value.string_value, flags)
        if value.HasField("int_value"):
            return "int", value.int_value
        if value.HasField("double_value"):
            return "double", self._double(value.double_value, flags)
        if value.HasField("bool_value"):
            return "bool", value.bool_value
        if value.HasField("bytes_value"):
            return "bytes", base64.b64encode(value.bytes_value).decode("ascii")
        if value.HasField("array_value"):
            values = self._contained(value.array_value, depth)
            return "array", [list(self._typed(value, depth + 1, flags)) for value in values]
        if value.HasField("kvlist_value"):
            pairs = [self._pair(pair, depth + 1, flags) for pair in self._contained(value.kvlist_value, depth)]
            if repeats(pairs):
                flags.add("duplicate_key")
            return "map", [list(pair) for pair in pairs]
        return "null", None

    def _contained(self, container: Any, depth: int) -> Any:
        if depth == self._nesting:
            raise too_deep(self._nesting)
        self._budget.elements(len(container.values))
        return container.values

    def _string(self, text: str | bytes, flags: set[str]) -> Typed:
        if isinstance(text, bytes):
            if not is_utf8(text):
                flags.add("invalid_utf8")
                return invalid_utf8(text)
            text = text.decode()
        if "\0" in text:
            flags.add("nul")
        return "string", text

    def _double(self, number: float, flags: set[str]) -> float | str:
        shown = double(number)
        if isinstance(shown, str):
            flags.add("nan")
        return shown
