"""The Enterprise Analytics API's answers as rows. Its money is text of cents, fractions of a cent included.

Its words differ from the Admin API's for the same things (commit_count, accepted_count …); an actor's address is
`email_address`, formerly `email`, and null once the account is deleted.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from connectors.vendors import user_days, values
from connectors.vendors.anthropic import cache_creation, is_dollars
from connectors.vendors.feeds import Page, of_day
from connectors.vendors.shape import Reading, ReportRow, UsageRow

CENTS = frozenset({"amount", "list_amount", "attributed_list_price", "estimated_overage_spend"})
_GROUPS = (
    "product", "model", "context_window", "inference_geo", "speed", "rbac_group_id", "slack_channel_id", "cost_type",
    "token_type",
)  # fmt: skip
_CODE = "claude_code"


def summaries(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    """One row for the day, as the range that is asked for is that day."""
    found: list[tuple[Page, Any]] = [
        ({}, values.plain(row)) for page in pages for row in values.rows(page.get("summaries"), "summaries")
    ]
    return Reading(reports=values.keyed(found))


def users(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    """Claude Code's figures as usage; those of other products as reports, by the user's id."""
    usage: list[UsageRow] = []
    others: list[tuple[Page, Any]] = []
    for page in pages:
        for row in values.rows(page.get("data"), "data"):
            code = _code_day(of_day(day), row)
            usage += [code] if user_days.says_something(code) else []
            about = values.table(row.get("user"))
            rest = {name: each for name, each in row.items() if name != "claude_code_metrics"}
            others.append(({"user": about.get("id") or about.get("email_address")}, values.plain(rest, money=CENTS)))
    return Reading(usage=user_days.folded(usage), reports=values.keyed(others))


def named(*about: str) -> Callable[[dt.date | None, Iterator[Page]], Reading]:
    """Rows that are about what these fields name."""

    def read(day: dt.date | None, pages: Iterator[Page]) -> Reading:
        found = [
            ({name: row.get(name) for name in about}, values.plain(row, money=CENTS))
            for page in pages
            for row in values.rows(page.get("data"), "data")
        ]
        return Reading(reports=values.keyed(found))

    return read


def usage_report(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    return Reading(reports=_grouped(of_day(day), pages))


def cost_report(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    return Reading(reports=_grouped(of_day(day), pages))


def user_usage_report(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    return Reading(
        usage=user_days.folded(
            UsageRow(
                **_place(of_day(day), row),
                requests=values.count(row.get("requests"), "requests"),
                input_tokens=values.count(row.get("uncached_input_tokens"), "uncached_input_tokens"),
                output_tokens=values.count(row.get("output_tokens"), "output_tokens"),
                cache_read_tokens=values.count(row.get("cache_read_input_tokens"), "cache_read_input_tokens"),
                cache_creation_tokens=cache_creation(row),
            )
            for row in _of_users(of_day(day), pages)
        )
    )


def user_cost_report(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    """`amount` is after discounts, as billed; the list price stays in the raw page."""
    return Reading(
        usage=user_days.folded(
            UsageRow(
                **_place(of_day(day), row),
                cost_reported=values.dollars(row.get("amount"), "amount", cents=True)
                if is_dollars(row.get("currency"))
                else None,
            )
            for row in _of_users(of_day(day), pages)
        )
    )


def _code_day(day: dt.date, row: Page) -> UsageRow:
    metrics = values.table(row.get("claude_code_metrics"))
    core = values.table(metrics.get("core_metrics"))
    lines = values.table(core.get("lines_of_code"))
    kind, identity = user_days.identity(values.table(row.get("user")))
    return UsageRow(
        day,
        kind,
        identity,
        _CODE,
        sessions=values.count(core.get("distinct_session_count"), "distinct_session_count"),
        lines_added=values.count(lines.get("added_count"), "added_count"),
        lines_removed=values.count(lines.get("removed_count"), "removed_count"),
        commits=values.count(core.get("commit_count"), "commit_count"),
        pull_requests=values.count(core.get("pull_request_count"), "pull_request_count"),
        tools=user_days.tools(metrics.get("tool_actions"), "accepted_count", "rejected_count"),
    )


def _place(day: dt.date, row: Page) -> dict[str, Any]:
    """Whose, where and with which model. Of the products only Claude Code is one of our agents."""
    kind, identity = user_days.identity(values.table(row.get("actor")))
    product = values.text(row.get("product"))
    return {
        "day": day,
        "identity_kind": kind,
        "identity": identity,
        "agent": _CODE if product == _CODE else "other",
        "model": values.text(row.get("model")) or "unknown",
        "surface": product,
    }


def _of_users(day: dt.date, pages: Iterator[Page]) -> Iterator[Page]:
    for page in pages:
        for row in values.rows(page.get("data"), "data"):
            _check_day(day, row)
            yield row


def _grouped(day: dt.date, pages: Iterator[Page]) -> list[ReportRow]:
    """The rows of all buckets by their groups. A row beside the buckets is taken as well."""
    found: list[tuple[Page, Any]] = []
    for page in pages:
        for bucket in values.rows(page.get("data"), "data"):
            _check_day(day, bucket)
            results = values.rows(bucket["results"], "results") if "results" in bucket else [bucket]
            found += [({name: row.get(name) for name in _GROUPS}, values.plain(row, money=CENTS)) for row in results]
    return values.keyed(found)


def _check_day(day: dt.date, row: Page) -> None:
    if values.day_of(row.get("starting_at")) not in (day, None):
        raise values.unreadable("it is about another day than was asked for")
