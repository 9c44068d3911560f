"""OTLP export requests in protobuf (opentelemetry.io/docs/specs/otlp): log records, and the number of spans."""

from functools import partial
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.otlp import wire
from ingest.otlp.harvest import Harvest
from ingest.otlp.limits import Budget, Limits, Malformed, RecordRefused, Unreadable
from ingest.otlp.protobuf_envelope import Emitters
from ingest.otlp.protobuf_values import Attributes, ValueReader
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
    emitters = Emitters(reader.attributes, budget)
    harvest: Harvest[LogRecord] = Harvest(budget)
    for group in wire.groups(body, budget, budget.record):
        try:
            source = emitters.read(group)
        except RecordRefused as why:
            harvest.refuse_all(why, group.elements, group.request)
        else:
            harvest.each(group.elements, partial(reader.read, source), group.request)
    return harvest.export()


def count_spans(body: bytes, limits: Limits) -> Export:
    """How many spans an ExportTraceServiceRequest holds; they are not read. Raises Malformed, TooLarge."""
    budget = Budget(limits)
    spans = [span for group in wire.groups(body, budget, budget.record) for span in group.elements]
    if spans and not any(span and wire.fits(span, _SPAN_WIRE_TYPES) for span in spans):
        raise Malformed("no span of this request can be read")
    return Export([], [], len(spans))


class LogReader:
    """Reads the log records of one request."""

    def __init__(self, budget: Budget) -> None:
        self.attributes = Attributes(ValueReader(budget))
        self._values = self.attributes.reader
        self._budget = budget
        self._attribute = self.attributes.__getitem__

    def read(self, source: Emitter, raw: bytes) -> LogRecord:
        """Raises RecordRefused; TooLarge when this record passes a limit of the request."""
        refuse_heavy(raw, logs_pb2.LogRecord.DESCRIPTOR, self._budget.limits)
        try:
            return self._record(_strict(raw), raw, source, set())
        except DecodeError:
            pass
        try:
            return self._record(_lenient(raw), raw, source, {"lenient"})
        except DecodeError as exc:
            raise Unreadable("a record is not a protobuf message") from exc

    def _record(self, message: Any, raw: bytes, source: Emitter, flags: set[str]) -> LogRecord:
        values = self._values
        self.attributes.forget_many()
        attributes = list(map(self._attribute, message.attributes))
        self._budget.elements(len(attributes))
        time, observed = message.time_unix_nano, message.observed_time_unix_nano
        if not (time or observed) and not wire.fits(raw, _RECORD_WIRE_TYPES):
            raise Unreadable("a record is some other message")
        body, severity_text, event_name = message.body, message.severity_text, message.event_name
        if self.attributes.odd:
            flags |= self.attributes.flags(message.attributes)
        if repeats(attributes):
            flags.add("duplicate_key")
        return LogRecord(
            source,
            time,
            observed,
            message.severity_number,
            values.text(severity_text, flags) if severity_text else "",
            values.text(event_name, flags) if event_name else "",
            values.body(body, flags) if body else None,
            attributes,
            message.dropped_attributes_count,
            message.flags,
            _hex(message.trace_id, 16),
            _hex(message.span_id, 8),
            in_order(flags) if flags else (),
        )


def _hex(identifier: bytes, size: int) -> str:
    if not identifier:
        return ""
    if len(identifier) != size:
        raise RecordRefused(f"a trace or span id of {len(identifier)} bytes instead of {size}")
    return identifier.hex()
