"""Writes the user-days of one feed and day: what is the same stays as it is, so that addresses of rows hold."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from connectors.models import UsageDay

KEY = ("identity_id", "agent", "model", "surface", "customer_type", "remote", "team", "cost_center")
VALUES = (
    "sessions", "prompts", "lines_added", "lines_removed", "commits", "pull_requests", "tools", "requests",
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens", "cost_reported", "cost_computed",
)  # fmt: skip
SAID = VALUES[:-1]
"""What a feed says itself; the computed cost is ours."""


def write(known: QuerySet, rows: Iterable[UsageDay]) -> int:
    """Replaces the `known` rows, all of one feed and day, by these; how many now say something else than before.

    That is those that are new, gone or different; of a day that had no rows yet, none.
    """
    before: dict[tuple[Any, ...], UsageDay] = {_key(row): row for row in known.select_for_update()}
    fresh, changed, restated = [], [], 0
    gone = dict(before)
    for row in rows:
        old = gone.pop(_key(row), None)
        if old is None:
            fresh.append(row)
            continue
        restated += _differs(old, row, SAID)
        if _differs(old, row, VALUES):
            row.pk = old.pk
            changed.append(row)
    if gone:
        UsageDay.objects.filter(pk__in=[row.pk for row in gone.values()]).delete()
    UsageDay.objects.bulk_update(changed, VALUES, batch_size=500)
    UsageDay.objects.bulk_create(fresh, batch_size=500)
    return restated + len(gone) + (len(fresh) if before else 0)


def _key(row: UsageDay) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in KEY)


def _differs(one: UsageDay, other: UsageDay, names: Iterable[str]) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in names)
