"""What the connectors make of evidence, each by itself: user-days, people, installations, coverage."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from connectors.coverage import looking
from connectors.models import Installation, Person, UsageDay
from connectors.people import join
from connectors.roster import folding
from connectors.usage import rollup

T = TypeVar("T")

LONGEST = 3600.0


def measure() -> dict[str, Any]:
    """Seconds, and what came of them. With --here it goes on from where the schedules are."""
    done, counting = _timed(lambda: rollup.run(LONGEST))
    if not done.events:
        return {"skipped": "there are no new events; measure ingest first"}
    joined, joining = _timed(join.all_due)
    folded, folding_for = _timed(_fold)
    _, looking_for = _timed(looking.look)
    return {
        "events": done.events,
        "user_days": UsageDay.objects.count(),
        "counting_us_per_event": round(counting / done.events * 1e6, 1),
        "people": Person.objects.count(),
        "joined": joined,
        "joining_s": round(joining, 2),
        "installations": Installation.objects.count(),
        "folded": folded,
        "folding_us_per_event": round(folding_for / folded * 1e6, 1) if folded else None,
        "coverage_s": round(looking_for, 2),
    }


def _fold() -> int:
    folded = 0
    while more := folding.fold():
        folded += more
    return folded


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started
