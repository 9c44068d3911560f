"""OpenAI's organisation usage of completions, costs and members.

Sources: OpenAI's OpenAPI description 2.3.0 (paths /organization/usage/completions, /organization/costs,
/organization/users; components UsageCompletionsResult, CostsResult), and the OpenAI cookbook “Completions Usage API”
for paging (`page` ← `next_page` while `has_more`).

Unverified, as no page of OpenAI's that could be read says it: how fresh the figures are and for how long they change
(four hours and seven days are taken), whether tokens written to a cache are told apart (they are counted as input),
and that every answer names the organisation in its header `openai-organization`.
"""

import datetime as dt
from collections.abc import Mapping

from connectors.vendors import values
from connectors.vendors.feeds import Feed, Query, Vendor, last_id, next_page, of_day
from connectors.vendors.openai import mapping
from connectors.vendors.shape import Endpoint, KeyKind, Organization

ADMIN_KEY_MADE = "platform.openai.com › Settings › Organization › Admin keys, by an owner of the organisation"
_NO_USAGE = f"It may use models, and reads no usage. The right one is made in {ADMIN_KEY_MADE}."
_AFTER, _REVISED_DAYS = dt.timedelta(hours=4), 7


def _one_day(day: dt.date | None) -> Query:
    start = dt.datetime.combine(of_day(day), dt.time(), dt.UTC)
    end = start + dt.timedelta(days=1)
    return [("start_time", str(int(start.timestamp()))), ("end_time", str(int(end.timestamp())))]


def _completions(day: dt.date | None) -> Query:
    groups = [("group_by", name) for name in mapping.USAGE_GROUPS]
    return [*_one_day(day), ("bucket_width", "1d"), ("limit", "1"), *groups]


def _costs(day: dt.date | None) -> Query:
    groups = [("group_by", name) for name in mapping.COST_GROUPS]
    return [*_one_day(day), ("bucket_width", "1d"), ("limit", "1"), *groups]


def _users(day: dt.date | None) -> Query:
    return [("limit", "100")]


FEEDS = [
    Feed(
        Endpoint(
            "completions",
            "Each person's or API key's day: tokens and requests by model",
            daily=True,
            settled_after=_AFTER,
            restated_for=_REVISED_DAYS,
        ),
        "/v1/organization/usage/completions",
        _completions,
        mapping.completions,
        "page",
        next_page,
    ),
    Feed(
        Endpoint(
            "costs",
            "The bill: dollars by project and line item",
            daily=True,
            settled_after=_AFTER,
            restated_for=_REVISED_DAYS,
        ),
        "/v1/organization/costs",
        _costs,
        mapping.costs,
        "page",
        next_page,
    ),
    Feed(
        Endpoint("users", "Members of the organisation", daily=False),
        "/v1/organization/users",
        _users,
        mapping.users,
        "after",
        last_id,
    ),
]


class OpenAI(Vendor):
    slug = "openai"
    title = "OpenAI"
    vendor_name = "OpenAI"
    default_url = "https://api.openai.com"
    key_help = (
        f"An Admin key (sk-admin-…). Made in {ADMIN_KEY_MADE}. It could change the organisation; the portal only ever "
        "reads with it (GET)."
    )
    key_kinds = [
        KeyKind("admin", "Admin key", "sk-admin-"),
        KeyKind(
            "project",
            "project key",
            "sk-proj-",
            f"This is a project's key. {_NO_USAGE}",
        ),
        KeyKind(
            "service",
            "service account's key",
            "sk-svcacct-",
            f"This is a service account's key. {_NO_USAGE}",
        ),
        KeyKind(
            "user",
            "user's key",
            "sk-",
            f"This is a user's own key. {_NO_USAGE}",
        ),
        KeyKind(
            "anthropic",
            "Anthropic key",
            "sk-ant-",
            f"This is a key of Anthropic's. Choose Claude as the vendor, or make a key here: {ADMIN_KEY_MADE}.",
        ),
        KeyKind(
            "portal",
            "token of this portal",
            "agp_",
            f"This is a token of this portal's own. Here a key of the vendor's is needed. {ADMIN_KEY_MADE}.",
        ),
    ]
    feeds = {feed.endpoint.name: feed for feed in FEEDS}

    def headers(self, key: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def organization(self, key: str) -> Organization:
        """Whose key it is, by the header of an answer. Raises VendorError."""
        answer = self.ask(key, "/v1/organization/users", [("limit", "1")])
        name = values.text(answer.headers.get("openai-organization"))
        return Organization(name, name)
