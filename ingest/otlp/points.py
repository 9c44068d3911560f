"""What both encodings share about metric points."""

from collections.abc import Sequence
from typing import Any, NamedTuple

TEMPORALITIES = {1: "delta", 2: "cumulative"}


class Instrument(NamedTuple):
    """One kind of metric: its field's number and names, its message, and the message of its points."""

    number: int
    name: str
    json_name: str
    message: str
    point: str


INSTRUMENTS = (
    Instrument(5, "gauge", "gauge", "Gauge", "NumberDataPoint"),
    Instrument(7, "sum", "sum", "Sum", "NumberDataPoint"),
    Instrument(9, "histogram", "histogram", "Histogram", "HistogramDataPoint"),
    Instrument(
        10, "exponential_histogram", "exponentialHistogram", "ExponentialHistogram", "ExponentialHistogramDataPoint"
    ),
    Instrument(11, "summary", "summary", "Summary", "SummaryDataPoint"),
)


def bucket_flags(bounds: Sequence[Any], counts: Sequence[Any]) -> set[str]:
    """A histogram has one more bucket than bounds between them, or no buckets at all."""
    return set() if not (bounds or counts) or len(counts) == len(bounds) + 1 else {"bucket_mismatch"}


def elements(data: dict[str, Any]) -> int:
    """How many numbers a point's lists hold."""
    return sum(
        len(value) if isinstance(value, list) else elements(value)
        for value in data.values()
        if isinstance(value, list | dict)
    )
