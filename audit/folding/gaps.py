"""Finds the numbers a client gave to events that never came.

`event.sequence` counts per process: it starts at 0, runs on through `/clear` into a new session, and starts again when
a session is resumed; several processes of one installation may run at once (wire-claude-code.md A2). So the points of a
chain (installation, version, terminal) are dealt out to runs, and the holes in each run are its gaps.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID


class Point(NamedTuple):
    """One numbered event; points are given in order of `(at, sequence)`."""

    at: dt.datetime
    sequence: int
    session: UUID
    received_at: dt.datetime


class GapFound(NamedTuple):
    """`missing` numbers between `after` (None: the run's beginning) and `before`, which belongs to `session`."""

    session: UUID
    after: int | None
    before: int
    missing: int
    at: dt.datetime


@dataclass(slots=True)
class _Run:
    started_at: dt.datetime
    last: int
    last_at: dt.datetime
    session: UUID


class _Runs:
    """The runs so far, found by where they end and by the session they were last seen in."""

    def __init__(self) -> None:
        self._all: list[_Run] = []
        self._by_session: dict[UUID, list[_Run]] = {}
        self._by_last: dict[int, list[_Run]] = {}

    def add(self, point: Point, run: _Run | None) -> None:
        if run is None:
            run = _Run(point.at, point.sequence, point.at, point.session)
            self._all.append(run)
        else:
            self._by_last[run.last].remove(run)
            self._by_session[run.session].remove(run)
            run.last, run.last_at, run.session = point.sequence, point.at, point.session
        self._by_last.setdefault(run.last, []).append(run)
        self._by_session.setdefault(run.session, []).append(run)

    def of(self, point: Point) -> _Run | None:
        """The run a point goes on with: its session's own, unless a younger run ends exactly before it."""
        adjacent = self._by_last.get(point.sequence - 1, [])
        behind = [run for run in self._by_session.get(point.session, []) if run.last < point.sequence]
        own = max(behind, key=lambda run: run.last, default=None)
        if own is not None:
            younger = [run for run in adjacent if run.started_at > own.last_at]
            return own if own.last == point.sequence - 1 or not younger else younger[-1]
        candidates = adjacent or [run for run in self._all if run.last < point.sequence]
        return max(candidates, key=lambda run: run.last_at, default=None)


def find(points: Iterable[Point], settled_before: dt.datetime) -> list[GapFound]:
    """The gaps that are followed by a number received before `settled_before`; younger ones may still be filled."""
    runs = _Runs()
    seen: set[tuple[UUID, int]] = set()
    gaps = []
    for point in points:
        if point.sequence and (point.session, point.sequence) in seen:
            continue
        seen.add((point.session, point.sequence))
        run = runs.of(point) if point.sequence else None
        missing = point.sequence - (run.last if run else -1) - 1
        if missing and point.received_at < settled_before:
            gaps.append(GapFound(point.session, run.last if run else None, point.sequence, missing, point.at))
        runs.add(point, run)
    return gaps
