"""Anthropic's Claude Enterprise Analytics API: engagement of all products, and usage and cost where they are billed.

Sources: platform.claude.com/docs/en/manage-claude/analytics-api and …/api/admin/analytics. Engagement of a day is
summed up at 10:00 UTC of the next and may be revised by some percent; usage and cost come within 24 hours and may
change for 30 days. 60 requests a minute and organisation. How many rows a page of the reports by user may have is not
documented where it could be read, so these are asked without `limit`. (From October 2026 there is also a beta,
`analytics/usage` and `analytics/cost`, with a header of its own; these two are not asked.)
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping

from connectors.vendors import anthropic, values
from connectors.vendors.anthropic_analytics import mapping
from connectors.vendors.feeds import Feed, Page, Query, Vendor, midnight, next_page, of_day
from connectors.vendors.shape import Endpoint, Organization, Reading, VendorError

ROOT = "/v1/organizations/analytics"
EARLIEST = dt.date(2026, 1, 1)
ENGAGEMENT_AFTER, ENGAGEMENT_REVISED_DAYS = dt.timedelta(hours=10, minutes=30), 4
COST_AFTER, COST_REVISED_DAYS = dt.timedelta(hours=4), 30
TOO_RECENT_WAIT = 3600.0
_DATE = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")


def _date(day: dt.date | None) -> Query:
    return [("date", of_day(day).isoformat()), ("limit", "1000")]


def _range(day: dt.date | None) -> Query:
    first = of_day(day)
    return [("starting_date", first.isoformat()), ("ending_date", (first + dt.timedelta(days=1)).isoformat())]


def _bucket(*groups: str) -> Callable[[dt.date | None], Query]:
    def query(day: dt.date | None) -> Query:
        return [*_by_user(day), ("bucket_width", "1d"), *(("group_by[]", name) for name in groups)]

    return query


def _by_user(day: dt.date | None) -> Query:
    first = of_day(day)
    return [("starting_at", midnight(first)), ("ending_at", midnight(first + dt.timedelta(days=1)))]


def _by_user_and_model(day: dt.date | None) -> Query:
    return [*_by_user(day), ("group_by[]", "model"), ("group_by[]", "product")]


def _engagement(
    name: str, title: str, read: Callable[[dt.date | None, Iterator[Page]], Reading], path: str = ""
) -> Feed:
    endpoint = Endpoint(
        name,
        title,
        daily=True,
        settled_after=ENGAGEMENT_AFTER,
        restated_for=ENGAGEMENT_REVISED_DAYS,
        earliest=EARLIEST,
    )
    return Feed(endpoint, f"{ROOT}/{path or name}", _date, read, "page", next_page)


def _billed(
    name: str,
    title: str,
    query: Callable[[dt.date | None], Query],
    read: Callable[[dt.date | None, Iterator[Page]], Reading],
) -> Feed:
    endpoint = Endpoint(
        name, title, daily=True, settled_after=COST_AFTER, restated_for=COST_REVISED_DAYS, earliest=EARLIEST
    )
    return Feed(endpoint, f"{ROOT}/{name}", query, read, "page", next_page)


SUMMARIES = Feed(
    Endpoint(
        "summaries",
        "Active users, adoption and seats of the organisation",
        daily=True,
        settled_after=ENGAGEMENT_AFTER,
        restated_for=ENGAGEMENT_REVISED_DAYS,
        earliest=EARLIEST,
    ),
    f"{ROOT}/summaries",
    _range,
    mapping.summaries,
)
FEEDS = [
    SUMMARIES,
    _engagement("users", "Each person's day: Claude Code activity, and what they did in other products", mapping.users),
    _engagement("skills", "Skills that were used", mapping.named("skill_name")),
    _engagement("connectors", "Connectors (MCP) that were used", mapping.named("connector_name")),
    _engagement("plugins", "Plugins that were used", mapping.named("plugin_id", "plugin_name")),
    _engagement("projects", "Projects in chat", mapping.named("project_id"), "apps/chat/projects"),
    _engagement("artifacts", "Artifacts that were made", mapping.named("artifact_type", "is_shared")),
    _billed(
        "usage_report",
        "Tokens of the organisation by product and model (the 100 largest)",
        _bucket("model", "product"),
        mapping.usage_report,
    ),
    _billed(
        "cost_report",
        "Dollars of the organisation by product and model (the 100 largest)",
        _bucket("model", "product"),
        mapping.cost_report,
    ),
    _billed(
        "user_usage_report",
        "Each person's day: tokens and requests by product and model",
        _by_user_and_model,
        mapping.user_usage_report,
    ),
    _billed(
        "user_cost_report",
        "Each person's day: dollars by product and model",
        _by_user_and_model,
        mapping.user_cost_report,
    ),
]


class AnthropicAnalytics(Vendor):
    slug = "anthropic_analytics"
    title = "Claude Enterprise"
    vendor_name = anthropic.NAME
    default_url = anthropic.URL
    key_help = (
        f"An Enterprise key (sk-ant-api01-…). Made in {anthropic.ANALYTICS_KEY_MADE}. The portal only ever reads with "
        "it (GET). There are figures from 1 January 2026 on; on seat plans, usage and cost show usage credits only."
    )
    key_kinds = anthropic.key_kinds(takes="analytics", made=anthropic.ANALYTICS_KEY_MADE)
    feeds = {feed.endpoint.name: feed for feed in FEEDS}

    def headers(self, key: str) -> Mapping[str, str]:
        return anthropic.headers(key)

    def organization(self, key: str) -> Organization:
        """Whose key it is. Raises VendorError.

        `/v1/organizations/me` names it; where a key of this kind may not ask that, the organisation's id is taken
        from a usage report, and where the plan has none, a summary proves at least that the key may read.
        """
        try:
            return self._named(key)
        except VendorError as error:
            if error.status not in (403, 404):
                raise
        day = self.today() - dt.timedelta(days=4)
        try:
            page = self.ask(key, f"{ROOT}/usage_report", [*_by_user(day), ("bucket_width", "1d")])
            return Organization(values.text(values.parsed(page.body).get("organization_id")), "")
        except VendorError as error:
            if error.status not in (403, 404):
                raise
        self.ask(key, SUMMARIES.path, _range(day))
        return Organization("", "")

    def today(self) -> dt.date:
        return dt.datetime.now(dt.UTC).date()

    def told_of(self, error: VendorError, feed: Feed, day: dt.date | None, cursor: str) -> VendorError:
        """Too recent a day is answered with 400 and the newest day there is; it is no mistake, and comes later."""
        newest = [found for found in _DATE.findall(error.told) if day and found < day.isoformat()]
        if error.status == 400 and not cursor and newest:
            told = (
                f"{anthropic.NAME} has no figures of {day:%d %B %Y} yet, only up to {max(newest)}. Asked again later."
            )
            return VendorError(told, status=400, retry_after=TOO_RECENT_WAIT)
        return super().told_of(error, feed, day, cursor)

    def _named(self, key: str) -> Organization:
        answer = values.parsed(self.ask(key, "/v1/organizations/me", []).body)
        return Organization(values.text(answer.get("id")), values.text(answer.get("name")))
