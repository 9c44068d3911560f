"""An unusable record is an export request of its own, with the bytes as sent."""

import json
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from ingest.otlp import Limits, decode, wire
from tests.ingest.otlp.messages import decode_logs, json_record, nested, protobuf_logs

BAD = {"time_unix_nano": 2, "attributes": [("k", nested(40))]}
GOOD = {"time_unix_nano": 1, "body": ("string", "b")}


def test_it_cuts_out_a_protobuf_record_with_its_resource_and_scope() -> None:
    request = LogsData.FromString(protobuf_logs(GOOD, BAD, GOOD, resource=[("r", ("string", "v"))], scope_name="s"))
    request.resource_logs[0].schema_url = "https://r"
    request.resource_logs[0].scope_logs[0].schema_url = "https://s"
    (unusable,) = decode_logs(request.SerializeToString(), "protobuf").unusable
    del request.resource_logs[0].scope_logs[0].log_records[2]
    del request.resource_logs[0].scope_logs[0].log_records[0]
    assert LogsData.FromString(unusable.request) == request
    assert decode_logs(unusable.request, "protobuf").unusable == [unusable]


def test_it_keeps_unknown_fields_and_broken_text_of_a_protobuf_record() -> None:
    bad = protobuf_logs(BAD | {"severity_text": "BAD"}).replace(b"BAD", b"\xff\xfe\xfd")
    unknown = wire.wrap(1, bad[3:] + b"\x7a\x03abc")  # after the tag and two bytes of length
    (unusable,) = decode_logs(unknown, "protobuf").unusable
    assert b"\xff\xfe\xfd" in unusable.request
    assert b"\x7a\x03abc" in unusable.request
    assert decode_logs(unusable.request, "protobuf").unusable == [unusable]


def test_it_reads_the_record_once_it_can() -> None:
    (unusable,) = decode_logs(protobuf_logs(GOOD, BAD), "protobuf").unusable
    (record,) = decode_logs(unusable.request, "protobuf", Limits(nesting=48)).records
    assert record.time_unix_nano == 2  # type: ignore[union-attr]


def test_it_cuts_out_a_json_record_with_its_resource_and_scope() -> None:
    good = json.dumps(json_record(**GOOD)).encode()
    bad = b'{"traceId" : "xyz", "later":1.50,"body":{"stringValue":"\\ud800 \xff"}}'
    scope = b'"later":[ 1 ],"scope":{"name":"s"},"schemaUrl":"u"'
    resource = b'"resource":{"attributes":[]},"x":{}'
    body = b'{"y":1,"resourceLogs":[{"scopeLogs":[{"logRecords":[%b,%b],%b}],%b}]}' % (good, bad, scope, resource)
    (unusable,) = decode_logs(body).unusable
    assert unusable.request == b'{"resourceLogs":[{%b,"scopeLogs":[{%b,"logRecords":[%b]}]}]}' % (resource, scope, bad)
    assert decode_logs(unusable.request).unusable == [unusable]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_it_cuts_out_a_point_with_its_metric(encoding: Any) -> None:
    request = MetricsData()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="r").value.string_value = "v"
    metric = resource.scope_metrics.add().metrics.add(name="m", unit="u")
    metric.sum.aggregation_temporality = 1
    metric.sum.is_monotonic = True
    points = metric.sum.data_points
    points.add(as_int=1)
    points.add(as_int=2).attributes.add(key="k").value.string_value = "BROKEN"
    if encoding == "protobuf":
        body = request.SerializeToString().replace(b"\x06BROKEN", b"\x7fBROKEN")
    else:
        data = {"dataPoints": [{"asInt": "1"}, {"asInt": "x"}], "isMonotonic": True, "aggregationTemporality": 1}
        body = json.dumps(
            {
                "resourceMetrics": [
                    {"resource": {}, "scopeMetrics": [{"metrics": [{"name": "m", "sum": data, "unit": "u"}]}]}
                ]
            }
        ).encode()
    (unusable,) = decode("metrics", encoding, body, Limits()).unusable
    if encoding == "protobuf":
        del points[0]
        repaired = unusable.request.replace(b"\x7fBROKEN", b"\x06BROKEN")
        assert MetricsData.FromString(repaired) == request
    else:
        (kept,) = decode("metrics", "json", unusable.request.replace(b'"x"', b'"7"'), Limits()).records
        assert (kept.name, kept.unit, kept.value, kept.monotonic, kept.temporality) == ("m", "u", 7, True, "delta")  # type: ignore[union-attr]
