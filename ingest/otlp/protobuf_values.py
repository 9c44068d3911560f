"""AnyValue and KeyValue messages as typed values.

Two thirds of a record's attributes repeat on the next one, byte for byte, and a wrapper object for every one of them
is what reading costs: so each distinct KeyValue of a request is read once and found again by its bytes.
"""

import base64
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1 import common_pb2

from ingest.otlp.limits import Budget, Unreadable
from ingest.otlp.records import Attribute
from ingest.otlp.schema import LENIENT, Parser
from ingest.otlp.values import Typed, double, invalid_utf8, is_utf8, repeats, too_deep
from ingest.otlp.weight import weigh

REMEMBERED_BYTES = 256
"""Longer ones are prompts and results, which do not repeat."""

_lenient_key_value = LENIENT.parse("common.v1.KeyValue")
_lenient_any_value = LENIENT.parse("common.v1.AnyValue")

T = TypeVar("T")


class Memory(dict[bytes, T], Generic[T]):
    """What messages mean, by their bytes, for one request. Those with something to note are kept in `odd`."""

    def __init__(self, read: Callable[[bytes], T], notes: set[str]) -> None:
        super().__init__()
        self.odd: dict[bytes, frozenset[str]] = {}
        self._read = read
        self._notes = notes

    def __missing__(self, raw: bytes) -> T:
        self._notes.clear()
        meaning = self._read(raw)
        if self._notes:
            self.odd[raw] = frozenset(self._notes)
        if len(raw) <= REMEMBERED_BYTES:
            self[raw] = meaning
        return meaning

    def flags(self, raws: Iterable[bytes]) -> set[str]:
        """What was noted about any of these."""
        return set().union(*(self.odd.get(raw, ()) for raw in raws)) if self.odd else set()


class ValueReader:
    """Reads the values of one request; `attributes` and `bodies` are how to ask it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._nesting = budget.limits.nesting
        self._notes: set[str] = set()
        self.attributes: Memory[Attribute] = Memory(self._attribute, self._notes)
        self.bodies: Memory[Typed | None] = Memory(self._body, self._notes)

    @property
    def is_odd(self) -> bool:
        """Whether anything odd was met so far."""
        return bool(self.attributes.odd or self.bodies.odd)

    def text(self, text: str | bytes, flags: set[str]) -> str:
        """A key, or a field of the record itself: always text, with what is odd about it noted."""
        if isinstance(text, bytes):
            if not is_utf8(text):
                flags.add("invalid_utf8")
            text = text.decode(errors="replace")
        if "\0" in text:
            flags.add("nul")
        return text

    def _attribute(self, raw: bytes) -> Attribute:
        try:
            pair = common_pb2.KeyValue.FromString(raw)
        except DecodeError:
            pair = self._parse_leniently(_lenient_key_value, raw, common_pb2.KeyValue.DESCRIPTOR)
            return (self.text(pair.key, self._notes), *self._typed(pair.value, 0))
        key, value = pair.key, pair.value
        text = value.string_value
        if "\0" in key:
            self._notes.add("nul")
        if text:
            if "\0" in text:
                self._notes.add("nul")
            return key, "string", text
        return (key, *self._typed(value, 0))

    def _body(self, raw: bytes) -> Typed | None:
        try:
            value = common_pb2.AnyValue.FromString(raw)
        except DecodeError:
            value = self._parse_leniently(_lenient_any_value, raw, common_pb2.AnyValue.DESCRIPTOR)
        typed = self._typed(value, 0)
        return None if typed[0] == "null" else typed

    def _parse_leniently(self, parse: Parser, raw: bytes, descriptor: Any) -> Any:
        self._notes.add("lenient")
        try:
            return parse(raw)
        except DecodeError as exc:
            limits = self._budget.limits
            if weigh(raw, descriptor, limits.record_elements).depth > self._nesting:
                raise too_deep(self._nesting) from exc
            raise Unreadable("a value is not a protobuf message") from exc

    def _typed(self, value: Any, depth: int) -> Typed:
        if value.HasField("int_value"):
            return "int", value.int_value
        kind = value.WhichOneof("value")
        if kind == "string_value":
            return self._string(value.string_value)
        if kind == "bool_value":
            return "bool", value.bool_value
        if kind == "double_value":
            return "double", self._double(value.double_value)
        if kind == "bytes_value":
            return "bytes", base64.b64encode(value.bytes_value).decode("ascii")
        if kind in ("array_value", "kvlist_value"):
            return self._container(kind, getattr(value, kind).values, depth)
        return "null", None

    def _container(self, kind: str, values: Any, depth: int) -> Typed:
        if depth == self._nesting:
            raise too_deep(self._nesting)
        self._budget.elements(len(values))
        if kind == "array_value":
            return "array", [list(self._typed(value, depth + 1)) for value in values]
        pairs = [[self.text(pair.key, self._notes), *self._typed(pair.value, depth + 1)] for pair in values]
        if repeats(pairs):
            self._notes.add("duplicate_key")
        return "map", pairs

    def _string(self, text: str | bytes) -> Typed:
        if isinstance(text, bytes):
            if not is_utf8(text):
                self._notes.add("invalid_utf8")
                return invalid_utf8(text)
            text = text.decode()
        if "\0" in text:
            self._notes.add("nul")
        return "string", text

    def _double(self, number: float) -> float | str:
        shown = double(number)
        if isinstance(shown, str):
            self._notes.add("nan")
        return shown
