"""Requests of which nothing can be read, and how far one bad part reaches."""

import json
import random

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.otlp import Export, Limits, Malformed, decode
from tests.ingest.otlp.messages import decode_logs, json_logs, json_record, nested, protobuf_logs
from tests.ingest.otlp.test_captures import CLAUDE_CODE, SPECIMENS

FIELDS = {"time_unix_nano": 1, "body": ("string", "b"), "attributes": [("k", ("string", "v"))]}
RECORD = protobuf_logs(FIELDS)
SPANS = (SPECIMENS / "otlp" / "claude_code.traces.pb").read_bytes()
POINTS = (CLAUDE_CODE / "a-plain-prompt.pb" / "0002.metrics.pb").read_bytes()
LOGS = (CLAUDE_CODE / "a-plain-prompt.pb" / "0001.logs.pb").read_bytes()
_POINT = Metric(name="m", gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=1)]))
GAUGE = MetricsData(
    resource_metrics=[ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=[_POINT])])]
).SerializeToString()
JSON_LOGS = (CLAUDE_CODE / "a-plain-prompt.json" / "0001.logs.json").read_bytes()


@pytest.mark.parametrize("signal", ["logs", "metrics", "traces"])
@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("protobuf", b"", id="empty"),
        pytest.param("protobuf", b"\n\x00", id="empty-resource"),
        pytest.param("protobuf", b"\n\x02\x12\x00", id="empty-scope"),
        pytest.param("json", b"{}", id="json-empty"),
        pytest.param("json", b" {\n} ", id="json-white-space"),
    ],
)
def test_it_finds_nothing_in_an_empty_request(signal: str, encoding: str, body: bytes) -> None:
    assert decode(signal, encoding, body, Limits()) == Export([], [], 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [b'{"resourceLogs":[]}', b'{"resourceLogs":null}', b'{"resourceLogs":[{}]}'])
def test_it_finds_nothing_in_empty_json_lists(body: bytes) -> None:
    assert decode_logs(body, "json") == Export([], [], 0)


@pytest.mark.parametrize("signal", ["logs", "metrics", "traces"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(LOGS[:-1], id="cut-off"),
        pytest.param(LOGS[: len(LOGS) // 2], id="half"),
        pytest.param(b"\n", id="only-a-tag"),
        pytest.param(b"\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", id="endless-length"),
        pytest.param(b"\n\xff\xff\xff\xff\x7f", id="length-beyond-the-end"),
        pytest.param(random.Random(5).randbytes(1000), id="random"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"\x10\x01", id="only-unknown-fields"),
        pytest.param(b"\x08\x01", id="number-for-the-list"),
        pytest.param(b"\n\x02\x10\x01", id="number-for-a-scope"),
        pytest.param(b"\x0b\x0c", id="group"),
        pytest.param(JSON_LOGS, id="json"),
        pytest.param(b"\x1f\x8b\x08\x00" + bytes(20), id="gzip"),
    ],
)
def test_it_refuses_protobuf_that_is_none(signal: str, body: bytes) -> None:
    with pytest.raises(Malformed, match=r"^the body is not an OTLP"):
        decode(signal, "protobuf", body, Limits())  # type: ignore[arg-type]


@pytest.mark.parametrize("signal", ["logs", "metrics", "traces"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" ", id="white-space"),
        pytest.param(JSON_LOGS[:-1], id="cut-off"),
        pytest.param(JSON_LOGS[:5000], id="half"),
        pytest.param(JSON_LOGS + b"x", id="trailing"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"5", id="number"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"{'a':1}", id="single-quotes"),
        pytest.param(b"{]", id="brackets"),
        pytest.param(b'{"a":1,}', id="trailing-comma"),
        pytest.param(b'{"resource', id="open-string"),
        pytest.param(b"[" * 100_000, id="deep-and-open"),
        pytest.param(b'{"a":' * 100_000, id="deep-objects-and-open"),
        pytest.param(LOGS, id="protobuf"),
        pytest.param(JSON_LOGS.decode().encode("utf-16"), id="utf-16"),
        pytest.param(b'{"resourceProfiles":[]}', id="another-signal"),
    ],
)
def test_it_refuses_json_that_is_none(signal: str, body: bytes) -> None:
    with pytest.raises(Malformed, match=r"^the body"):
        decode(signal, "json", body, Limits())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("signal", "body"),
    [
        pytest.param("logs", SPANS, id="spans-to-logs"),
        pytest.param("logs", POINTS, id="points-to-logs"),
        pytest.param("logs", GAUGE, id="gauge-to-logs"),
        pytest.param("metrics", LOGS, id="logs-to-metrics"),
        pytest.param("metrics", protobuf_logs({"time_unix_nano": 1}), id="record-without-a-body-to-metrics"),
        pytest.param("metrics", SPANS, id="spans-to-metrics"),
        pytest.param("traces", LOGS, id="logs-to-traces"),
        pytest.param("logs", protobuf_logs({}), id="blank-record"),
        pytest.param("logs", protobuf_logs({"body": ("null", None), "severity_number": 9}), id="severity-only"),
    ],
)
def test_it_refuses_another_message_in_protobuf(signal: str, body: bytes) -> None:
    with pytest.raises(Malformed, match=r"no (record|span) of this request"):
        decode(signal, "protobuf", body, Limits())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "record", [b"{}", b"5", b"null", b'"x"', b'{"time_unix_nano":"1"}', b'{"severityNumber":9}', b'{"a":tru}', b"[[]]"]
)
def test_it_refuses_json_none_of_whose_records_says_anything(record: bytes) -> None:
    with pytest.raises(Malformed, match="no record of this request has a time, a body or an attribute"):
        decode_logs(json_logs(record))


