"""What the fake vendor's figures sum up to, counted from what it generated and not from what it answered."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.vendor import anthropic_analytics

if TYPE_CHECKING:
    from tests.vendor.server import FakeVendor


@dataclass
class Totals:
    """`user_days`: who had figures on which day, each pair once."""

    user_days: set[tuple[str, dt.date]] = field(default_factory=set)
    sessions: int = 0
    lines_added: int = 0
    commits: int = 0
    accepted: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0
    requests: int = 0
    cost: Decimal = Decimal(0)


def claude_code(vendor: "FakeVendor", first: dt.date, last: dt.date) -> Totals:
    """Of the Admin API's claude_code report; cost in dollars."""
    totals = Totals()
    for day in _range(first, last):
        for record in vendor.company.records(day):
            actor = record["actor"]
            totals.user_days.add((actor.get("email_address") or actor["api_key_name"], day))
            core = record["core_metrics"]
            totals.sessions += core["num_sessions"]
            totals.lines_added += core["lines_of_code"]["added"]
            totals.commits += core["commits_by_claude_code"]
            totals.accepted += sum(each["accepted"] for each in record["tool_actions"].values())
            for each in record["model_breakdown"]:
                tokens = each["tokens"]
                totals.input_tokens += tokens["input"]
                totals.output_tokens += tokens["output"]
                totals.cache_read_tokens += tokens["cache_read"]
                totals.cache_creation_tokens += tokens["cache_creation"]
                totals.cost += Decimal(repr(each["estimated_cost"]["amount"])) / 100
    return totals


def analytics(vendor: "FakeVendor", first: dt.date, last: dt.date) -> Totals:
    """Of the Enterprise reports by user; cost in dollars, after discounts."""
    totals = Totals()
    for day in _range(first, last):
        for row in anthropic_analytics.spending(vendor, day):
            member = row["member"]
            totals.user_days.add((member.id if member.deleted else member.email, day))
            totals.input_tokens += row["uncached_input_tokens"]
            totals.output_tokens += row["output_tokens"]
            totals.cache_read_tokens += row["cache_read_input_tokens"]
            totals.cache_creation_tokens += row["cache_creation_5m"] + row["cache_creation_1h"]
            totals.requests += row["requests"]
            totals.cost += Decimal(anthropic_analytics.millionths_of_cents(row)).scaleb(-8)
    return totals


def of_rows(rows: Any) -> Totals:
    """The same sums of rows of usage: `UsageRow`s, or stored user-days (whose identity has a value)."""
    totals = Totals()
    for row in rows:
        identity = row.identity if isinstance(row.identity, str) else row.identity.value
        totals.user_days.add((identity, row.day))
        totals.accepted += sum(accepted for accepted, _ in row.tools.values())
        totals.cost += row.cost_reported or 0
        for name in ("sessions", "lines_added", "commits", "input_tokens", "output_tokens", "cache_read_tokens",
                     "cache_creation_tokens", "requests"):  # fmt: skip
            setattr(totals, name, getattr(totals, name) + getattr(row, name))
    return totals


def _range(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
