"""Plain points of sums and gauges in OTLP/JSON; see json_plain.py."""

from dataclasses import replace

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ingest.otlp.json_plain import IRREGULAR, KeyValue, PlainValues, may_be_plain
from ingest.otlp.limits import Budget
from ingest.otlp.records import MetricPoint
from ingest.otlp.values import in_order, repeats


class Point(Struct, gc=False):
    attributes: list[KeyValue] | UnsetType = UNSET
    startTimeUnixNano: int | str | UnsetType = UNSET
    timeUnixNano: int | str | UnsetType = UNSET
    asDouble: float | UnsetType = UNSET
    asInt: int | str | UnsetType = UNSET


_decode = msgspec.json.Decoder(Point).decode


class PlainPoints:
    """Reads plain points; None is the answer to others."""

    def __init__(self, budget: Budget) -> None:
        self._values = PlainValues(budget)

    def read(self, head: MetricPoint, raw: bytes) -> MetricPoint | None:
        if not may_be_plain(raw):
            return None
        try:
            self._values.quotes = 0
            point = self._point(head, _decode(raw))
        except IRREGULAR:
            return None
        return point if self._values.account_for(raw, (point,)) else None

    def _point(self, head: MetricPoint, point: Point) -> MetricPoint:
        values = self._values
        attributes = values.attributes(point.attributes)
        start, time = point.startTimeUnixNano, point.timeUnixNano
        return replace(
            head,
            start_time_unix_nano=0 if start is UNSET else values.integer(start),
            time_unix_nano=0 if time is UNSET else values.integer(time),
            value=self._value(point),
            data={},
            attributes=attributes,
            flags=in_order({*head.flags, "duplicate_key"}) if repeats(attributes) else head.flags,
        )

    def _value(self, point: Point) -> float | int | None:
        """A second value is not accounted for, which makes the point one for the thorough reader."""
        if point.asDouble is not UNSET:
            self._values.quotes += 2
            return point.asDouble
        return None if point.asInt is UNSET else self._values.integer(point.asInt)
