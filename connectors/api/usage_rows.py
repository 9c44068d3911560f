"""Rows of `usage/` as JSON."""

from decimal import Decimal

import msgspec

from connectors.models import Person
from connectors.usage import naming
from connectors.usage.groups import Group


class UsagePerson(msgspec.Struct, frozen=True):
    """Who it was: `id` is a pseudonym that stays the same; the rest needs `identity:read`."""

    id: str
    name: str | None
    email: str | None


class UsageTokens(msgspec.Struct, frozen=True):
    """`input`: without those read from or written to a cache."""

    input: int
    output: int
    cache_read: int
    cache_creation: int


class UsageGroup(msgspec.Struct, frozen=True):
    """User-days added up. `day`, `team`, `person`, `agent`, `model`: null where they were not grouped by; "" where the
    feed names none (a row without model holds what is no model's: sessions, lines, commits).

    `feeds`: which are believed here. `tools`: accepted and rejected edits. Costs are US dollars: as reported by the
    feed, and computed from the price table (null: no price is known for some of it). `cost_is_estimate`: tokens were
    written to a cache, which is priced as for five minutes.
    """

    day: str | None
    team: str | None
    person: UsagePerson | None
    agent: str | None
    model: str | None
    cost_center: str
    people: int
    sessions: int
    prompts: int
    lines_added: int
    lines_removed: int
    commits: int
    pull_requests: int
    tools: dict[str, list[int]]
    requests: int
    tokens: UsageTokens
    cost_reported: str | None
    cost_computed: str | None
    cost_is_estimate: bool
    feeds: list[str]


def of(group: Group, people: dict[str, naming.Known]) -> UsageGroup:
    """`people`: those who may be named."""
    sums, keys = group.sums, group.keys
    counts = sums.counts
    return UsageGroup(
        day=keys.get("day"),
        team=keys.get("team"),
        person=_person(keys["person"], people) if "person" in keys else None,
        agent=keys.get("agent"),
        model=keys.get("model"),
        cost_center=group.cost_center,
        people=sums.people,
        sessions=counts["sessions"],
        prompts=counts["prompts"],
        lines_added=counts["lines_added"],
        lines_removed=counts["lines_removed"],
        commits=counts["commits"],
        pull_requests=counts["pull_requests"],
        tools={name: list(each) for name, each in group.tools.items()},
        requests=counts["requests"],
        tokens=UsageTokens(*(counts[f"{name}_tokens"] for name in ("input", "output", "cache_read", "cache_creation"))),
        cost_reported=_money(sums.cost_reported),
        cost_computed=_money(sums.cost_computed),
        cost_is_estimate=sums.cost_computed is not None and counts["cache_creation_tokens"] > 0,
        feeds=list(group.feeds),
    )


def _person(who: str, people: dict[str, naming.Known]) -> UsagePerson:
    known = people.get(who)
    if known is None:
        return UsagePerson(who, None, None)
    email = known.email if isinstance(known, Person) else known.value if known.kind == "email" else ""
    return UsagePerson(who, str(known), email or None)


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
