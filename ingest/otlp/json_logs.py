"""OTLP/JSON export requests (opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): log records, number of spans.

A request of plain records is read in one go by msgspec (json_plain_logs.py). One that holds anything else is cut into
its records first, so that each is read by itself: again by msgspec where it is plain, else by the forgiving reader.
"""

from functools import partial

from ingest.otlp.harvest import Harvest
from ingest.otlp.json_envelope import NAMES, Emitters, groups
from ingest.otlp.json_plain_logs import PlainLogs
from ingest.otlp.json_tree import parse_tree
from ingest.otlp.json_values import INT32, TIME, UINT32, JSONValues, identifier, integer, text
from ingest.otlp.limits import Budget, Limits, Malformed, RecordRefused, Unreadable
from ingest.otlp.records import Emitter, Export, LogRecord
from ingest.otlp.values import in_order


def decode_logs(body: bytes, limits: Limits) -> Export:
    """Every record of an ExportLogsServiceRequest in JSON. Raises Malformed, TooLarge."""
    budget = Budget(limits)
    plain = PlainLogs(budget).request(body)
    if plain is None:
        return _one_by_one(body, Budget(limits))
    return Harvest(budget, plain).export()


def count_spans(body: bytes, limits: Limits) -> Export:
    """How many spans an ExportTraceServiceRequest in JSON holds; they are not read. Raises Malformed, TooLarge."""
    budget = Budget(limits)
    spans = [span for group in groups(body, NAMES["traces"], budget, budget.record) for span in group.elements]
    if spans and not any(span.startswith(b"{") for span in spans):
        raise Malformed("no span of this request can be read")
    return Export([], [], len(spans))


def _one_by_one(body: bytes, budget: Budget) -> Export:
    harvest: Harvest[LogRecord] = Harvest(budget)
    plain, emitters = PlainLogs(budget), Emitters(budget)
    for group in groups(body, NAMES["logs"], budget, budget.record):
        try:
            source = emitters.read(group)
        except RecordRefused as why:
            harvest.refuse_all(why, group.elements, group.request)
        else:
            harvest.each(group.elements, partial(_read, plain, budget, source), group.request)
    return harvest.export()


def _read(plain: PlainLogs, budget: Budget, source: Emitter, raw: bytes) -> LogRecord:
    return plain.record(raw, source) or _record(raw, source, budget)


def _record(raw: bytes, source: Emitter, budget: Budget) -> LogRecord:
    """A record in any form the format allows. Raises RecordRefused."""
    values = JSONValues(budget)
    flags = values.flags
    tree = parse_tree(raw, budget.limits, flags)
    if not isinstance(tree, dict):
        raise Unreadable("a record is not an object")
    body = values.typed(tree["body"]) if tree.get("body") is not None else None
    return LogRecord(
        emitter=source,
        time_unix_nano=integer(tree, "timeUnixNano", TIME),
        observed_time_unix_nano=integer(tree, "observedTimeUnixNano", TIME),
        severity_number=integer(tree, "severityNumber", INT32),
        severity_text=text(tree, "severityText", flags),
        event_name=text(tree, "eventName", flags),
        body=body if body and body[0] != "null" else None,
        attributes=values.attributes(tree),
        dropped_attributes_count=integer(tree, "droppedAttributesCount", UINT32),
        trace_flags=integer(tree, "flags", UINT32),
        trace_id=identifier(tree, "traceId", 16),
        span_id=identifier(tree, "spanId", 8),
        flags=in_order(flags),
    )
