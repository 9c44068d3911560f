"""Limits are met before memory is taken; at the limit all is well."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from ingest.otlp import Export, Limits, TooLarge, decode
from tests.ingest.otlp.messages import decode_logs, json_logs, json_record, only, protobuf_logs

MIB = 1 << 20
FIELDS = {"time_unix_nano": 1, "body": ("string", "b")}


def message(tag: int, content: bytes) -> bytes:
    """A length-delimited field of up to 2²⁸ bytes: its length in five bytes, padded."""
    size = bytes((len(content) >> shift & 0x7F) | 0x80 for shift in range(0, 28, 7)) + b"\x00"
    return bytes([tag]) + size + content


def peak_of(work: Callable[[], Any]) -> int:
    """The most bytes that Python held at a time for this."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def protobuf_record(content: bytes) -> bytes:
    return message(0x0A, message(0x12, message(0x12, b"\x09" + bytes(7) + b"\x01" + content)))


def attribute_of(value: bytes) -> bytes:
    return message(0x32, b"\x0a\x01k" + message(0x12, value))


def metric_of(data: bytes) -> bytes:
    return message(0x0A, message(0x12, message(0x12, b"\x0a\x01m" + data)))


LOW = Limits(records=500, envelope_fields=3_000, record_elements=1_000)
"""So that a flood is refused early, and a test that builds it all shows."""

AROUND = {
    "protobuf-resources": ("protobuf", b"\x0a\x00" * 500_000),
    "protobuf-scopes": ("protobuf", message(0x0A, b"\x12\x00" * 500_000)),
    "protobuf-resource-twice": ("protobuf", message(0x0A, b"\x0a\x00" * 500_000)),
    "protobuf-scope-twice": ("protobuf", message(0x0A, message(0x12, b"\x0a\x00" * 500_000))),
    "protobuf-unknown": ("protobuf", b"\x0a\x00" + b"\x78\x01" * 500_000),
    "json-resources": ("json", b'{"resourceLogs":[' + b"{}," * 499_999 + b"{}]}"),
    "json-scopes": ("json", b'{"resourceLogs":[{"scopeLogs":[' + b"{}," * 499_999 + b"{}]}]}"),
    "json-members": ("json", b'{"resourceLogs":[{' + b'"a":1,' * 499_999 + b'"a":1}]}'),
}


@pytest.mark.parametrize(("encoding", "body"), AROUND.values(), ids=AROUND)
def test_it_refuses_a_flood_of_envelopes_without_building_them(encoding: str, body: bytes) -> None:
    def refuse() -> None:
        with pytest.raises(TooLarge, match="more than 3000 fields around the records"):
            decode_logs(body, encoding, LOW)

    assert peak_of(refuse) < 2 * MIB


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_refuses_half_a_million_empty_resources_by_default(encoding: str) -> None:
    with pytest.raises(TooLarge, match="more than 300000 fields around the records"):
        decode_logs(AROUND[f"{encoding}-resources"][1], encoding)


