"""What the points of each instrument hold, out of their protobuf messages: see MetricPoint.data."""

from collections.abc import Callable, Iterable
from typing import Any

from ingest.otlp.points import bucket_flags
from ingest.otlp.values import double

Data = dict[str, Any]


def number_value(message: Any, flags: set[str]) -> float | int | str | None:
    """The value of a NumberDataPoint; None where it states none."""
    kind = message.WhichOneof("value")
    return message.as_int if kind == "as_int" else _double(message.as_double, flags) if kind else None


def histogram(message: Any, flags: set[str]) -> Data:
    bounds, counts = _doubles(message.explicit_bounds, flags), list(message.bucket_counts)
    flags |= bucket_flags(bounds, counts)
    return {"count": message.count, **_optional(message, flags), "bounds": bounds, "bucket_counts": counts}


def exponential_histogram(message: Any, flags: set[str]) -> Data:
    data = {"count": message.count, **_optional(message, flags), "scale": message.scale}
    data |= {"zero_count": message.zero_count, "zero_threshold": _double(message.zero_threshold, flags)}
    for side in ("positive", "negative"):
        if message.HasField(side):
            buckets = getattr(message, side)
            data[side] = {"offset": buckets.offset, "bucket_counts": list(buckets.bucket_counts)}
    return data


def summary(message: Any, flags: set[str]) -> Data:
    quantiles = [[_double(_.quantile, flags), _double(_.value, flags)] for _ in message.quantile_values]
    return {"count": message.count, "sum": _double(message.sum, flags), "quantiles": quantiles}


DATA: dict[str, Callable[[Any, set[str]], Data]] = {
    "NumberDataPoint": lambda message, flags: {},
    "HistogramDataPoint": histogram,
    "ExponentialHistogramDataPoint": exponential_histogram,
    "SummaryDataPoint": summary,
}


def _optional(message: Any, flags: set[str]) -> Data:
    return {name: _double(getattr(message, name), flags) for name in ("sum", "min", "max") if message.HasField(name)}


def _doubles(numbers: Iterable[float], flags: set[str]) -> list[float | str]:
    return [_double(number, flags) for number in numbers]


def _double(number: float, flags: set[str]) -> float | str:
    shown = double(number)
    if isinstance(shown, str):
        flags.add("nan")
    return shown
