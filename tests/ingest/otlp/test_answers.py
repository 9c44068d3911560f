"""Answers, read back by the official messages."""

import json
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingest.otlp import failure, success

SIGNALS = {
    "logs": (ExportLogsServiceResponse, "rejected_log_records", "rejectedLogRecords"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points", "rejectedDataPoints"),
    "traces": (ExportTraceServiceResponse, "rejected_spans", "rejectedSpans"),
}


@pytest.mark.parametrize("signal", SIGNALS)
def test_it_says_nothing_of_a_plain_success(signal: str) -> None:
    assert success(signal, "protobuf", 0, "") == b""
    assert success(signal, "json", 0, "") == b"{}"


@pytest.mark.parametrize("signal", SIGNALS)
def test_it_says_how_many_were_rejected_and_why(signal: str) -> None:
    response, protobuf_name, json_name = SIGNALS[signal]
    partial = response.FromString(success(signal, "protobuf", 3, "why")).partial_success
    assert (getattr(partial, protobuf_name), partial.error_message) == (3, "why")
    assert json.loads(success(signal, "json", 3, "why")) == {"partialSuccess": {json_name: "3", "errorMessage": "why"}}


def test_it_warns_when_nothing_was_rejected() -> None:
    partial = ExportLogsServiceResponse.FromString(success("logs", "protobuf", 0, "soon")).partial_success
    assert (partial.rejected_log_records, partial.error_message) == (0, "soon")
    assert json.loads(success("logs", "json", 0, "soon")) == {"partialSuccess": {"errorMessage": "soon"}}


def test_it_answers_failures_with_a_status_in_the_encoding_of_the_request() -> None:
    status = Status.FromString(failure("protobuf", 3, "no"))
    assert (status.code, status.message, list(status.details)) == (3, "no", [])
    assert json.loads(failure("json", 3, "no")) == {"code": 3, "message": "no"}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        pytest.param("a\0b\r\nc\x1b[31m\x7f", r"a\x00b\r\nc\x1b[31m\x7f", id="control-characters"),
        pytest.param("\u202eexe\u2028", r"\u202eexe\u2028", id="bidirectional"),
        pytest.param("\ud800", r"\ud800", id="surrogate"),
        pytest.param("é – 数", "é – 数", id="ordinary-text"),
        pytest.param("x" * 301, "x" * 299 + "…", id="long"),
        pytest.param("x" * 300, "x" * 300, id="just-not-long"),
        pytest.param("\0" * 10**6, r"\x00" * 74 + r"\x0" + "…", id="long-once-escaped"),
    ],
)
def test_it_bounds_and_escapes_messages(message: str, shown: str) -> None:
    answers: list[Any] = [
        Status.FromString(failure("protobuf", 3, message)).message,
        json.loads(failure("json", 3, message))["message"],
        json.loads(success("logs", "json", 1, message))["partialSuccess"]["errorMessage"],
        ExportLogsServiceResponse.FromString(success("logs", "protobuf", 1, message)).partial_success.error_message,
    ]
    assert answers == [shown] * 4
    assert len(shown) <= 300