RECORDS = {
    "protobuf-logs": ("logs", "protobuf", message(0x0A, message(0x12, b"\x12\x00" * 500_000))),
    "protobuf-traces": ("traces", "protobuf", message(0x0A, message(0x12, b"\x12\x00" * 500_000))),
    "protobuf-points": ("metrics", "protobuf", metric_of(message(0x3A, b"\x0a\x00" * 500_000))),
    "json-logs": ("logs", "json", b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * 500_000),
    "json-traces": ("traces", "json", b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 500_000),
    "json-points": (
        "metrics",
        "json",
        b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{"dataPoints":[' + b"{}," * 500_000 + b"{}]}}]}]}]}",
    ),
}


@pytest.mark.parametrize(("signal", "encoding", "body"), RECORDS.values(), ids=RECORDS)
def test_it_refuses_a_flood_of_records_without_building_them(signal: Any, encoding: Any, body: bytes) -> None:
    def refuse() -> None:
        with pytest.raises(TooLarge, match="more than 500 records"):
            decode(signal, encoding, body, LOW)

    assert peak_of(refuse) < 2 * MIB + len(body)  # a metric's points are cut out of a copy of the metric


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize(("count", "refused"), [(50_000, False), (50_001, True)])
def test_it_takes_50000_records_and_no_more(encoding: str, count: int, refused: bool) -> None:
    records = [FIELDS] * count
    body = (
        json_logs(*map(b'{"timeUnixNano":"%d"}'.__mod__, range(count)))
        if encoding == "json"
        else protobuf_logs(*records)
    )
    if refused:
        with pytest.raises(TooLarge, match="more than 50000 records"):
            decode_logs(body)
    else:
        assert len(decode_logs(body).records) == decode_logs(body).total == count


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_takes_a_large_request_of_many_resources(encoding: str) -> None:
    one = protobuf_logs(FIELDS) if encoding == "protobuf" else json_logs(json_record(**FIELDS))
    body = one * 20_000 if encoding == "protobuf" else b'{"resourceLogs":[%b]}' % b",".join([one[17:-2]] * 20_000)
    assert decode_logs(body).total == 20_000


HEAVY = {
    "protobuf-attributes": ("protobuf", protobuf_record(b"\x32\x00" * 500_000)),
    "protobuf-array": ("protobuf", protobuf_record(attribute_of(message(0x2A, b"\x0a\x00" * 500_000)))),
    "protobuf-map": ("protobuf", protobuf_record(attribute_of(message(0x32, b"\x0a\x00" * 500_000)))),
    "protobuf-body": ("protobuf", protobuf_record(message(0x2A, message(0x2A, b"\x0a\x00" * 500_000)))),
    "protobuf-bodies": ("protobuf", protobuf_record(b"\x2a\x00" * 500_000)),
    "protobuf-unknown": ("protobuf", protobuf_record(b"\x78\x00" * 500_000)),
    "json-attributes": ("json", json_logs(b'{"attributes":[' + b"{}," * 500_000 + b"{}]}")),
    "json-array": ("json", json_logs(b'{"body":{"arrayValue":{"values":[' + b"{}," * 500_000 + b"{}]}}}")),
    "json-numbers": ("json", json_logs(b'{"body":{"arrayValue":{"values":[' + b"9," * 500_000 + b"9]}}}")),
    "json-members": ("json", json_logs(b"{" + b'"a":1,' * 500_000 + b'"b":1}')),
}


@pytest.mark.parametrize(("encoding", "body"), HEAVY.values(), ids=HEAVY)
def test_it_refuses_a_record_of_too_many_elements_without_building_them(encoding: str, body: bytes) -> None:
    exports: list[Export] = []
    peak = peak_of(lambda: exports.append(decode_logs(body, encoding, LOW)))
    (unusable,) = exports[0].unusable
    assert unusable.reason == "a record holds more than 1000 attributes and values"
    assert peak < 5 * len(body)  # copies: the record, and the request in which it is quarantined


def test_it_refuses_a_resource_of_too_many_elements() -> None:
    record = protobuf_record(b"")[6:]
    body = message(0x0A, message(0x0A, b"\x0a\x00" * 1_000_000) + record)
    (unusable,) = decode_logs(body, "protobuf").unusable
    assert unusable.reason == "a record holds more than 50000 attributes and values"


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_refuses_a_request_of_too_many_elements(encoding: str) -> None:
    fields = {"attributes": [(f"k{number}", ("bool", True)) for number in range(100)]}
    body = json_logs(*[json_record(**fields)] * 11) if encoding == "json" else protobuf_logs(*[fields] * 11)
    assert decode_logs(body, limits=Limits(elements=1100)).total == 11
    with pytest.raises(TooLarge, match="more than 1099 attributes and values in one request"):
        decode_logs(body, limits=Limits(elements=1099))


def test_it_does_not_count_what_lies_inside_texts() -> None:
    text = '{"a":[1,2,{"b":3}],' * 60_000
    record = only(decode_logs(json_logs(json_record(**FIELDS, attributes=[("k", ("string", text + "\0"))]))))
    assert record.attributes == [("k", "string", text + "\0")]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_does_not_multiply_a_resource_by_its_unusable_records(encoding: str) -> None:
    resource = [("k", ("string", "r" * MIB))]
    bad = {**FIELDS, "span_id": "ab"}
    if encoding == "json":
        attributes = {"attributes": [{"key": "k", "value": {"stringValue": "r" * MIB}}]}
        body = json_logs(*[json_record(**bad)] * 70, resource=attributes)
    else:
        body = protobuf_logs(*[bad] * 70, resource=resource)
    with pytest.raises(TooLarge, match="too many records of this request cannot be kept"):
        decode_logs(body)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_reads_a_resource_once_for_many_scopes(encoding: str) -> None:
    if encoding == "protobuf":
        request = LogsData.FromString(protobuf_logs(FIELDS, resource=[("k", ("string", "v"))]))
        scopes = request.resource_logs[0].scope_logs
        scopes.extend([scopes[0]] * 99)
        body = request.SerializeToString()
    else:
        scope = b'{"logRecords":[{"timeUnixNano":1,"later":1}]}'
        attributes = b'{"attributes":[{"key":"k","value":{"stringValue":"v"}}]}'
        body = b'{"resourceLogs":[{"resource":%b,"scopeLogs":[%b]}]}' % (attributes, b",".join([scope] * 100))
    export = decode_logs(body)
    assert len(export.records) == 100
    assert len({id(record.emitter.resource) for record in export.records}) == 1


def test_it_refuses_a_request_with_too_much_depth_and_breadth() -> None:
    deep = b'{"later":' + b"[" * 30 + b"[]," * 600_000 + b"[]" + b"]" * 30 + b"}"
    with pytest.raises(TooLarge, match="too many values are nested deep"):
        decode_logs(json_logs(deep))


@pytest.mark.parametrize(
    ("field", "content"),
    [
        pytest.param("exponential_histogram", message(0x42, message(0x12, bytes(1_000_000))), id="buckets"),
        pytest.param("exponential_histogram", b"\x5a\x00" * 1_000_000, id="exemplars"),
        pytest.param("histogram", message(0x32, bytes(8_000_000)), id="explicit-buckets"),
        pytest.param("summary", b"\x32\x00" * 1_000_000, id="quantiles"),
    ],
)
def test_it_refuses_a_point_of_too_many_elements(field: str, content: bytes) -> None:
    tag = {"histogram": 0x4A, "exponential_histogram": 0x52, "summary": 0x5A}[field]
    body = metric_of(message(tag, message(0x0A, b"\x19" + bytes(7) + b"\x01" + content)))
    (unusable,) = decode("metrics", "protobuf", body, Limits()).unusable
    assert unusable.reason == "a record holds more than 50000 attributes and values"


def test_it_bounds_the_metrics_of_a_request() -> None:
    request = MetricsData()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    for _ in range(100):
        metrics.add(name="m").sum.data_points.add(as_int=1)
    body = request.SerializeToString()
    assert decode("metrics", "protobuf", body, Limits()).total == 100
    with pytest.raises(TooLarge, match="more than 300 fields around"):
        decode("metrics", "protobuf", body, Limits(envelope_fields=300))


def test_it_counts_the_buckets_of_all_points() -> None:
    request = MetricsData()
    points = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m").exponential_histogram.data_points
    for _ in range(10):
        points.add(time_unix_nano=1).positive.bucket_counts.extend([1] * 50)
    body = request.SerializeToString()
    in_json = b'{"timeUnixNano":1,"positive":{"bucketCounts":[' + b",".join([b"1"] * 50) + b"]}}"
    around = b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"exponentialHistogram":{"dataPoints":[%b]}}]}]}]}'
    json_body = around % b",".join([in_json] * 10)
    for encoding, request_body in (("protobuf", body), ("json", json_body)):
        assert decode("metrics", encoding, request_body, Limits(elements=500)).total == 10  # type: ignore[arg-type]
        with pytest.raises(TooLarge, match="more than 499 attributes and values"):
            decode("metrics", encoding, request_body, Limits(elements=499))  # type: ignore[arg-type]
