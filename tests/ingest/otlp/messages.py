"""Export requests in both encodings from one description: records as dicts, values as (type, value)."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

from ingest.otlp import Export, Limits, LogRecord, decode

Typed = tuple[str, Any]
Pairs = Sequence[tuple[str, Typed]]

_JSON_NAMES = {"string": "stringValue", "int": "intValue", "bool": "boolValue", "double": "doubleValue"}
_NUMBERS = {
    "time_unix_nano": "timeUnixNano",
    "observed_time_unix_nano": "observedTimeUnixNano",
    "severity_number": "severityNumber",
    "dropped_attributes_count": "droppedAttributesCount",
    "trace_flags": "flags",
}
_TEXTS = {"severity_text": "severityText", "event_name": "eventName", "trace_id": "traceId", "span_id": "spanId"}


def json_value(typed: Typed) -> dict[str, Any]:
    kind, value = typed
    if kind == "null":
        return {}
    if kind == "bytes":
        return {"bytesValue": base64.b64encode(value).decode()}
    if kind == "array":
        return {"arrayValue": {"values": [json_value(item) for item in value]}}
    if kind == "map":
        return {"kvlistValue": {"values": json_pairs(value)}}
    return {_JSON_NAMES[kind]: value}


def json_pairs(pairs: Pairs) -> list[dict[str, Any]]:
    return [{"key": key, "value": json_value(typed)} for key, typed in pairs]


def json_record(**fields: Any) -> dict[str, Any]:
    record = {(_NUMBERS | _TEXTS)[name]: value for name, value in fields.items() if name not in ("body", "attributes")}
    if "body" in fields:
        record["body"] = json_value(fields["body"])
    if "attributes" in fields:
        record["attributes"] = json_pairs(fields["attributes"])
    return record


def json_logs(*records: Any, resource: Any = None, scope: Any = None) -> bytes:
    """A request of records that are JSON already; of bytes, as they stand."""
    written = b",".join(record if isinstance(record, bytes) else json.dumps(record).encode() for record in records)
    around = json.dumps({"resource": resource or {}, "scopeLogs": [{"scope": scope or {}, "logRecords": "HERE"}]})
    return b'{"resourceLogs":[' + around.encode().replace(b'"HERE"', b"[" + written + b"]") + b"]}"


def fill(value: Any, typed: Typed) -> None:
    """Writes into an AnyValue message."""
    kind, content = typed
    if kind == "array":
        value.array_value.SetInParent()
        for item in content:
            fill(value.array_value.values.add(), item)
    elif kind == "map":
        value.kvlist_value.SetInParent()
        fill_pairs(value.kvlist_value.values, content)
    elif kind != "null":
        setattr(value, f"{kind}_value", content)


def fill_pairs(container: Any, pairs: Pairs) -> None:
    for key, typed in pairs:
        pair = container.add(key=key)
        pair.value.SetInParent()
        fill(pair.value, typed)


def protobuf_logs(*records: dict[str, Any], resource: Pairs = (), scope_name: str = "") -> bytes:
    request = LogsData()
    resource_logs = request.resource_logs.add()
    fill_pairs(resource_logs.resource.attributes, resource)
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = scope_name
    for fields in records:
        record = scope_logs.log_records.add()
        for name, value in fields.items():
            if name == "attributes":
                fill_pairs(record.attributes, value)
            elif name == "body":
                record.body.SetInParent()
                fill(record.body, value)
            elif name in ("trace_id", "span_id"):
                setattr(record, name, bytes.fromhex(value))
            else:
                setattr(record, "flags" if name == "trace_flags" else name, value)
    return request.SerializeToString()


def nested(depth: int, kind: str = "array") -> Typed:
    """A value under that many arrays or maps."""
    typed: Typed = ("string", "deep")
    for _ in range(depth):
        typed = ("array", [typed]) if kind == "array" else ("map", [("k", typed)])
    return typed


def decode_logs(body: bytes, encoding: str = "", limits: Limits | None = None) -> Export:
    encoding = encoding or ("json" if body.startswith(b"{") else "protobuf")
    return decode("logs", encoding, body, limits or Limits())  # type: ignore[arg-type]


def only(export: Export) -> LogRecord:
    """The one record of a request in which nothing was unusable."""
    assert export.unusable == []
    (record,) = export.records
    assert isinstance(record, LogRecord)
    return record
