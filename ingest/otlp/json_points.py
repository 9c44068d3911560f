"""What the points of each instrument hold, out of their JSON objects: see MetricPoint.data."""

from collections.abc import Callable
from typing import Any

from ingest.otlp.json_values import INT32, UINT64, integer, member, number
from ingest.otlp.limits import RecordRefused
from ingest.otlp.points import bucket_flags
from ingest.otlp.values import INT64

Data = dict[str, Any]


def number_value(tree: Data, flags: set[str]) -> float | int | str | None:
    """The value of a NumberDataPoint; None where it states none. Raises RecordRefused."""
    stated = [name for name in ("asDouble", "asInt") if tree.get(name) is not None]
    if len(stated) > 1:
        raise RecordRefused("a point states two values")
    if not stated:
        return None
    return number(tree, "asDouble", flags) if stated == ["asDouble"] else integer(tree, "asInt", INT64)


def histogram(tree: Data, flags: set[str]) -> Data:
    bounds, counts = _doubles(tree, "explicitBounds", flags), _counts(tree, "bucketCounts")
    flags |= bucket_flags(bounds, counts)
    return {"count": _count(tree), **_optional(tree, flags), "bounds": bounds, "bucket_counts": counts}


def exponential_histogram(tree: Data, flags: set[str]) -> Data:
    data = {"count": _count(tree), **_optional(tree, flags), "scale": integer(tree, "scale", INT32)}
    data |= {"zero_count": integer(tree, "zeroCount", UINT64), "zero_threshold": _double(tree, "zeroThreshold", flags)}
    for side in ("positive", "negative"):
        buckets = member(tree, side, dict, None)
        if buckets is not None:
            data[side] = {
                "offset": integer(buckets, "offset", INT32),
                "bucket_counts": _counts(buckets, "bucketCounts"),
            }
    return data


def summary(tree: Data, flags: set[str]) -> Data:
    quantiles = member(tree, "quantileValues", list, [])
    if not all(isinstance(quantile, dict) for quantile in quantiles):
        raise RecordRefused("a quantile is not an object")
    shown = [[_double(quantile, "quantile", flags), _double(quantile, "value", flags)] for quantile in quantiles]
    return {"count": _count(tree), "sum": _double(tree, "sum", flags), "quantiles": shown}


DATA: dict[str, Callable[[Data, set[str]], Data]] = {
    "NumberDataPoint": lambda tree, flags: {},
    "HistogramDataPoint": histogram,
    "ExponentialHistogramDataPoint": exponential_histogram,
    "SummaryDataPoint": summary,
}


def _count(tree: Data) -> int:
    return integer(tree, "count", UINT64)


def _counts(tree: Data, name: str) -> list[int]:
    return [integer({name: count}, name, UINT64) for count in member(tree, name, list, [])]


def _double(tree: Data, name: str, flags: set[str]) -> float | str:
    return 0.0 if tree.get(name) is None else number(tree, name, flags)


def _doubles(tree: Data, name: str, flags: set[str]) -> list[float | str]:
    return [number({name: bound}, name, flags) for bound in member(tree, name, list, [])]


def _optional(tree: Data, flags: set[str]) -> Data:
    return {name: number(tree, name, flags) for name in ("sum", "min", "max") if tree.get(name) is not None}
