"""Plain log requests in OTLP/JSON; see json_plain.py."""

from dataclasses import replace

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from ingest.otlp.json_plain import ABSENT, IRREGULAR, AnyValue, KeyValue, PlainValues, may_be_plain
from ingest.otlp.limits import Budget
from ingest.otlp.records import Attribute, Emitter, LogRecord
from ingest.otlp.values import Typed, repeats


class Record(Struct, gc=False):
    timeUnixNano: int | str | UnsetType = UNSET
    observedTimeUnixNano: int | str | UnsetType = UNSET
    severityNumber: int | UnsetType = UNSET
    severityText: str | UnsetType = UNSET
    eventName: str | UnsetType = UNSET
    body: AnyValue | UnsetType | None = UNSET
    attributes: list[KeyValue] | UnsetType = UNSET
    droppedAttributesCount: int | UnsetType = UNSET
    flags: int | UnsetType = UNSET
    traceId: str | UnsetType = UNSET
    spanId: str | UnsetType = UNSET


class Scope(Struct, gc=False):
    name: str | UnsetType = UNSET
    version: str | UnsetType = UNSET
    attributes: list[KeyValue] | UnsetType = UNSET
    droppedAttributesCount: int | UnsetType = UNSET


class ScopeLogs(Struct, gc=False):
    logRecords: list[Record]
    scope: Scope | UnsetType = UNSET
    schemaUrl: str | UnsetType = UNSET


class Resource(Struct, gc=False):
    attributes: list[KeyValue] | UnsetType = UNSET
    droppedAttributesCount: int | UnsetType = UNSET
    entityRefs: Raw = ABSENT  # not kept, but common


class ResourceLogs(Struct, gc=False):
    scopeLogs: list[ScopeLogs]
    resource: Resource | UnsetType = UNSET
    schemaUrl: str | UnsetType = UNSET


class Request(Struct, gc=False):
    resourceLogs: list[ResourceLogs]


_decode_request = msgspec.json.Decoder(Request).decode
_decode_record = msgspec.json.Decoder(Record).decode


class PlainLogs:
    """Reads plain requests and plain records; None is the answer to others."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._values = PlainValues(budget)

    def request(self, body: bytes) -> list[LogRecord] | None:
        if not may_be_plain(body):
            return None
        try:
            request = _decode_request(body)
            self._values.quotes = 2
            records = [record for resource_logs in request.resourceLogs for record in self._resource(resource_logs)]
        except IRREGULAR:
            return None
        return records if self._values.account_for(body, records) else None

    def record(self, raw: bytes, source: Emitter) -> LogRecord | None:
        if not may_be_plain(raw):
            return None
        try:
            self._values.quotes = 0
            record = self._record(_decode_record(raw), source)
        except IRREGULAR:
            return None
        return record if self._values.account_for(raw, (record,)) else None

    def _resource(self, resource_logs: ResourceLogs) -> list[LogRecord]:
        values, records = self._values, []
        self._budget.envelope_field()
        values.quotes += 2
        bare = self._resource_emitter(resource_logs)
        for scope_logs in resource_logs.scopeLogs:
            self._budget.envelope_field()
            self._budget.record(len(scope_logs.logRecords))
            values.quotes += 2
            source = self._emitter(bare, scope_logs)
            records += [self._record(record, source) for record in scope_logs.logRecords]
        return records

    def _resource_emitter(self, resource_logs: ResourceLogs) -> Emitter:
        values, resource = self._values, resource_logs.resource
        schema_url = "" if resource_logs.schemaUrl is UNSET else values.text(resource_logs.schemaUrl)
        if resource is UNSET:
            return Emitter(resource_schema_url=schema_url)
        values.quotes += 2
        if resource.entityRefs is not ABSENT:
            values.quotes += 2 + bytes(resource.entityRefs).count(b'"')
        attributes, dropped = values.attributes(resource.attributes), resource.droppedAttributesCount
        return Emitter(
            resource=tuple(attributes),
            resource_schema_url=schema_url,
            resource_dropped=0 if dropped is UNSET else values.small(dropped),
            flags=frozenset(_flags(attributes)),
        )

    def _emitter(self, bare: Emitter, scope_logs: ScopeLogs) -> Emitter:
        values, scope = self._values, scope_logs.scope
        schema_url = "" if scope_logs.schemaUrl is UNSET else values.text(scope_logs.schemaUrl)
        if scope is UNSET:
            return replace(bare, scope_schema_url=schema_url)
        values.quotes += 2
        attributes, dropped = values.attributes(scope.attributes), scope.droppedAttributesCount
        return replace(
            bare,
            scope=tuple(attributes),
            scope_name="" if scope.name is UNSET else values.text(scope.name),
            scope_version="" if scope.version is UNSET else values.text(scope.version),
            scope_schema_url=schema_url,
            scope_dropped=0 if dropped is UNSET else values.small(dropped),
            flags=bare.flags.union(_flags(attributes)),
        )

    def _record(self, record: Record, source: Emitter) -> LogRecord:
        values = self._values
        attributes = values.attributes(record.attributes)
        time, observed, severity = record.timeUnixNano, record.observedTimeUnixNano, record.severityNumber
        severity_text, event_name, dropped = record.severityText, record.eventName, record.droppedAttributesCount
        flags, trace_id, span_id = record.flags, record.traceId, record.spanId
        return LogRecord(
            source,
            0 if time is UNSET else values.integer(time),
            0 if observed is UNSET else values.integer(observed),
            0 if severity is UNSET else values.small(severity),
            "" if severity_text is UNSET else values.text(severity_text),
            "" if event_name is UNSET else values.text(event_name),
            self._body(record.body),
            attributes,
            0 if dropped is UNSET else values.small(dropped),
            0 if flags is UNSET else values.small(flags),
            "" if trace_id is UNSET else values.identifier(trace_id, 32),
            "" if span_id is UNSET else values.identifier(span_id, 16),
            _flags(attributes),
        )

    def _body(self, value: AnyValue | UnsetType | None) -> Typed | None:
        if value is UNSET:
            return None
        self._values.quotes += 2
        typed = self._values.typed(value) if value is not None else ("null", None)
        return None if typed[0] == "null" else typed


def _flags(attributes: list[Attribute]) -> tuple[str, ...]:
    return ("duplicate_key",) if repeats(attributes) else ()
