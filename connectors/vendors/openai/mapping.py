"""OpenAI's answers as rows. Its money is a number of dollars; its input tokens include those read from a cache."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from connectors.vendors import members, user_days, values
from connectors.vendors.feeds import Page, of_day
from connectors.vendors.shape import Reading, UsageRow

USAGE_GROUPS = ("user_id", "api_key_id", "model")
COST_GROUPS = ("project_id", "line_item")


def completions(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    """By user, and by API key where no user is named. Which agent asked is not told: it is “other”."""
    return Reading(usage=user_days.folded(_spent(of_day(day), row) for row in _results(of_day(day), pages)))


def costs(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    found: list[tuple[Page, Any]] = []
    for row in _results(of_day(day), pages):
        price = values.table(row.get("amount"))
        amount = values.dollars(price.get("value"), "amount", cents=False)
        data = values.plain({name: each for name, each in row.items() if name != "amount"})
        data |= {
            "amount": None if amount is None else values.written(amount),
            "currency": values.text(price.get("currency")).upper() or "USD",
        }
        found.append(({name: row.get(name) for name in COST_GROUPS}, data))
    return Reading(reports=values.keyed(found))


def users(day: dt.date | None, pages: Iterator[Page]) -> Reading:
    return members.read(pages)


def _results(day: dt.date, pages: Iterator[Page]) -> Iterator[Page]:
    for page in pages:
        for bucket in values.rows(page.get("data"), "data"):
            if values.day_of(bucket.get("start_time")) not in (day, None):
                raise values.unreadable("it is about another day than was asked for")
            yield from values.rows(bucket.get("results"), "results")


def _spent(day: dt.date, row: Page) -> UsageRow:
    user, key = values.text(row.get("user_id")), values.text(row.get("api_key_id"))
    everything = values.count(row.get("input_tokens"), "input_tokens")
    cached = values.count(row.get("input_cached_tokens"), "input_cached_tokens")
    return UsageRow(
        day,
        "account_id" if user or not key else "api_key",
        user or key or "unknown",
        "other",
        model=values.text(row.get("model")) or "unknown",
        requests=values.count(row.get("num_model_requests"), "num_model_requests"),
        input_tokens=max(everything - cached, 0),
        output_tokens=values.count(row.get("output_tokens"), "output_tokens"),
        cache_read_tokens=cached,
    )
