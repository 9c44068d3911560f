"""The Admin API's answers as rows. Its money: a number of cents (claude_code) or text of cents (cost_report)."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from connectors.vendors import members, user_days, values
from connectors.vendors.anthropic import cache_creation, is_dollars
from connectors.vendors.feeds import Page, of_day
from connectors.vendors.shape import Reading, ReportRow, UsageRow

MESSAGE_GROUPS = ("model", "workspace_id", "api_key_id")
COST_GROUPS = ("workspace_id", "description")
_COST_KEYS = (
    "workspace_id", "description", "cost_type", "model", "token_type", "service_tier", "context_window",
    "inference_geo", "currency",
)  # fmt: skip
_CENTS = frozenset({"amount"})


def claude_code(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    rows: list[UsageRow] = []
    for page in pages:
        for record in values.rows(page.get("data"), "data"):
            rows += _user_day(of_day(day), record)
    return Reading(usage=user_days.folded(rows))


def messages(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    found = [
        ({name: row.get(name) for name in MESSAGE_GROUPS}, values.plain(row)) for row in _results(of_day(day), pages)
    ]
    return Reading(reports=values.keyed(found))


def cost(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    found = [
        ({name: row.get(name) for name in _COST_KEYS}, values.plain(row, money=_CENTS))
        for row in _results(of_day(day), pages)
    ]
    return Reading(reports=values.keyed(found))


def users(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    return members.read(pages)


def workspaces(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    found = {}
    for page in pages:
        for workspace in values.rows(page.get("data"), "data"):
            key = values.text(workspace.get("id"))
            if not key:
                raise values.unreadable("a workspace has no id")
            found[key] = ReportRow(key, values.plain(workspace))
    return Reading(reports=list(found.values()))


def _results(day: dt.date, pages: Iterator[Page]) -> Iterator[dict[str, Any]]:
    """The rows of all buckets, which must be of that day."""
    for page in pages:
        for bucket in values.rows(page.get("data"), "data"):
            if values.day_of(bucket.get("starting_at")) not in (day, None):
                raise values.unreadable("it is about another day than was asked for")
            for row in values.rows(bucket.get("results"), "results"):
                yield dict(row)


def _user_day(day: dt.date, record: Page) -> list[UsageRow]:
    """One row without a model for what was done, and one a model for tokens and cost."""
    if values.day_of(record.get("date")) not in (day, None):
        raise values.unreadable("it is about another day than was asked for")
    kind, identity = user_days.identity(values.table(record.get("actor")))
    core = values.table(record.get("core_metrics"))
    lines = values.table(core.get("lines_of_code"))
    place: dict[str, Any] = {
        "day": day,
        "identity_kind": kind,
        "identity": identity,
        "agent": "claude_code",
        "surface": values.text(record.get("terminal_type")),
        "customer_type": values.text(record.get("customer_type")),
        "remote": values.flag(record.get("is_remote")),
    }
    done = UsageRow(
        **place,
        sessions=values.count(core.get("num_sessions"), "num_sessions"),
        lines_added=values.count(lines.get("added"), "added"),
        lines_removed=values.count(lines.get("removed"), "removed"),
        commits=values.count(core.get("commits_by_claude_code"), "commits_by_claude_code"),
        pull_requests=values.count(core.get("pull_requests_by_claude_code"), "pull_requests_by_claude_code"),
        tools=user_days.tools(record.get("tool_actions"), "accepted", "rejected"),
    )
    models = values.rows(record.get("model_breakdown"), "model_breakdown")
    return [done, *(_spent(place, each) for each in models)]


def _spent(place: dict[str, Any], breakdown: Page) -> UsageRow:
    tokens, cost = values.table(breakdown.get("tokens")), values.table(breakdown.get("estimated_cost"))
    amount = values.dollars(cost.get("amount"), "amount", cents=True)
    return UsageRow(
        **place,
        model=values.text(breakdown.get("model")) or "unknown",
        input_tokens=values.count(tokens.get("input"), "input"),
        output_tokens=values.count(tokens.get("output"), "output"),
        cache_read_tokens=values.count(tokens.get("cache_read"), "cache_read"),
        cache_creation_tokens=cache_creation(tokens),
        cost_reported=amount if is_dollars(cost.get("currency")) else None,
    )
