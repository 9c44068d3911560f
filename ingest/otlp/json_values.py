"""Values of OTLP/JSON out of a tree of dicts and lists: every form the format allows, and reasons for the others.

Proto3's JSON mapping with OTLP's exceptions (opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids are hex,
enums are numbers, names are lowerCamelCase, unknown ones are passed over, 64-bit integers may be numbers or text.
"""

import base64
import binascii
import math
import re
from typing import Any

from ingest.otlp.json_tree import ABSURD, BrokenText, number_in
from ingest.otlp.limits import Budget, RecordRefused
from ingest.otlp.records import Attribute
from ingest.otlp.values import INT64, Typed, double, invalid_utf8, repeats, too_deep

TIME = (-(2**63), 2**64 - 1)  # fixed64 in the schema; a negative one is odd, and kept
UINT32 = (0, 2**32 - 1)
INT32 = (-(2**31), 2**31 - 1)
UINT64 = (0, 2**64 - 1)

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_FROM_URL_SAFE = str.maketrans("-_", "+/")
_KINDS = ("stringValue", "intValue", "boolValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue")


def member(tree: Any, name: str, kind: type, default: Any) -> Any:
    """A member of an object, its default where absent or null. Raises RecordRefused for another type."""
    value = tree.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise RecordRefused(f"{name} has the wrong JSON type")
    return value


def text(tree: dict[str, Any], name: str, flags: set[str]) -> str:
    value = str(member(tree, name, str, ""))
    if "\0" in value:
        flags.add("nul")
    return value


def integer(tree: dict[str, Any], name: str, bounds: tuple[int, int], default: int = 0) -> int:
    """An integer as number or text, also as a number like 1e3. Raises RecordRefused."""
    value = tree.get(name)
    if value is None:
        return default
    if value is ABSURD:
        raise RecordRefused(f"{name} is out of range")
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    if not is_number and not (isinstance(value, str) and _INTEGER.fullmatch(value)):
        raise RecordRefused(f"{name} is not an integer")
    whole = int(value)
    if not bounds[0] <= whole <= bounds[1]:
        raise RecordRefused(f"{name} is out of range")
    return whole


def number(tree: dict[str, Any], name: str, flags: set[str]) -> float | str:
    """A double as number or text, those that are not finite by name. Raises RecordRefused."""
    value = tree[name]
    if isinstance(value, str):
        value = _NOT_FINITE.get(value) or number_in(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecordRefused(f"{name} is not a number, or out of range")
    try:
        shown = double(float(value))
    except OverflowError as exc:
        raise RecordRefused(f"{name} is not a number, or out of range") from exc
    if isinstance(shown, str):
        flags.add("nan")
    return shown


def identifier(tree: dict[str, Any], name: str, size: int) -> str:
    """A trace or span id in lower-case hex, "" where absent. Raises RecordRefused for anything but `size` bytes."""
    value = str(member(tree, name, str, ""))
    if value and not (len(value) == 2 * size and _HEX.fullmatch(value)):
        raise RecordRefused(f"{name} is not {2 * size} hex digits")
    return value.lower()


class JSONValues:
    """Reads AnyValue and KeyValue objects of one record; what is odd about them gathers in `flags`."""

    def __init__(self, budget: Budget) -> None:
        self.flags: set[str] = set()
        self._budget = budget
        self._nesting = budget.limits.nesting

    def attributes(self, tree: dict[str, Any]) -> list[Attribute]:
        pairs = member(tree, "attributes", list, [])
        self._budget.elements(len(pairs))
        attributes = [self._pair(pair, 0) for pair in pairs]
        if repeats(attributes):
            self.flags.add("duplicate_key")
        return attributes

    def typed(self, tree: Any, depth: int = 0) -> Typed:
        """The one value that an AnyValue states; none at all is null."""
        if not isinstance(tree, dict):
            raise RecordRefused("a value is not an object")
        stated = [kind for kind in _KINDS if tree.get(kind) is not None]
        if not stated:
            return "null", None
        if len(stated) > 1:
            raise RecordRefused("a value states two types")
        return self._READERS[stated[0]](self, tree, depth)

    def _pair(self, tree: Any, depth: int) -> Attribute:
        if not isinstance(tree, dict):
            raise RecordRefused("an attribute is not an object")
        key = member(tree, "key", str, "")
        self._note(key)
        value = tree.get("value")
        return (str(key), *(("null", None) if value is None else self.typed(value, depth)))

    def _note(self, value: str) -> None:
        if "\0" in value:
            self.flags.add("nul")

    def _string(self, tree: dict[str, Any], depth: int) -> Typed:
        value = member(tree, "stringValue", str, "")
        if isinstance(value, BrokenText):
            return invalid_utf8(value.raw)
        self._note(value)
        return "string", value

    def _integer(self, tree: dict[str, Any], depth: int) -> Typed:
        return "int", integer(tree, "intValue", INT64)

    def _boolean(self, tree: dict[str, Any], depth: int) -> Typed:
        return "bool", member(tree, "boolValue", bool, False)

    def _double(self, tree: dict[str, Any], depth: int) -> Typed:
        return "double", number(tree, "doubleValue", self.flags)

    def _bytes(self, tree: dict[str, Any], depth: int) -> Typed:
        value = str(member(tree, "bytesValue", str, "")).translate(_FROM_URL_SAFE).rstrip("=")
        try:
            raw = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise RecordRefused("bytesValue is not base64") from exc
        return "bytes", base64.b64encode(raw).decode("ascii")

    def _array(self, tree: dict[str, Any], depth: int) -> Typed:
        values = self._contained(tree, "arrayValue", depth)
        return "array", [list(self.typed(value, depth + 1)) for value in values]

    def _map(self, tree: dict[str, Any], depth: int) -> Typed:
        pairs = [self._pair(pair, depth + 1) for pair in self._contained(tree, "kvlistValue", depth)]
        if repeats(pairs):
            self.flags.add("duplicate_key")
        return "map", [list(pair) for pair in pairs]

    def _contained(self, tree: dict[str, Any], name: str, depth: int) -> list[Any]:
        if depth == self._nesting:
            raise too_deep(self._nesting)
        values: list[Any] = member(member(tree, name, dict, {}), "values", list, [])
        self._budget.elements(len(values))
        return values

    _READERS = {
        "stringValue": _string,
        "intValue": _integer,
        "boolValue": _boolean,
        "doubleValue": _double,
        "bytesValue": _bytes,
        "arrayValue": _array,
        "kvlistValue": _map,
    }
