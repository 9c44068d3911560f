"""What tests of usage share: points, prices, and user-days as plain values."""

import datetime as dt
import gzip
import itertools
import json
import time
from decimal import Decimal
from typing import Any

from django.utils import timezone

from audit import identifiers
from audit.points import PointDraft, append_points, prepare_points
from connectors.models import Connection, Price, Pull, UsageDay
from connectors.usage import rollup
from ingest import otlp
from ingest.agents.points import point_drafts
from ingest.secrets import Scrubber
from tests import captures
from tests.factories import draft, raw, receipt

TODAY = timezone.now().date()
DANA = (("@user.email", "string", "dana@acme.example"), ("@user.id", "string", "install-5f1d"))
MODEL = "claude-opus-5"
_numbers = itertools.count()


def at(day: dt.date, hour: float = 12.0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(hours=hour)


def request(session: str = "s-1", day: dt.date = TODAY, hour: float = 0.0, **more: Any) -> Any:
    """An API request of 100 tokens in, 10 out, for a cent and a half."""
    usual = {
        "event_name": "api_request", "session_id": session, "occurred_at": at(day, hour), "model": MODEL,
        "input_tokens": 100, "output_tokens": 10, "cache_read_tokens": 1000, "cache_creation_tokens": 0,
        "cost_usd": "0.015",
    }  # fmt: skip
    return draft("api_request", **{**usual, **more})


def point(name: str, value: float, session: str | None = "s-1", when: dt.datetime | None = None, **more: Any) -> Any:
    """A point of Claude Code's; `labels` are its attributes."""
    labels = more.pop("labels", {})
    usual: dict[str, Any] = {
        "agent": "claude_code", "name": f"claude_code.{name}", "unit": "", "instrument": "sum", "temporality": "delta",
        "monotonic": True, "started_at": None, "occurred_at": when or at(TODAY, 0.0), "value": value, "data": {},
        "subject": DANA, "origin": (("@team.id", "string", "payments"),),
        "attributes": [(f"@{key}", "string", text) for key, text in labels.items()],
        "identity": (next(_numbers),), "session_id": session,
    }  # fmt: skip
    return PointDraft(**{**usual, **more})


def points(*drafts: PointDraft, **overrides: Any) -> None:
    """Received now, together."""
    prepared = prepare_points(raw(), receipt(**{"received_at_us": time.time_ns() // 1000, **overrides}), drafts)
    with raw().transaction():
        append_points(raw(), prepared)


def told(*columns: str, **narrowed: Any) -> list[tuple[Any, ...]]:
    """These columns of the user-days, sorted."""
    return sorted(UsageDay.objects.filter(**narrowed).values_list(*columns), key=str)


def rolled_up() -> rollup.Done:
    done = rollup.run()
    assert done.finished
    return done


def connection(name: str = "Claude, engineering") -> Connection:
    return Connection.objects.create(vendor="anthropic_admin", name=name, secret=b"sealed")


def price(model: str = MODEL, **more: Any) -> Price:
    usual = {"input": 5, "output": 25, "cache_read": Decimal("0.5"), "cache_write_5m": Decimal("6.25")}
    return Price.objects.create(model=model, **{**usual, **more})


def received(moment: dt.datetime) -> int:
    return (moment - identifiers.EPOCH) // dt.timedelta(microseconds=1)


def recorded_points(scenario: str) -> None:
    """A captured scenario's metric points, each request received by itself, as the receiver keeps them."""
    folder = captures.CAPTURES / scenario
    for line in (folder / "index.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["signal"] != "metrics" or "file" not in entry:
            continue
        data = (folder / entry["file"]).read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        encoding = "json" if ".json" in entry["file"] else "protobuf"
        drafts = point_drafts(otlp.decode("metrics", encoding, data, otlp.Limits()).records, None, Scrubber(bytes(32)))
        points(*drafts)


def settled_pull(endpoint: str, day: dt.date, held: Connection | None = None) -> Connection:
    """A connection whose endpoint was pulled for that day after it was over."""
    held = held or connection(f"Claude {endpoint}")
    finished = at(day + dt.timedelta(days=1), 2)
    Pull.objects.create(
        connection=held, endpoint=endpoint, day=day, cause="schedule", state="done", finished_at=finished
    )
    return held
