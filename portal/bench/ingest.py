"""Ingest: what is acknowledged after a durable commit, what it costs each process, and how far the followers lag."""

import datetime as dt
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, connections

from audit import identifiers
from connectors import scopes, tokens
from connectors.models import Token
from ingest.otlp import Encoding
from portal.bench import machine
from portal.bench.load import Order
from portal.bench.stack import Generator, Stack

SIZES = (100, 10, 512)
ENCODINGS: tuple[Encoding, ...] = ("protobuf", "json")
CONNECTIONS = 16
WARM_UP_SECONDS = 1.5
DRAINED_WITHIN = 180.0
SAMPLED_EVERY = 0.25
SOURCE, BY = "Bench", "bench"


@contextmanager
def token() -> Iterator[tuple[Token, str]]:
    """A token that works while the block lasts."""
    issued, secret = tokens.issue(scopes.INGEST, SOURCE, by=BY, scopes=("logs",))
    try:
        yield issued, secret
    finally:
        tokens.revoke(issued, "the bench is over", by=BY)


def measure(
    stack: Stack, generator: Generator, secret: str, encoding: Encoding, records: int, seconds: float
) -> dict[str, Any]:
    """One run: `seconds` of load after a short warm-up, then until everything is numbered and folded."""
    host, port = settings.OTLP_HTTP_HOST, settings.OTLP_HTTP_PORT
    order = Order(host, port, secret, encoding, records, CONNECTIONS, WARM_UP_SECONDS)
    generator.prepare(encoding, records)
    generator.run(order)
    drain()
    roots = Stack({**stack.pids, "generator": [generator.pid]})
    before = roots.cpu_seconds()
    with Lags() as lags:
        report = generator.run(replace(order, seconds=seconds))
        at_the_end = roots.cpu_seconds()
        drained = drain()
    after = roots.cpu_seconds()
    return {
        "encoding": encoding,
        "records_a_request": records,
        "connections": CONNECTIONS,
        "events_per_second": round(report.records / report.seconds),
        "requests_per_second": round(report.requests / report.seconds),
        "megabytes_per_second": round(report.bytes / report.seconds / 1e6, 2),
        **{name: getattr(report, name) for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms", "statuses")},
        "cpu_us_per_event": per_event(before, after, report.records),
        "cpu_share_during_load": shares(before, at_the_end, report.seconds),
        "drained_after_s": round(drained, 2),
        "settled_events_per_second": round(report.records / (report.seconds + drained)),
        "oldest_unsealed_s": lags.oldest("audit_unsealed"),
        "oldest_unfolded_s": lags.oldest("audit_unfolded"),
        "receiver_peak_mib": round(sum(map(machine.peak_memory, stack.pids["receiver"])) / 2**20),
    }


def per_event(before: Mapping[str, float], after: Mapping[str, float], events: int) -> dict[str, float]:
    """CPU microseconds for one event by process, everything that follows its answer included."""
    return {name: round((after[name] - before[name]) * 1e6 / max(events, 1), 1) for name in before}


def shares(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Cores used by each process."""
    return {name: round((after[name] - before[name]) / seconds, 2) for name in before}


def drain(patience: float = DRAINED_WITHIN) -> float:
    """Waits until sealer and projector have nothing left, but no longer than `patience`; the seconds that took."""
    started = time.monotonic()
    while waiting():
        if time.monotonic() - started > patience:
            break
        time.sleep(0.05)
    return time.monotonic() - started


def waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM audit_unfolded) OR EXISTS (SELECT FROM audit_unsealed)")
        return bool(cursor.fetchone()[0])


class Lags:
    """Samples how old the oldest event is that the sealer or the projector has not taken yet."""

    TABLES = ("audit_unsealed", "audit_unfolded")

    def __init__(self) -> None:
        self._ages: dict[str, list[float]] = {table: [] for table in self.TABLES}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "Lags":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def oldest(self, table: str) -> dict[str, float]:
        """The median and the worst sample, in seconds."""
        ages = sorted(self._ages[table]) or [0.0]
        return {"p50": round(ages[len(ages) // 2], 2), "max": round(ages[-1], 2)}

    def _sample(self) -> None:
        while not self._over.wait(SAMPLED_EVERY):
            with connection.cursor() as cursor:
                for table in self.TABLES:
                    cursor.execute(f"SELECT substring(event_ids for 16) FROM {table} ORDER BY id LIMIT 1")  # noqa: S608
                    self._ages[table].append(_age(cursor.fetchall()))
        connections.close_all()


def _age(rows: Sequence[tuple[Any]]) -> float:
    if not rows:
        return 0.0
    received = identifiers.received_at(UUID(bytes=bytes(rows[0][0])))
    return (dt.datetime.now(dt.UTC) - received).total_seconds()