@pytest.mark.parametrize("record", [b"{}", b'{"severityNumber":9}'])
def test_it_keeps_a_record_that_says_nothing_beside_one_that_does(record: bytes) -> None:
    export = decode_logs(json_logs(record, json_record(**FIELDS)))
    assert (len(export.records), export.unusable) == (2, [])


def test_it_does_not_take_a_refused_record_for_another_message() -> None:
    export = decode_logs(json_logs(b'{"severityNumber":"INFO"}'))
    assert (export.records, [unusable.reason for unusable in export.unusable]) == (
        [],
        ["severityNumber is not an integer"],
    )


def test_it_loses_only_the_record_whose_bytes_are_broken() -> None:
    body = protobuf_logs(FIELDS, FIELDS | {"body": ("string", "BROKEN")}, FIELDS)
    export = decode_logs(body.replace(b"\x06BROKEN", b"\x7fBROKEN"))
    assert (len(export.records), len(export.unusable), export.total) == (2, 1, 3)
    assert export.unusable[0].reason == "a value is not a protobuf message"


@pytest.mark.parametrize(("field", "size"), [("trace_id", 16), ("span_id", 8)])
@pytest.mark.parametrize("length", [1, 7, 9, 15, 17, 32])
def test_it_refuses_ids_of_another_length_in_protobuf(field: str, size: int, length: int) -> None:
    export = decode_logs(protobuf_logs({**FIELDS, field: "ab" * length}, FIELDS))
    assert (len(export.records), export.total) == (1, 2)
    assert export.unusable[0].reason == f"a trace or span id of {length} bytes instead of {size}"


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("kind", ["array", "map"])
@pytest.mark.parametrize("place", ["attribute", "body"])
@pytest.mark.parametrize(("depth", "kept"), [(1, True), (31, True), (32, True), (33, False), (60, False)])
def test_it_keeps_32_levels_and_no_more(encoding: str, kind: str, place: str, depth: int, kept: bool) -> None:
    deep = nested(depth, kind)
    fields = FIELDS | ({"body": deep} if place == "body" else {"attributes": [("k", deep)]})
    records = (FIELDS, fields, FIELDS)
    export = decode_logs(
        json_logs(*(json_record(**_) for _ in records)) if encoding == "json" else protobuf_logs(*records)
    )
    assert (len(export.records), export.total) == (3 if kept else 2, 3)
    assert [unusable.reason for unusable in export.unusable] == ([] if kept else ["a value is nested deeper than 32"])


@pytest.mark.parametrize("depth", [200, 20_000, 100_000])
def test_it_survives_any_depth_in_json(depth: int) -> None:
    record = b'{"timeUnixNano":"1","later":' + b"[" * depth + b"]" * depth + b"}"
    deep = b'{"body":' + b'{"arrayValue":{"values":[' * depth + b"{}" + b"]}}" * depth + b"}"
    export = decode_logs(json_logs(record, json_record(**FIELDS), deep))
    assert [unusable.reason for unusable in export.unusable] == ["a value is nested deeper than 32"] * 2
    assert len(export.records) == 1


@pytest.mark.parametrize("depth", [200, 20_000])
def test_it_survives_any_depth_in_protobuf(depth: int) -> None:
    def wrapped(tag: bytes, message: bytes) -> bytes:
        size, rest = bytearray(), len(message)
        while rest > 127:
            size.append(rest & 127 | 128)
            rest >>= 7
        return tag + bytes(size) + bytes([rest]) + message

    value = b""
    for _ in range(depth):
        value = wrapped(b"\x2a", wrapped(b"\x0a", value))  # AnyValue.array_value, ArrayValue.values
    record = wrapped(b"\x32", b"\x0a\x01k" + wrapped(b"\x12", value)) + b"\x09" + bytes(7) + b"\x01"
    good = RECORD[RECORD.index(b"\x09") :]
    body = wrapped(b"\x0a", wrapped(b"\x12", wrapped(b"\x12", record) + wrapped(b"\x12", good)))
    export = decode_logs(body, "protobuf")
    assert [unusable.reason for unusable in export.unusable] == ["a value is nested deeper than 32"]
    assert [record.body for record in export.records] == [("string", "b")]


def test_it_counts_spans_without_reading_them() -> None:
    for path in sorted(CLAUDE_CODE.glob("l-traces.*/*.traces.*")):
        body = path.read_bytes()
        encoding = "json" if path.suffix == ".json" else "protobuf"
        spans = (
            [
                span
                for group in json.loads(body)["resourceSpans"]
                for scope in group["scopeSpans"]
                for span in scope["spans"]
            ]
            if encoding == "json"
            else [
                s
                for group in TracesData.FromString(body).resource_spans
                for scope in group.scope_spans
                for s in scope.spans
            ]
        )
        assert decode("traces", encoding, body, Limits()) == Export([], [], len(spans))  # type: ignore[arg-type]
