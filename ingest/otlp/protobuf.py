"""OTLP export requests in protobuf (opentelemetry.io/docs/specs/otlp): log records, and the number of spans."""

from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.otlp import wire
from ingest.otlp.harvest import Harvest
from ingest.otlp.limits import Budget, Limits, Malformed, RecordRefused, Unreadable
from ingest.otlp.protobuf_envelope import emitter
from ingest.otlp.protobuf_values import ValueReader
from ingest.otlp.records import Emitter, Export, LogRecord
from ingest.otlp.schema import LENIENT, STRICT, wire_types
from ingest.otlp.values import in_order, repeats
from ingest.otlp.weight import refuse_heavy

_strict = STRICT.parse("logs.v1.LogRecord")
_lenient = LENIENT.parse("logs.v1.LogRecord")
_RECORD_WIRE_TYPES = wire_types(logs_pb2.LogRecord.DESCRIPTOR)
_SPAN_WIRE_TYPES = wire_types(trace_pb2.Span.DESCRIPTOR)


def decode_logs(body: bytes, limits: Limits) -> Export:
    """Every record of an ExportLogsServiceRequest. Raises Malformed, TooLarge."""
    budget = Budget(limits)
    reader = LogReader(budget)
    harvest: Harvest[LogRecord] = Harvest(budget)
    for group in wire.groups(body, budget, budget.record):
        try:
            source = emitter(group, reader.values, budget)
        except RecordRefused as why:
            for element in group.elements:
                harvest.refuse(why, group.request(element))
            continue
        for element in group.elements:
            try:
                harvest.kept.append(reader.read(element, source))
            except RecordRefused as why:
                harvest.refuse(why, group.request(element))
    return harvest.export()


def count_spans(body: bytes, limits: Limits) -> Export:
    """How many spans an ExportTraceServiceRequest holds; they are not read. Raises Malformed, TooLarge."""
    budget = Budget(limits)
    spans = [span for group in wire.groups(body, budget, budget.record) for span in group.elements]
    if spans and not any(span and wire.fits(span, _SPAN_WIRE_TYPES) for span in spans):
        raise Malformed("no span of this request can be read")
    return Export([], [], budget.records)


class LogReader:
    """Reads the log records of one request."""

    def __init__(self, budget: Budget) -> None:
        self.values = ValueReader(budget)
        self._budget = budget
        self._attribute = self.values.attributes.__getitem__

    def read(self, raw: bytes, source: Emitter) -> LogRecord:
        """Raises RecordRefused; TooLarge when this record passes a limit of the request."""
        refuse_heavy(raw, logs_pb2.LogRecord.DESCRIPTOR, self._budget.limits)
        try:
            return self._record(_strict(raw), raw, source, ())
        except DecodeError:
            pass
        try:
            return self._record(_lenient(raw), raw, source, ("lenient",))
        except DecodeError as exc:
            raise Unreadable("a record is not a protobuf message") from exc

    def _record(self, message: Any, raw: bytes, source: Emitter, flags: tuple[str, ...]) -> LogRecord:
        attributes = list(map(self._attribute, message.attributes))
        self._budget.elements(len(attributes))
        time, observed, body = message.time_unix_nano, message.observed_time_unix_nano, message.body
        severity_text, event_name = message.severity_text, message.event_name
        if not (time or observed) and not wire.fits(raw, _RECORD_WIRE_TYPES):
            raise Unreadable("a record is some other message")
        record = LogRecord(
            source,
            time,
            observed,
            message.severity_number,
            severity_text,
            event_name,
            self.values.bodies[body] if body else None,
            attributes,
            message.dropped_attributes_count,
            message.flags,
            _hex(message.trace_id, 16),
            _hex(message.span_id, 8),
            flags,
        )
        if flags or severity_text or event_name or self.values.is_odd or repeats(attributes):
            self._note(record, message)
        return record

    def _note(self, record: LogRecord, message: Any) -> None:
        """Flag what is odd about a record, and make text of what the lenient parser left as bytes."""
        values = self.values
        flags = {*record.flags, *values.attributes.flags(message.attributes), *values.bodies.flags([message.body])}
        record.severity_text = values.text(message.severity_text, flags)
        record.event_name = values.text(message.event_name, flags)
        if repeats(record.attributes):
            flags.add("duplicate_key")
        record.flags = in_order(flags)


def _hex(identifier: bytes, size: int) -> str:
    if not identifier:
        return ""
    if len(identifier) != size:
        raise RecordRefused(f"a trace or span id of {len(identifier)} bytes instead of {size}")
    return identifier.hex()
