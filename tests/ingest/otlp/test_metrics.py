"""Every instrument in both encodings, and points that are not as they should be."""

import json
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, MetricsData

from ingest.otlp import Export, Limits, MetricPoint, decode
from tests.ingest.otlp.messages import fill_pairs, json_pairs

ATTRIBUTES = [("k", ("string", "v")), ("n", ("int", 300)), ("d", ("double", 0.5)), ("a", ("array", [("bool", True)]))]
KEPT = [("k", "string", "v"), ("n", "int", 300), ("d", "double", 0.5), ("a", "array", [["bool", True]])]


def protobuf(field: str, *points: dict[str, Any], **own: Any) -> bytes:
    request = MetricsData()
    scope = request.resource_metrics.add().scope_metrics.add()
    scope.scope.name = "s"
    metric = scope.metrics.add(name="m", unit="u", description="d")
    data = getattr(metric, field)
    data.SetInParent()
    for name, value in own.items():
        setattr(data, name, value)
    for fields in points:
        point = data.data_points.add()
        fill_pairs(point.attributes, fields.pop("attributes", ATTRIBUTES))
        for name, value in fields.items():
            write(point, name, value)
    return request.SerializeToString()


def write(message: Any, name: str, value: Any) -> None:
    if isinstance(value, dict):
        for inner, content in value.items():
            write(getattr(message, name), inner, content)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            getattr(message, name).add(**item)
    elif isinstance(value, list):
        getattr(message, name).extend(value)
    else:
        setattr(message, name, value)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def in_json(value: Any) -> Any:
    """A description in JSON's names; 64-bit integers of points as text, as exporters write them."""
    if isinstance(value, dict):
        return {camel(name): in_json(content) for name, content in value.items()}
    if isinstance(value, list):
        return [in_json(item) for item in value]
    return str(value) if type(value) is int and value > 2**31 else value


def json_metrics(field: str, *points: dict[str, Any], **own: Any) -> bytes:
    written = [
        {**in_json({k: v for k, v in fields.items() if k != "attributes"}), "attributes": json_pairs(ATTRIBUTES)}
        for fields in points
    ]
    metric = {"name": "m", "unit": "u", "description": "d", camel(field): {"dataPoints": written, **in_json(own)}}
    scope = {"scope": {"name": "s"}, "metrics": [metric]}
    return json.dumps({"resourceMetrics": [{"resource": {}, "scopeMetrics": [scope]}]}).encode()


def decoded(body: bytes) -> Export:
    return decode("metrics", "json" if body.startswith(b"{") else "protobuf", body, Limits())


def both(field: str, point: dict[str, Any], **own: Any) -> MetricPoint:
    """The point as both encodings give it."""
    exports = [decoded(json_metrics(field, dict(point), **own)), decoded(protobuf(field, dict(point), **own))]
    assert exports[0] == exports[1]
    (kept,) = exports[0].records
    assert isinstance(kept, MetricPoint)
    return kept


TIMES = {"start_time_unix_nano": 10**18, "time_unix_nano": 2 * 10**18}


def test_it_reads_a_sum() -> None:
    point = both("sum", TIMES | {"as_double": 2.5}, aggregation_temporality=1, is_monotonic=True)
    assert (point.name, point.unit, point.description, point.instrument) == ("m", "u", "d", "sum")
    assert (point.temporality, point.monotonic, point.value, point.data) == ("delta", True, 2.5, {})
    assert (point.start_time_unix_nano, point.time_unix_nano) == (10**18, 2 * 10**18)
    assert (point.attributes, point.flags, point.emitter.scope_name) == (KEPT, (), "s")


def test_it_reads_a_cumulative_sum_that_may_fall() -> None:
    point = both("sum", TIMES | {"as_int": -5}, aggregation_temporality=2, is_monotonic=False)
    assert (point.temporality, point.monotonic, point.value) == ("cumulative", False, -5)
    assert type(point.value) is int


def test_it_reads_a_gauge() -> None:
    point = both("gauge", TIMES | {"as_int": 2**62, "flags": 1})
    assert (point.instrument, point.temporality, point.monotonic) == ("gauge", None, None)
    assert (point.value, point.data) == (2**62, {"flags": 1})


