"""Gathers what a decoder makes of a request's records, so that one bad record costs no other."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ingest.otlp.limits import Budget, Malformed, RecordRefused, Unreadable
from ingest.otlp.records import Export, LogRecord, MetricPoint, Unusable

R = TypeVar("R", LogRecord, MetricPoint)


class Harvest(Generic[R]):
    """Records kept and records refused, in order."""

    def __init__(self, budget: Budget, kept: list[R] | None = None) -> None:
        self.kept: list[R] = [] if kept is None else kept
        self._budget = budget
        self._refused: list[Unusable] = []
        self._readable = False

    def each(self, elements: Iterable[bytes], read: Callable[[bytes], R], request: Callable[[bytes], bytes]) -> None:
        """Keep or refuse each of these; `request` makes an export request of one element."""
        for element in elements:
            try:
                self.kept.append(read(element))
            except RecordRefused as why:
                self.refuse(why, request(element))

    def refuse_all(self, why: RecordRefused, elements: Iterable[bytes], request: Callable[[bytes], bytes]) -> None:
        for element in elements:
            self.refuse(why, request(element))

    def refuse(self, why: RecordRefused, request: bytes) -> None:
        """`request` is the record as an export request of its own."""
        self._budget.quarantine(len(request))
        self._refused.append(Unusable(str(why), request))
        self._readable |= not isinstance(why, Unreadable)

    def export(self) -> Export:
        """Raises Malformed where there were records and none of them says anything: that was some other message."""
        total = len(self.kept) + len(self._refused)
        if total and not (self._readable or any(map(_speaks, self.kept))):
            raise Malformed("no record of this request has a time, a body or an attribute")
        return Export(self.kept, self._refused, total)


def _speaks(record: LogRecord | MetricPoint) -> bool:
    if isinstance(record, LogRecord):
        return bool(record.time_unix_nano or record.observed_time_unix_nano or record.body or record.attributes)
    return bool(record.time_unix_nano or record.attributes or record.value is not None or record.data)
