"""What a vendor says of a day, as user-days."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.models import Connection, Identity, UsageDay
from connectors.people import identities
from connectors.usage import pricing, rows
from connectors.usage.prices import Table
from connectors.vendors.shape import UsageRow

_COUNTS = (
    "sessions", "prompts", "lines_added", "lines_removed", "commits", "pull_requests", "requests", "input_tokens",
    "output_tokens", "cache_read_tokens", "cache_creation_tokens",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replaced:
    """How many rows the day has now, and how many of them differ from what was said before."""

    rows: int
    restated: int


def replace(connection: Connection, endpoint: str, day: dt.date, rows_of_day: Sequence[UsageRow]) -> Replaced:
    """Makes these all that the endpoint says of the day, in the caller's transaction. Again: changes nothing.

    Rows of the same key are added up. Raises ValueError for a row of another day.
    """
    if any(row.day != day for row in rows_of_day):
        raise ValueError(f"A row is of another day than {day}.")
    pairs = {(row.identity_kind, row.identity) for row in rows_of_day}
    known = identities.resolve(sorted(pairs), basis="vendor", day=day)
    told: dict[tuple[Any, ...], list[UsageRow]] = defaultdict(list)
    for row in rows_of_day:
        told[_key(row, known)].append(row)
    table = pricing.table()
    made = [_made(connection, endpoint, day, key, same, table) for key, same in told.items()]
    before = UsageDay.objects.filter(connection=connection, endpoint=endpoint, day=day)
    return Replaced(len(made), rows.write(before, made))


def _key(row: UsageRow, known: Mapping[tuple[str, str], Identity]) -> tuple[Any, ...]:
    identity = known[row.identity_kind, row.identity].pk
    return identity, row.agent, row.model, row.surface, row.customer_type, row.remote


def _made(
    connection: Connection, endpoint: str, day: dt.date, key: tuple[Any, ...], same: Sequence[UsageRow], table: Table
) -> UsageDay:
    identity, agent, model, surface, customer_type, remote = key
    costs = [row.cost_reported for row in same if row.cost_reported is not None]
    usage = UsageDay(
        connection=connection, endpoint=endpoint, day=day, identity_id=identity, agent=agent, model=model,
        surface=surface, customer_type=customer_type, remote=remote, tools=_tools(same),
        cost_reported=sum(costs, Decimal()).quantize(pricing.PLACES) if costs else None,
        **{name: sum(getattr(row, name) for row in same) for name in _COUNTS},
    )  # fmt: skip
    usage.cost_computed = pricing.of_row(table, usage)
    return usage


def _tools(same: Sequence[UsageRow]) -> dict[str, list[int]]:
    tools: dict[str, list[int]] = {}
    for row in same:
        for name, (accepted, rejected) in row.tools.items():
            counts = tools.setdefault(name, [0, 0])
            counts[0] += accepted
            counts[1] += rejected
    return {name: counts for name, counts in sorted(tools.items()) if any(counts)}