def test_it_keeps_a_point_without_a_value() -> None:
    assert both("gauge", TIMES).value is None


def test_it_reads_a_histogram() -> None:
    fields = {"count": 6, "sum": 7.5, "min": 0.5, "max": 4.0, "explicit_bounds": [1.0, 2.0], "bucket_counts": [1, 2, 3]}
    point = both("histogram", TIMES | fields, aggregation_temporality=2)
    assert (point.instrument, point.temporality, point.value, point.flags) == ("histogram", "cumulative", None, ())
    assert point.data == {
        "count": 6,
        "sum": 7.5,
        "min": 0.5,
        "max": 4.0,
        "bounds": [1.0, 2.0],
        "bucket_counts": [1, 2, 3],
    }


def test_it_reads_an_exponential_histogram() -> None:
    positive = {"offset": -3, "bucket_counts": [1, 2]}
    fields = {"count": 4, "scale": 2, "zero_count": 1, "zero_threshold": 0.25, "positive": positive}
    point = both("exponential_histogram", TIMES | fields, aggregation_temporality=1)
    assert point.instrument == "exponential_histogram"
    assert point.data == fields


def test_it_reads_a_summary() -> None:
    fields = {
        "count": 4,
        "sum": 9.0,
        "quantile_values": [{"quantile": 0.5, "value": 2.0}, {"quantile": 1.0, "value": 4.0}],
    }
    point = both("summary", TIMES | fields)
    assert (point.instrument, point.temporality) == ("summary", None)
    assert point.data == {"count": 4, "sum": 9.0, "quantiles": [[0.5, 2.0], [1.0, 4.0]]}


@pytest.mark.parametrize("count", [1, 10_000])
def test_it_counts_exemplars(count: int) -> None:
    point = both("sum", TIMES | {"as_int": 1, "exemplars": [{"as_double": 1.0, "time_unix_nano": 5}] * count})
    assert point.data == {"exemplars": count}


@pytest.mark.parametrize("counts", [[1], [1, 2], [1, 2, 3, 4]])
def test_it_keeps_and_flags_buckets_that_do_not_fit_their_bounds(counts: list[int]) -> None:
    point = both("histogram", TIMES | {"count": 9, "explicit_bounds": [1.0, 2.0], "bucket_counts": counts})
    assert (point.flags, point.data["bucket_counts"]) == (("bucket_mismatch",), counts)


def test_it_takes_a_histogram_without_buckets_as_it_is() -> None:
    point = both("histogram", TIMES | {"count": 9, "sum": 3.0})
    assert (point.flags, point.data) == ((), {"count": 9, "sum": 3.0, "bounds": [], "bucket_counts": []})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_it_keeps_values_that_are_no_numbers(value: float) -> None:
    name = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    for body in (protobuf("sum", {"as_double": value}), json_metrics("sum", {"as_double": name})):
        (point,) = decoded(body).records
        assert isinstance(point, MetricPoint)
        assert (point.value, point.flags) == (name, ("nan",))


def test_it_flags_what_is_odd_in_names_and_attributes() -> None:
    body = protobuf("sum", {"as_int": 1, "attributes": [("k", ("string", "BAD"))]}, {"as_int": 2})
    first, second = decoded(body.replace(b"BAD", b"\xff\0!")).records
    assert (first.flags, second.flags) == (("invalid_utf8", "lenient"), ())
    named = decoded(protobuf("sum", {"as_int": 1}, {"as_int": 2}).replace(b"\x0a\x01m", b"\x0a\x01\xff")).records
    assert [(point.name, point.flags) for point in named] == [("�", ("invalid_utf8", "lenient"))] * 2  # type: ignore[union-attr]
    doubled = decoded(protobuf("gauge", {"as_int": 1, "attributes": ATTRIBUTES[:1] * 2})).records
    assert [point.flags for point in doubled] == [("duplicate_key",)]


