"""Gathers what a decoder makes of a request's records, so that one bad record costs no other."""

from typing import Generic, TypeVar

from ingest.otlp.limits import Budget, Malformed, RecordRefused, Unreadable
from ingest.otlp.records import Export, LogRecord, MetricPoint, Unusable

R = TypeVar("R", LogRecord, MetricPoint)


class Harvest(Generic[R]):
    """Records kept and records refused, in order."""

    def __init__(self, budget: Budget) -> None:
        self.kept: list[R] = []
        self._budget = budget
        self._refused: list[Unusable] = []
        self._readable = False

    def refuse(self, why: RecordRefused, request: bytes) -> None:
        """`request` is the record as an export request of its own."""
        self._budget.quarantine(len(request))
        self._refused.append(Unusable(str(why), request))
        self._readable |= not isinstance(why, Unreadable)

    def export(self) -> Export:
        """Raises Malformed where there were records and none of them says anything: that was some other message."""
        if self._budget.records and not (self._readable or any(map(_speaks, self.kept))):
            raise Malformed("no record of this request has a time, a body or an attribute")
        return Export(self.kept, self._refused, self._budget.records)


def _speaks(record: LogRecord | MetricPoint) -> bool:
    if isinstance(record, LogRecord):
        return bool(record.time_unix_nano or record.observed_time_unix_nano or record.body or record.attributes)
    return bool(record.time_unix_nano or record.attributes or record.value is not None or record.data)
