"""What is measured, in which order."""

import contextlib
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, connections

from audit.progress import Progress
from ingest.otlp import Encoding
from portal.bench import connectors, filling, ingest, ledger, limit, machine, reading, stack, usage

PARTS = ("ingest", "copy", "ledger", "connectors", "feed", "pages", "usage")
SIZES, ENCODINGS, REQUESTS = ingest.SIZES, ingest.ENCODINGS, reading.REQUESTS


@dataclass(frozen=True, slots=True)
class Wanted:
    fill: int
    seconds: float
    only: Sequence[str]
    sizes: Sequence[int]
    encodings: Sequence[Encoding]
    requests: int
    people: int
    here: bool


def addresses() -> dict[str, str]:
    """Free ports for receiver and web, as settings."""
    return {"OTLP_HTTP_BIND": f"127.0.0.1:{_free_port()}", "PORTAL_BIND": f"127.0.0.1:{_free_port()}"}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run(wanted: Wanted) -> dict[str, Any]:
    """Every part that is wanted; the figures by part."""
    figures: dict[str, Any] = {"machine": machine.describe(), "postgresql": _version()}
    with stack.running(("receiver", "sealer", "projector")) as running:
        if wanted.fill:
            figures["fill"] = _fill(wanted.fill)
        if "ingest" in wanted.only:
            figures["ingest"] = list(_ingest(wanted, running))
    if "copy" in wanted.only:
        _say("COPY FROM a file, as the limit …")
        figures["copy"] = limit.measure()
        figures["copy"] |= _ratio(figures)
    if "ledger" in wanted.only:
        _say("ledger …")
        figures["ledger"] = ledger.measure()
    if "connectors" in wanted.only:
        _say("user-days, people, installations …")
        figures["connectors"] = connectors.measure()
    if "feed" in wanted.only or "pages" in wanted.only:
        figures["size"] = _size()
        with stack.running(("web",)) as running, reading.reader() as (cookie, bearer):
            figures |= _reading(wanted, running, cookie, bearer)
    if "usage" in wanted.only:
        figures["usage"] = _usage(wanted)
    figures["machine_after"] = machine.describe()
    return figures


def _fill(events: int) -> dict[str, Any]:
    """Loaded, numbered and folded, in how many seconds."""
    progress = Progress(sys.stderr, "events", events)
    with ingest.token() as (token, _):
        assert token.source_id
        started = time.monotonic()
        filling.fill(events, token.source_id, token.pk, progress.update)
        seconds = time.monotonic() - started
    progress.clear()
    _say("numbering and folding what is left …")
    drained = ingest.drain(patience=3600)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"events": events, "loaded_s": round(seconds, 1), "drained_after_s": round(drained, 1)}


def _ingest(wanted: Wanted, running: stack.Stack) -> Iterator[dict[str, Any]]:
    with ingest.token() as (_, secret), contextlib.closing(stack.Generator()) as generator:
        for encoding in wanted.encodings:
            for size in wanted.sizes:
                _say(f"ingest, {encoding}, {size} records a request …")
                yield ingest.measure(running, generator, secret, encoding, size, wanted.seconds)


def _ratio(figures: dict[str, Any]) -> dict[str, float]:
    """Ingest at 100 records a request, protobuf, against the limit of the same run."""
    run = next((each for each in figures.get("ingest", ()) if each["records_a_request"] == 100), None)
    if run is None or "events" not in figures["copy"]:
        return {}
    return {
        "ingest_to_copy_of_events": round(run["events_per_second"] / figures["copy"]["events"]["rows_per_second"], 3),
        "ingest_to_copy_of_both": round(run["events_per_second"] / figures["copy"]["both_events_per_second"], 3),
    }


def _reading(wanted: Wanted, running: stack.Stack, cookie: dict[str, str], bearer: dict[str, str]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if "feed" in wanted.only:
        _say("feed …")
        before = running.cpu_seconds()
        figures["feed"] = reading.feed(bearer)
        if lines := figures["feed"].get("lines"):
            figures["feed"]["cpu_us_per_event"] = ingest.per_event(before, running.cpu_seconds(), lines)
    if "pages" in wanted.only:
        figures["pages"] = []
        for target in reading.targets(cookie, bearer):
            _say(f"{target.name} …")
            figures["pages"].append(reading.time_of(target, wanted.requests))
    return figures


def _usage(wanted: Wanted) -> dict[str, Any]:
    """Last, as its people would be in every other figure."""
    if wanted.here:
        return {"skipped": "people are made up for it, which a database that stays should not have"}
    _say(f"usage of {wanted.people} people …")
    with stack.running(("web",)), reading.reader() as (cookie, bearer):
        return usage.measure(wanted.people, wanted.requests, cookie, bearer)


def _size() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM audit_event), (SELECT count(*) FROM audit_session),"
            " pg_database_size(current_database())"
        )
        events, sessions, size = cursor.fetchone()
    return {"events": events, "sessions": sessions, "database_mib": size >> 20}


def _version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