@pytest.mark.parametrize(
    ("metric", "reasons"),
    [
        pytest.param({"sum": {"dataPoints": [{"asInt": "x"}]}}, ["asInt is not an integer"], id="no-number"),
        pytest.param({"sum": {"dataPoints": [{"asInt": 1, "asDouble": 1}]}}, ["a point states two values"], id="two"),
        pytest.param(
            {"gauge": {"dataPoints": [{"asDouble": True}]}}, ["asDouble is not a number, or out of range"], id="bool"
        ),
        pytest.param(
            {"gauge": {"dataPoints": [{"timeUnixNano": "now"}]}}, ["timeUnixNano is not an integer"], id="time"
        ),
        pytest.param(
            {"sum": {"aggregationTemporality": "DELTA", "dataPoints": [{"asInt": 1}, {"asInt": 2}]}},
            ["aggregationTemporality is not an integer"] * 2,
            id="enum-name",
        ),
        pytest.param({"name": 5, "sum": {"dataPoints": [{"asInt": 1}]}}, ["name has the wrong JSON type"], id="name"),
        pytest.param({"histogram": {"dataPoints": [{"count": -1}]}}, ["count is out of range"], id="negative-count"),
        pytest.param(
            {"histogram": {"dataPoints": [{"bucketCounts": ["a"]}]}}, ["bucketCounts is not an integer"], id="count"
        ),
        pytest.param(
            {"summary": {"dataPoints": [{"quantileValues": [1]}]}}, ["a quantile is not an object"], id="quantile"
        ),
        pytest.param(
            {"exponentialHistogram": {"dataPoints": [{"scale": 2**31}]}}, ["scale is out of range"], id="scale"
        ),
        pytest.param({"sum": {"dataPoints": [5]}}, ["a point is not an object"], id="no-object"),
    ],
)
def test_it_refuses_a_point_and_keeps_its_neighbours(metric: dict[str, Any], reasons: list[str]) -> None:
    good = {"name": "good", "sum": {"dataPoints": [{"asInt": 1}]}}
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [good, metric, good]}]}]}
    export = decoded(json.dumps(body).encode())
    assert [unusable.reason for unusable in export.unusable] == reasons
    assert (len(export.records), export.total) == (2, 2 + len(reasons))


@pytest.mark.parametrize(
    "metric",
    [
        pytest.param({"name": "m"}, id="no-data"),
        pytest.param({"name": "m", "sum": {}}, id="no-points"),
        pytest.param({"name": "m", "sum": None}, id="null"),
        pytest.param({"name": "m", "laterKind": {"dataPoints": [{"asInt": 1}]}}, id="unknown-instrument"),
    ],
)
def test_it_finds_nothing_in_a_metric_without_points(metric: dict[str, Any]) -> None:
    body = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).encode()
    assert decoded(body) == Export([], [], 0)


def test_it_finds_nothing_in_a_protobuf_metric_without_points() -> None:
    assert decoded(protobuf("sum")) == Export([], [], 0)
    bare = Metric(name="m").SerializeToString()
    body = b"\x0a" + bytes([len(bare) + 4]) + b"\x12" + bytes([len(bare) + 2]) + b"\x12" + bytes([len(bare)]) + bare
    assert decoded(body) == Export([], [], 0)


def test_it_refuses_a_broken_point_of_protobuf_and_keeps_its_neighbours() -> None:
    body = protobuf("sum", {"as_int": 1}, {"as_int": 2, "attributes": [("k", ("string", "BROKEN"))]}, {"as_int": 3})
    export = decoded(body.replace(b"\x06BROKEN", b"\x7fBROKEN"))
    assert [point.value for point in export.records if isinstance(point, MetricPoint)] == [1, 3]
    assert [unusable.reason for unusable in export.unusable] == ["a value is not a protobuf message"]
    assert export.total == 3


def test_it_refuses_every_point_of_a_resource_it_cannot_read() -> None:
    resource = {"attributes": [{"key": "k", "value": {"intValue": "no"}}]}
    points = {"name": "m", "sum": {"dataPoints": [{"asInt": 1}, {"asInt": 2}]}}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [points, points]}]}]}
    export = decoded(json.dumps(body).encode())
    assert [unusable.reason for unusable in export.unusable] == ["intValue is not an integer"] * 4
    assert export.total == 4
