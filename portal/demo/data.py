"""The whole data set: what is sent, in order, and what a visitor should look at."""

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass

from ingest.replaying.captures import Captured
from portal.demo import month, wire
from portal.demo.cases import CASES
from portal.demo.cast import DANA
from portal.demo.process import Process

TOO_DEEP = 40


@dataclass(frozen=True, slots=True)
class Sight:
    """Something to look at: what it is, and the vendor's id of the session that shows it."""

    look: str
    session_id: str


@dataclass(frozen=True, slots=True)
class DataSet:
    requests: list[Captured]
    sights: list[Sight]
    sessions: int


def build(end: dt.datetime, seed: str, ordinary: int) -> DataSet:
    """`ordinary` sessions and every case, all before `end`; the same again for the same arguments."""
    processes: list[Process] = [*month.ordinary(end, ordinary, random.Random(f"{seed}/ordinary"))]  # noqa: S311
    sights = []
    for case in CASES:
        at = (end - dt.timedelta(days=case.days_ago)).replace(hour=case.hour, minute=17, second=4, microsecond=0)
        played = case.play(at, random.Random(f"{seed}/{case.look}"))  # noqa: S311
        processes += played.processes
        sights.append(Sight(case.look, played.session_id))
    processes.sort(key=lambda process: process.started_at)
    requests = [request for process in processes for request in process.requests()]
    return DataSet([*requests, *_for_quarantine(processes)], sights, len({p.session_id for p in processes}))


def _for_quarantine(processes: Iterable[Process]) -> list[Captured]:
    """A request cut short on its way, and one with a record that is nested too deep among a good one."""
    process = next(each for each in processes if each.person is DANA)
    body = next(iter(process.requests())).body
    return [
        Captured("demo", "logs", "json", False, body[: len(body) // 2]),
        Captured("demo", "logs", "json", False, _with_deep_record(process)),
    ]


def _with_deep_record(process: Process) -> bytes:
    deep: object = "bottom"
    for _ in range(TOO_DEEP):
        deep = [deep]
    at = round(process.at.timestamp() * 1000) * 10**6
    records = [
        wire.log_record("future_event", at, {**process.common(), "event.name": "future_event", "nested": deep}),
        wire.log_record("future_event", at, {**process.common(), "event.name": "future_event", "nested": ["flat"]}),
    ]
    return wire.logs_request(process.resource(), process.person.version, records)
