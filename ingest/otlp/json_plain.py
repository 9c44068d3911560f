"""Plain log records in OTLP/JSON, by msgspec: what well-behaved exporters send, at a tenth of the cost.

Plain means: each object has only members that are known here, none twice, of the types below. msgspec
takes the last of repeated members without a word, so the quotation marks of the text are counted: an object with a
member that is not accounted for has more of them. Whatever is not plain is left to the thorough reader, which
decides; so nothing here ever refuses.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from ingest.otlp.json_envelope import NAMES, Group, Members, emitter
from ingest.otlp.json_values import JSONValues, read_tree
from ingest.otlp.limits import Budget, RecordRefused
from ingest.otlp.records import Attribute, Emitter, LogRecord
from ingest.otlp.values import INT64, Typed, repeats

MANY_OBJECTS = 250_000
"""Above, objects are counted one by one while cutting, not allocated all at once: about 6,000 ordinary records."""

ABSENT = Raw(b"")


class NotPlain(Exception):
    """Left to the thorough reader."""


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


class Record(Struct, gc=False):
    timeUnixNano: int | str | UnsetType = UNSET
    observedTimeUnixNano: int | str | UnsetType = UNSET
    severityNumber: int | UnsetType = UNSET
    severityText: str | UnsetType = UNSET
    eventName: str | UnsetType = UNSET
    body: AnyValue | None | UnsetType = UNSET
    attributes: list[KeyValue] | UnsetType = UNSET
    droppedAttributesCount: int | UnsetType = UNSET
    flags: int | UnsetType = UNSET
    traceId: str | UnsetType = UNSET
    spanId: str | UnsetType = UNSET


class ScopeLogs(Struct, gc=False):
    logRecords: list[Record]
    scope: Raw = ABSENT
    schemaUrl: Raw = ABSENT


class ResourceLogs(Struct, gc=False):
    scopeLogs: list[ScopeLogs]
    resource: Raw = ABSENT
    schemaUrl: Raw = ABSENT


class Request(Struct, gc=False):
    resourceLogs: list[ResourceLogs]


_request = msgspec.json.Decoder(Request).decode
_record = msgspec.json.Decoder(Record).decode


class PlainReader:
    """Reads plain requests and plain records; None is the answer to others."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._quotes = 0  # quotation marks accounted for

    def request(self, body: bytes) -> list[LogRecord] | None:
        if body.count(b"{") > MANY_OBJECTS or b"\\u0000" in body:
            return None
        try:
            request = _request(body)
            self._quotes = 2
            records = [record for resource_logs in request.resourceLogs for record in self._resource(resource_logs)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, NotPlain, RecordRefused):
            return None
        return records if self._quotes == quotes(body) else None

    def record(self, raw: bytes, source: Emitter) -> LogRecord | None:
        if raw.count(b"{") > MANY_OBJECTS or b"\\u0000" in raw:
            return None
        try:
            self._quotes = 0
            record = self._record(_record(raw), source)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, NotPlain, RecordRefused):
            return None
        return record if self._quotes == quotes(raw) else None

    def _resource(self, resource_logs: ResourceLogs) -> list[LogRecord]:
        records = []
        resource = self._members({"resource": resource_logs.resource, "schemaUrl": resource_logs.schemaUrl})
        for scope_logs in resource_logs.scopeLogs:
            scope = self._members({"scope": scope_logs.scope, "schemaUrl": scope_logs.schemaUrl})
            source = emitter(Group(NAMES["logs"], resource, scope, []), self._budget)
            for record in scope_logs.logRecords:
                self._budget.record()
                records.append(self._record(record, source))
        return records

    def _members(self, raws: dict[str, Raw]) -> Members:
        """A resource's or scope's own members; the list of its children is accounted for with them."""
        self._budget.envelope_field()
        members = Members({name: bytes(raw) for name, raw in raws.items() if raw is not ABSENT})
        self._quotes += 2 + sum(2 + quotes(raw) for raw in members.values.values())
        return members

    def _record(self, record: Record, source: Emitter) -> LogRecord:
        pairs = record.attributes or ()
        self._budget.elements(len(pairs))
        other = self._attribute
        attributes = [
            (pair.key, "string", text) if (text := pair.value.stringValue) is not UNSET else other(pair)
            for pair in pairs
        ]
        self._quotes += 10 * len(attributes) + (2 if record.attributes is not UNSET else 0)
        severity, dropped, flags = record.severityNumber, record.droppedAttributesCount, record.flags
        severity_text, event_name = record.severityText, record.eventName
        trace_id, span_id = record.traceId, record.spanId
        for value in (severity, severity_text, event_name, dropped, flags, trace_id, span_id):
            if value is not UNSET:
                self._quotes += 4 if type(value) is str else 2
        return LogRecord(
            source,
            self._time(record.timeUnixNano),
            self._time(record.observedTimeUnixNano),
            _small(severity),
            severity_text or "",
            event_name or "",
            self._body(record.body) if record.body is not UNSET else None,
            attributes,
            _small(dropped),
            _small(flags),
            _identifier(trace_id, 32),
            _identifier(span_id, 16),
            ("duplicate_key",) if repeats(attributes) else (),
        )

    def _time(self, value: int | str | UnsetType) -> int:
        if type(value) is str:
            self._quotes += 4
            if len(value) < 20 and value.isascii() and value.isdigit():
                return int(value)
            raise NotPlain
        if value is UNSET:
            return 0
        self._quotes += 2
        if type(value) is int and 0 <= value <= INT64[1]:
            return value
        raise NotPlain

    def _body(self, value: AnyValue | None) -> Typed | None:
        self._quotes += 2
        if value is None:
            return None
        if value.stringValue is not UNSET:
            self._quotes += 4
            return "string", value.stringValue
        typed = self._typed(value)
        return None if typed[0] == "null" else typed

    def _attribute(self, pair: KeyValue) -> Attribute:
        self._quotes -= 4  # of the ten of an attribute with a string; what its value has, its reader adds
        return (pair.key, *self._typed(pair.value))

    def _typed(self, value: AnyValue) -> Typed:
        """A value other than a string."""
        number = value.intValue
        if number is not UNSET:
            return "int", self._integer(number)
        if value.boolValue is not UNSET:
            self._quotes += 2
            return "bool", value.boolValue
        if value.doubleValue is not UNSET:
            self._quotes += 2
            return "double", value.doubleValue
        if value.arrayValue is not ABSENT:
            return self._nested("arrayValue", bytes(value.arrayValue))
        if value.kvlistValue is not ABSENT:
            return self._nested("kvlistValue", bytes(value.kvlistValue))
        return "null", None

    def _integer(self, number: Any) -> int:
        if type(number) is str:
            self._quotes += 4
            digits = number.removeprefix("-")
            if len(digits) > 18 or not (digits.isascii() and digits.isdigit()):
                raise NotPlain
            return int(number)
        self._quotes += 2
        if INT64[0] <= number <= INT64[1]:
            return int(number)
        raise NotPlain

    def _nested(self, kind: str, raw: bytes) -> Typed:
        self._quotes += 2 + quotes(raw)
        values = JSONValues(self._budget)
        typed = values.typed({kind: read_tree(raw, self._budget, values.flags)})
        if values.flags or typed[0] == "null":
            raise NotPlain
        return typed


def quotes(text: bytes) -> int:
    """The quotation marks around strings, in text that is JSON."""
    if b"\\" not in text:
        return text.count(b'"')
    text = text.replace(b"\\\\", b"")
    return text.count(b'"') - text.count(b'\\"')


def _small(number: int | UnsetType) -> int:
    if number is UNSET:
        return 0
    if 0 <= number < 2**31:
        return number
    raise NotPlain


def _identifier(value: str | UnsetType, digits: int) -> str:
    if not value:
        return ""
    if len(value) != digits:
        raise NotPlain
    try:
        return bytes.fromhex(value).hex()
    except ValueError:
        raise NotPlain from None
