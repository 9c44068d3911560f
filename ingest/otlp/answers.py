"""What the receiver answers: Export*ServiceResponse and google.rpc.Status, in the encoding of the request.

OTLP 1.11: a success says nothing unless something was rejected; every failure is a Status; a client must not send
again what a partial success rejected.
"""

import json
from typing import Any

from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

MESSAGE_CHARACTERS = 300

_RESPONSES = {
    "logs": (ExportLogsServiceResponse, "rejected_log_records", "rejectedLogRecords"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points", "rejectedDataPoints"),
    "traces": (ExportTraceServiceResponse, "rejected_spans", "rejectedSpans"),
}


def success(signal: str, encoding: str, rejected: int, message: str) -> bytes:
    """The body of a 200. With nothing rejected, a message is a warning; with neither, the body says nothing."""
    message = plain(message)
    response, protobuf_name, json_name = _RESPONSES[signal]
    if not rejected and not message:
        return b"" if encoding == "protobuf" else b"{}"
    if encoding == "json":
        partial: dict[str, str] = {json_name: str(rejected)} if rejected else {}
        return _json({"partialSuccess": partial | ({"errorMessage": message} if message else {})})
    answer: Any = response()
    setattr(answer.partial_success, protobuf_name, rejected)
    answer.partial_success.error_message = message
    body: bytes = answer.SerializeToString()
    return body


def failure(encoding: str, code: int, message: str) -> bytes:
    """The body of a 4xx or 5xx; `code` is one of google.rpc.Code."""
    message = plain(message)
    if encoding == "json":
        return _json({"code": code, "message": message})
    body: bytes = Status(code=code, message=message).SerializeToString()
    return body


def plain(message: str) -> str:
    """At most MESSAGE_CHARACTERS on one line, whatever it was: what is not printable is escaped."""
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in message[: MESSAGE_CHARACTERS + 1]
    )
    return shown if len(shown) <= MESSAGE_CHARACTERS else shown[: MESSAGE_CHARACTERS - 1] + "…"


def _json(answer: object) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
