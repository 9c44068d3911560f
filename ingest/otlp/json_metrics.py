"""Metric points out of an ExportMetricsServiceRequest in JSON."""

from dataclasses import dataclass, replace
from functools import partial

from ingest.otlp.harvest import Harvest
from ingest.otlp.json_envelope import NAMES, Emitters, Group, Members, children, groups
from ingest.otlp.json_plain_points import PlainPoints
from ingest.otlp.json_points import DATA, number_value
from ingest.otlp.json_scan import NotJSON, Scanner
from ingest.otlp.json_tree import parse_tree
from ingest.otlp.json_values import INT32, TIME, UINT32, JSONValues, integer, member, text
from ingest.otlp.limits import Budget, Limits, RecordRefused, Unreadable
from ingest.otlp.points import INSTRUMENTS, TEMPORALITIES, Instrument, elements
from ingest.otlp.records import Emitter, Export, MetricPoint
from ingest.otlp.values import in_order

_BY_NAME = {instrument.json_name: instrument for instrument in INSTRUMENTS}


@dataclass(slots=True)
class Series:
    """One instrument's points as they were written, and the members of the objects around them."""

    metric: Members
    instrument: Instrument
    own: Members
    points: list[bytes]


def decode_metrics(body: bytes, limits: Limits) -> Export:
    """Every data point of the request. Raises Malformed, TooLarge."""
    budget = Budget(limits)
    emitters = Emitters(budget)
    harvest: Harvest[MetricPoint] = Harvest(budget)
    for group in groups(body, NAMES["metrics"], budget, budget.envelope_field):
        try:
            reader = PointReader(emitters.read(group), budget)
        except RecordRefused as why:
            reader = PointReader(why, budget)
        for metric in group.elements:
            _read_metric(metric, group, reader, harvest, budget)
    return harvest.export()


def _read_metric(
    metric: bytes, group: Group, reader: "PointReader", harvest: Harvest[MetricPoint], budget: Budget
) -> None:
    try:
        series = _series(metric, budget)
    except NotJSON:
        harvest.refuse(Unreadable("a metric is not a JSON object"), group.request(metric))
        return
    for part in series:
        request = partial(_request, group, part)
        try:
            head = reader.head(part)
        except RecordRefused as why:
            harvest.refuse_all(why, part.points, request)
        else:
            harvest.each(part.points, partial(reader.point, head, part.instrument), request)


def _request(group: Group, series: Series, point: bytes) -> bytes:
    opening = series.metric.opening(series.instrument.json_name) + series.own.opening("dataPoints") + b"["
    return group.request(opening, point, b"]}}")


def _series(metric: bytes, budget: Budget) -> list[Series]:
    """The metric's instruments; the schema allows one. Raises NotJSON."""
    scanner, members, found = Scanner(metric), Members(), []
    for name in scanner.members():
        budget.envelope_field()
        if name in _BY_NAME and scanner.peek() == b"{":
            own, points = Members(), []
            for _ in children(scanner, "dataPoints", own, budget):
                budget.record()
                points.append(scanner.skip())
            found.append(Series(members, _BY_NAME[name], own, points))
        else:
            members.add(name, scanner.skip())
    scanner.end()
    return found


class PointReader:
    """Reads the points of one group; where its emitter cannot be read, no point can."""

    def __init__(self, source: Emitter | RecordRefused, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._plain = PlainPoints(budget)

    def head(self, series: Series) -> MetricPoint:
        """A point with all that the points of a series have in common. Raises RecordRefused."""
        if isinstance(self._source, RecordRefused):
            raise self._source.again()
        flags = {"duplicate_key"} if series.metric.repeated or series.own.repeated else set()
        metric = series.metric.read(("name", "unit", "description"), self._budget, flags)
        own = series.own.read(("aggregationTemporality", "isMonotonic"), self._budget, flags)
        return MetricPoint(
            emitter=self._source,
            name=text(metric, "name", flags),
            unit=text(metric, "unit", flags),
            description=text(metric, "description", flags),
            instrument=series.instrument.name,
            temporality=TEMPORALITIES.get(integer(own, "aggregationTemporality", INT32)),
            monotonic=member(own, "isMonotonic", bool, False) if series.instrument.name == "sum" else None,
            start_time_unix_nano=0,
            time_unix_nano=0,
            value=None,
            data={},
            attributes=[],
            flags=in_order(flags),
        )

    def point(self, head: MetricPoint, instrument: Instrument, raw: bytes) -> MetricPoint:
        """One point. Raises RecordRefused; TooLarge when it passes a limit of the request."""
        if instrument.point == "NumberDataPoint" and (plain := self._plain.read(head, raw)):
            return plain
        values = JSONValues(self._budget)
        flags = values.flags
        flags.update(head.flags)
        tree = parse_tree(raw, self._budget.limits, flags)
        if not isinstance(tree, dict):
            raise Unreadable("a point is not an object")
        data = DATA[instrument.point](tree, flags)
        self._budget.elements(elements(data))
        exemplars = member(tree, "exemplars", list, [])
        if exemplars:
            data["exemplars"] = len(exemplars)
        if point_flags := integer(tree, "flags", UINT32):
            data["flags"] = point_flags
        return replace(
            head,
            start_time_unix_nano=integer(tree, "startTimeUnixNano", TIME),
            time_unix_nano=integer(tree, "timeUnixNano", TIME),
            value=number_value(tree, flags) if instrument.point == "NumberDataPoint" else None,
            data=data,
            attributes=values.attributes(tree),
            flags=in_order(flags),
        )
