"""Rows of usage, one for each identity, day, agent, model and place: what a vendor splits further is summed up."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.vendors import values
from connectors.vendors.shape import UsageRow

COUNTS = (
    "sessions",
    "prompts",
    "lines_added",
    "lines_removed",
    "commits",
    "pull_requests",
    "requests",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_creation_tokens",
)
TOOLS = {
    "edit_tool": "Edit",
    "multi_edit_tool": "MultiEdit",
    "write_tool": "Write",
    "notebook_edit_tool": "NotebookEdit",
}
"""Anthropic's names for tools, as Claude Code's telemetry spells them. Others stay as they come."""


def folded(rows: Iterable[UsageRow]) -> list[UsageRow]:
    """Two keys of one name, or one person under two subscriptions, are one row: the sum of both."""
    found: dict[tuple[Any, ...], UsageRow] = {}
    for row in rows:
        about = _about(row)
        found[about] = _sum(found[about], row) if about in found else row
    return [
        row if row.cost_reported is None else replace(row, cost_reported=values.stored(row.cost_reported))
        for row in found.values()
    ]


def says_something(row: UsageRow) -> bool:
    return any(getattr(row, name) for name in COUNTS) or bool(row.tools) or bool(row.cost_reported)


def tools(actions: Any, accepted: str, rejected: str) -> dict[str, tuple[int, int]]:
    """Accepts and rejects by tool, those with neither left out."""
    found: dict[str, tuple[int, int]] = {}
    for name, each in values.table(actions).items():
        pair = (
            values.count(values.table(each).get(accepted), f"{name}.{accepted}"),
            values.count(values.table(each).get(rejected), f"{name}.{rejected}"),
        )
        if any(pair):
            tool = TOOLS.get(name, values.text(name))
            found[tool] = _pair_sum(found.get(tool, (0, 0)), pair)
    return found


def identity(actor: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and value of who acted: the e-mail address (deleted users have none), else the account, else the API key."""
    email = values.text(actor.get("email_address")) or values.text(actor.get("email"))
    if email:
        return "email", email.lower()
    account = values.text(actor.get("user_id")) or values.text(actor.get("id"))
    if account:
        return "account_id", account
    key = values.text(actor.get("api_key_name")) or values.text(actor.get("name"))
    return ("api_key", key) if key else ("account_id", "unknown")


def _about(row: UsageRow) -> tuple[Any, ...]:
    return (
        row.day, row.identity_kind, row.identity, row.agent, row.model, row.surface, row.customer_type, row.remote,
    )  # fmt: skip


def _sum(one: UsageRow, other: UsageRow) -> UsageRow:
    counts: dict[str, Any] = {name: values.summed([getattr(one, name), getattr(other, name)], name) for name in COUNTS}
    costs = [each.cost_reported for each in (one, other) if each.cost_reported is not None]
    both = {
        name: _pair_sum(one.tools.get(name, (0, 0)), other.tools.get(name, (0, 0)))
        for name in [*one.tools, *(name for name in other.tools if name not in one.tools)]
    }
    return replace(one, **counts, tools=both, cost_reported=_total(costs) if costs else None)


def _total(costs: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for cost in costs:
        total = values.EXACT.add(total, cost)
    return total


def _pair_sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return (
        values.summed([one[0], other[0]], "accepted"),
        values.summed([one[1], other[1]], "rejected"),
    )
