"""Metric points out of an ExportMetricsServiceRequest in protobuf."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.metrics.v1 import metrics_pb2

from ingest.otlp import wire
from ingest.otlp.harvest import Harvest
from ingest.otlp.limits import Budget, Limits, RecordRefused, Unreadable
from ingest.otlp.points import INSTRUMENTS, TEMPORALITIES, Instrument, elements
from ingest.otlp.protobuf_envelope import Emitters
from ingest.otlp.protobuf_points import DATA, number_value
from ingest.otlp.protobuf_values import Attributes, ValueReader
from ingest.otlp.records import Emitter, Export, MetricPoint
from ingest.otlp.schema import LENIENT, STRICT, Parser, wire_types
from ingest.otlp.values import in_order, repeats
from ingest.otlp.weight import refuse_heavy

POINTS = 1  # the number of data_points in every instrument

_METRIC_WIRE_TYPES = wire_types(metrics_pb2.Metric.DESCRIPTOR)
_DESCRIPTORS = metrics_pb2.DESCRIPTOR.message_types_by_name
_BY_NUMBER = {instrument.number: instrument for instrument in INSTRUMENTS}
_strict, _lenient = STRICT.parse("metrics.v1.Metric"), LENIENT.parse("metrics.v1.Metric")
_parse_series = {name: STRICT.parse(f"metrics.v1.{name}") for name in {_.message for _ in INSTRUMENTS}}
_parse_point = {name: STRICT.parse(f"metrics.v1.{name}") for name in {_.point for _ in INSTRUMENTS}}


@dataclass(slots=True)
class Series:
    """One instrument's points, and the bytes of all fields around them."""

    metric: bytes
    instrument: Instrument
    own: bytes
    points: list[bytes]


def decode_metrics(body: bytes, limits: Limits) -> Export:
    """Every data point of the request. Raises Malformed, TooLarge."""
    budget = Budget(limits)
    attributes = Attributes(ValueReader(budget))
    emitters = Emitters(attributes, budget)
    harvest: Harvest[MetricPoint] = Harvest(budget)
    for group in wire.groups(body, budget, budget.envelope_field):
        try:
            reader = PointReader(emitters.read(group), attributes, budget)
        except RecordRefused as why:
            reader = PointReader(why, attributes, budget)
        for metric in group.elements:
            _read_metric(metric, group, reader, harvest, budget)
    return harvest.export()


def _read_metric(
    metric: bytes, group: wire.Group, reader: "PointReader", harvest: Harvest[MetricPoint], budget: Budget
) -> None:
    try:
        series = list(_series(metric, budget))
    except RecordRefused as why:
        harvest.refuse(why, group.request(metric))
        return
    for part in series:
        request = partial(_request, group, part)
        try:
            head = reader.head(part)
        except RecordRefused as why:
            harvest.refuse_all(why, part.points, request)
        else:
            harvest.each(part.points, partial(reader.point, head, part.instrument), request)


def _request(group: wire.Group, series: Series, point: bytes) -> bytes:
    around = series.own + wire.wrap(POINTS, point)
    return group.request(series.metric + wire.wrap(series.instrument.number, around))


def _series(metric: bytes, budget: Budget) -> Iterator[Series]:
    """The metric's instruments; the schema allows one. Raises Unreadable."""
    own, instruments = [], []
    try:
        for number, wire_type, begin, start, end in wire.fields(metric, 0, len(metric)):
            budget.envelope_field()
            if wire_type not in _METRIC_WIRE_TYPES.get(number, (wire_type,)):
                raise Unreadable("a metric is some other message")
            if number in _BY_NUMBER:
                instruments.append((_BY_NUMBER[number], start, end))
            else:
                own.append(metric[begin:end])
        for instrument, start, end in instruments:
            around, points = wire.split(metric, start, end, POINTS, budget, budget.record)
            yield Series(b"".join(own), instrument, around, [metric[at:until] for at, until in points])
    except wire.WireError as exc:
        raise Unreadable("a metric is not a protobuf message") from exc


class PointReader:
    """Reads the points of one group; where its emitter cannot be read, no point can."""

    def __init__(self, source: Emitter | RecordRefused, attributes: Attributes, budget: Budget) -> None:
        self._source = source
        self._attributes = attributes
        self._values = attributes.reader
        self._budget = budget

    def head(self, series: Series) -> MetricPoint:
        """A point with all that the points of a series have in common. Raises RecordRefused."""
        if isinstance(self._source, RecordRefused):
            raise self._source.again()
        flags: set[str] = set()
        try:
            metric = _strict(series.metric)
        except DecodeError:
            metric = _parse(_lenient, series.metric)
            flags.add("lenient")
        data = _parse(_parse_series[series.instrument.message], series.own)
        has_temporality = series.instrument.message not in ("Gauge", "Summary")
        return MetricPoint(
            emitter=self._source,
            name=self._values.text(metric.name, flags),
            unit=self._values.text(metric.unit, flags),
            description=self._values.text(metric.description, flags),
            instrument=series.instrument.name,
            temporality=TEMPORALITIES.get(data.aggregation_temporality) if has_temporality else None,
            monotonic=data.is_monotonic if series.instrument.message == "Sum" else None,
            start_time_unix_nano=0,
            time_unix_nano=0,
            value=None,
            data={},
            attributes=[],
            flags=in_order(flags),
        )

    def point(self, head: MetricPoint, instrument: Instrument, raw: bytes) -> MetricPoint:
        """One point. Raises RecordRefused; TooLarge when it passes a limit of the request."""
        refuse_heavy(raw, _DESCRIPTORS[instrument.point], self._budget.limits)
        message = _parse(_parse_point[instrument.point], raw)
        attributes = [self._attributes[pair] for pair in message.attributes]
        self._budget.elements(len(attributes))
        flags = {*head.flags, *self._attributes.flags(message.attributes)}
        if repeats(attributes):
            flags.add("duplicate_key")
        data = DATA[instrument.point](message, flags)
        self._budget.elements(elements(data))
        if instrument.point != "SummaryDataPoint" and message.exemplars:
            data["exemplars"] = len(message.exemplars)
        if message.flags:
            data["flags"] = message.flags
        return replace(
            head,
            start_time_unix_nano=message.start_time_unix_nano,
            time_unix_nano=message.time_unix_nano,
            value=number_value(message, flags) if instrument.point == "NumberDataPoint" else None,
            data=data,
            attributes=attributes,
            flags=in_order(flags),
        )


def _parse(parse: Parser, raw: bytes) -> Any:
    try:
        return parse(raw)
    except DecodeError as exc:
        raise Unreadable("a metric or point is not a protobuf message") from exc
