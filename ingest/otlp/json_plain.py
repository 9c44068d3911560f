"""Plain values in OTLP/JSON, by msgspec: what well-behaved exporters send, at a tenth of the cost.

Plain means: each object has only members that are known here, none twice, of the types below. msgspec takes the last
of repeated members without a word, so the quotation marks of the text are counted: one with a member that was not
read has more of them than what was read accounts for. Whatever is not plain is left to the thorough reader, which
decides; so nothing here ever refuses a record.
"""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from ingest.otlp.json_tree import parse_tree
from ingest.otlp.json_values import JSONValues
from ingest.otlp.limits import Budget, RecordRefused
from ingest.otlp.records import Attribute, LogRecord, MetricPoint
from ingest.otlp.values import INT64, Typed

MANY_OBJECTS = 250_000
"""In a text of more, objects are counted one by one, not allocated all at once: about 6,000 ordinary log records."""

ABSENT = Raw(b"")
LOWEST, HIGHEST = INT64


class NotPlain(Exception):
    """Left to the thorough reader."""


IRREGULAR = (NotPlain, RecordRefused, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class AnyValue(Struct, gc=False):
    stringValue: str | UnsetType = UNSET
    intValue: int | str | UnsetType = UNSET
    boolValue: bool | UnsetType = UNSET
    doubleValue: float | UnsetType = UNSET
    arrayValue: Raw = ABSENT
    kvlistValue: Raw = ABSENT


class KeyValue(Struct, gc=False):
    key: str
    value: AnyValue


class PlainValues:
    """Reads the values of one text; `quotes` are the quotation marks accounted for."""

    def __init__(self, budget: Budget) -> None:
        self.quotes = 0
        self._budget = budget

    def account_for(self, text: bytes, records: Iterable[LogRecord | MetricPoint]) -> bool:
        """Whether all of a text was read, so that no member of an object went unnoticed."""
        unread = text.count(b'"') - self.quotes
        if unread:  # perhaps those inside of strings
            texts = [value for record in records for _, kind, value in record.attributes if kind == "string"]
            unread -= "".join(texts).count('"')
        return unread == 0

    def attributes(self, pairs: list[KeyValue] | UnsetType) -> list[Attribute]:
        if pairs is UNSET:
            return []
        self._budget.elements(len(pairs))
        self.quotes += 2 + 10 * len(pairs)  # two names and a key, a third name and a string: of a string's attribute
        other = self._attribute
        return [
            (pair.key, "string", text) if (text := pair.value.stringValue) is not UNSET else other(pair)
            for pair in pairs
        ]

    def typed(self, value: AnyValue) -> Typed:
        if value.stringValue is not UNSET:
            self.quotes += 4 + value.stringValue.count('"')
            return "string", value.stringValue
        if value.intValue is not UNSET:
            return "int", self.integer(value.intValue)
        if value.boolValue is not UNSET:
            self.quotes += 2
            return "bool", value.boolValue
        if value.doubleValue is not UNSET:
            self.quotes += 2
            return "double", value.doubleValue
        if value.arrayValue is not ABSENT:
            return self._nested("arrayValue", bytes(value.arrayValue))
        if value.kvlistValue is not ABSENT:
            return self._nested("kvlistValue", bytes(value.kvlistValue))
        return "null", None

    def integer(self, number: int | str) -> int:
        if isinstance(number, str):
            self.quotes += 2
            if len(number) > 20 or not number.removeprefix("-").isdigit() or not number.isascii():
                raise NotPlain
            number = int(number)
        self.quotes += 2
        if LOWEST <= number <= HIGHEST:
            return number
        raise NotPlain

    def small(self, number: int) -> int:
        """A count, an enum's number or flags."""
        self.quotes += 2
        if 0 <= number < 2**31:
            return number
        raise NotPlain

    def text(self, value: str) -> str:
        self.quotes += 4
        return value

    def identifier(self, value: str, digits: int) -> str:
        """A trace or span id in lower-case hex."""
        self.quotes += 4
        if not value:
            return ""
        if len(value) != digits or not value.isascii() or not value.isalnum():
            raise NotPlain
        try:
            return bytes.fromhex(value).hex()
        except ValueError:
            raise NotPlain from None

    def _attribute(self, pair: KeyValue) -> Attribute:
        number = pair.value.intValue
        if type(number) is int and LOWEST <= number <= HIGHEST:
            self.quotes -= 2
            return pair.key, "int", number
        self.quotes -= 4
        return (pair.key, *self.typed(pair.value))

    def _nested(self, kind: str, raw: bytes) -> Typed:
        self.quotes += 2 + raw.count(b'"')
        values = JSONValues(self._budget)
        typed = values.typed({kind: parse_tree(raw, self._budget.limits, values.flags)})
        if values.flags or typed[0] == "null":
            raise NotPlain
        return typed


def may_be_plain(text: bytes) -> bool:
    """Whether it is worth while to try: not too many objects, no U+0000 to be flagged, all quotation marks spelt."""
    if len(text) > 2 * MANY_OBJECTS and text.count(b"{") > MANY_OBJECTS:
        return False
    return b"\\" not in text or not (b"\\u0000" in text or b"\\u0022" in text)
