"""The roll-up of telemetry: counts what is new, then puts together the days that changed. Rows in PostgreSQL are the
truth: it may run twice, at once, or be killed at any point, and goes on from there."""

import time
from dataclasses import dataclass

from django.db import transaction

from connectors.models import Counted, CountedPoint, Level, StaleDay, Tally, UsageDay
from connectors.usage import cells, counting, pricing

SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Done:
    """What one run did. `finished`: nothing was left when it ended."""

    events: int
    points: int
    days: int
    finished: bool


def run(seconds: float = SECONDS) -> Done:
    """Works until nothing is left or the time is over."""
    until = time.monotonic() + seconds
    events = points = days = 0
    left = True
    while left and time.monotonic() < until:
        counted = counting.count_events(), counting.count_points()
        events, points, left = events + counted[0], points + counted[1], any(counted)
    while time.monotonic() < until and _next_day():
        days += 1
    return Done(events, points, days, not left and not StaleDay.objects.exists())


def rebuild() -> None:
    """Forgets all that was counted, so that the next runs count it again from what is still stored.

    User-days of events that were purged meanwhile are gone with it: for whoever asks for it, not for a schedule.
    """
    with transaction.atomic():
        counting.progress()
        for model in (Tally, Level, CountedPoint, Counted, StaleDay):
            model._default_manager.all().delete()
        UsageDay.objects.filter(connection=None).delete()


def _next_day() -> bool:
    """Puts the newest stale day together; False if there was none. The note of it goes in the same transaction."""
    with transaction.atomic():
        counting.progress()  # two at once on one day would each take the other's rows for gone
        stale = StaleDay.objects.order_by("-day", "source_id").first()
        if stale is None:
            return False
        stale.delete()
        if stale.source_id is None:
            pricing.reprice_vendors(stale.day)
        else:
            cells.put_together(stale.day, stale.source_id)
    return True
