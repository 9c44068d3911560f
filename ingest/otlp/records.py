"""What an export request holds, in one neutral shape for both encodings: pure values, ready for JSON.

Types of an attribute's value: `string` (str), `bool`, `int` (within int64), `double` (float; "NaN", "Infinity" and
"-Infinity" as text), `bytes` (base64), `array` (list of [type, value]), `map` (list of [key, type, value]),
`null` (None) and `invalid_utf8` (base64 of the bytes as sent; a lone surrogate as the three bytes UTF-8 would give it).

Flags say what the decoder noticed and kept:

    nul            a U+0000 somewhere in a text
    nan            a number that is not one, or infinite
    invalid_utf8   a text that is not UTF-8 (a key or field is then kept with U+FFFD in the bad places)
    surrogate      JSON text with a lone surrogate escape
    duplicate_key  the same key twice in one list of attributes, or in one JSON object (there the last holds)
    lenient        only the forgiving reader could read it
    bucket_mismatch  a histogram whose counts do not fit its bounds
"""

from dataclasses import dataclass
from typing import Any

Attribute = tuple[str, str, Any]
"""(key, type, value)"""


@dataclass(frozen=True, slots=True)
class Emitter:
    """One resource and scope, shared by the records that came under them."""

    resource: tuple[Attribute, ...] = ()
    scope: tuple[Attribute, ...] = ()
    scope_name: str = ""
    scope_version: str = ""
    resource_schema_url: str = ""
    scope_schema_url: str = ""
    resource_dropped: int = 0
    scope_dropped: int = 0
    flags: frozenset[str] = frozenset()


@dataclass(slots=True)
class LogRecord:
    """One log record. Ids are lower-case hex, "" where absent; a time of 0 was not given.

    Times are what the sender wrote: up to 2⁶⁴−1, and from JSON also negative.
    """

    emitter: Emitter
    time_unix_nano: int
    observed_time_unix_nano: int
    severity_number: int
    severity_text: str
    event_name: str
    body: tuple[str, Any] | None
    attributes: list[Attribute]
    dropped_attributes_count: int
    trace_flags: int
    trace_id: str
    span_id: str
    flags: tuple[str, ...]


@dataclass(slots=True)
class MetricPoint:
    """One data point with the name of its metric.

    `instrument` is sum, gauge, histogram, exponential_histogram or summary; `temporality` delta, cumulative or None.
    `value` is a sum's or gauge's number ("NaN" and the infinities as text); what other instruments hold is in `data`:
    count, sum, min, max, bounds, bucket_counts, scale, zero_count, zero_threshold, positive, negative, quantiles;
    for all: exemplars (how many), flags (the point's, where not 0).
    """

    emitter: Emitter
    name: str
    unit: str
    description: str
    instrument: str
    temporality: str | None
    monotonic: bool | None
    start_time_unix_nano: int
    time_unix_nano: int
    value: int | float | str | None
    data: dict[str, Any]
    attributes: list[Attribute]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """One record or point that cannot be kept, while the rest of its request can.

    `request` is an export request of its own in the sender's encoding, holding this record under its resource and
    scope with the bytes as sent, so that it can be decoded again by a later version.
    """

    reason: str
    request: bytes


@dataclass(slots=True)
class Export:
    """A decoded request. `total` counts the records, points or spans in it, unusable ones included."""

    records: list[LogRecord] | list[MetricPoint]
    unusable: list[Unusable]
    total: int
