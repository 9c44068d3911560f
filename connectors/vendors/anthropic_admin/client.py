"""Anthropic's Admin API: usage, cost, members and workspaces of a Console organisation.

Sources: platform.claude.com/docs/en/api/admin/usage_report/retrieve_claude_code, …/usage_report/retrieve_messages,
…/cost_report/retrieve, …/users/list, …/workspaces/list, …/organizations/me; manage-claude/usage-cost-api asks not to
poll more than once a minute. For how long a day may still change is not documented: three days are taken.
"""

import datetime as dt
from collections.abc import Mapping

from connectors.vendors import anthropic, values
from connectors.vendors.anthropic_admin import mapping
from connectors.vendors.feeds import Feed, Query, Vendor, last_id, midnight, next_page, of_day
from connectors.vendors.shape import Endpoint, Organization

_HOUR = dt.timedelta(hours=1)


def _claude_code(day: dt.date | None) -> Query:
    return [("starting_at", of_day(day).isoformat()), ("limit", "1000")]


def _messages(day: dt.date | None) -> Query:
    groups = [("group_by[]", name) for name in mapping.MESSAGE_GROUPS]
    return [*_one_day(day), ("bucket_width", "1d"), ("limit", "1"), *groups]


def _cost(day: dt.date | None) -> Query:
    groups = [("group_by[]", name) for name in mapping.COST_GROUPS]
    return [*_one_day(day), ("bucket_width", "1d"), ("limit", "1"), *groups]


def _one_day(day: dt.date | None) -> Query:
    first = of_day(day)
    return [("starting_at", midnight(first)), ("ending_at", midnight(first + dt.timedelta(days=1)))]


def _users(day: dt.date | None) -> Query:
    return [("limit", "1000")]


def _workspaces(day: dt.date | None) -> Query:
    return [("include_archived", "true"), ("limit", "1000")]


FEEDS = [
    Feed(
        Endpoint(
            "claude_code",
            "Claude Code: each person's day, with activity, tokens and estimated cost",
            daily=True,
            settled_after=_HOUR,
            restated_for=3,
        ),
        "/v1/organizations/usage_report/claude_code",
        _claude_code,
        mapping.claude_code,
        "page",
        next_page,
    ),
    Feed(
        Endpoint(
            "messages",
            "All API usage: tokens by model, workspace and API key",
            daily=True,
            settled_after=_HOUR,
            restated_for=3,
        ),
        "/v1/organizations/usage_report/messages",
        _messages,
        mapping.messages,
        "page",
        next_page,
    ),
    Feed(
        Endpoint(
            "cost",
            "The bill: dollars by workspace and what they are for",
            daily=True,
            settled_after=_HOUR,
            restated_for=3,
        ),
        "/v1/organizations/cost_report",
        _cost,
        mapping.cost,
        "page",
        next_page,
    ),
    Feed(
        Endpoint("users", "Members of the organisation", daily=False),
        "/v1/organizations/users",
        _users,
        mapping.users,
        "after_id",
        last_id,
    ),
    Feed(
        Endpoint("workspaces", "Workspaces, archived ones too", daily=False),
        "/v1/organizations/workspaces",
        _workspaces,
        mapping.workspaces,
        "after_id",
        last_id,
    ),
]


class AnthropicAdmin(Vendor):
    slug = "anthropic_admin"
    title = "Claude Console"
    vendor_name = anthropic.NAME
    default_url = anthropic.URL
    key_help = (
        f"An Admin key (sk-ant-admin…). Made in {anthropic.ADMIN_KEY_MADE}. It has no scopes and could change the "
        "organisation; the portal only ever reads with it (GET). Individual accounts have none. Bedrock, Google Cloud "
        "and Foundry are not in these reports: use telemetry for them."
    )
    key_kinds = anthropic.key_kinds(takes="admin", made=anthropic.ADMIN_KEY_MADE)
    feeds = {feed.endpoint.name: feed for feed in FEEDS}

    def headers(self, key: str) -> Mapping[str, str]:
        return anthropic.headers(key)

    def organization(self, key: str) -> Organization:
        """Whose key it is. Raises VendorError."""
        answer = values.parsed(self.ask(key, "/v1/organizations/me", []).body)
        return Organization(values.text(answer.get("id")), values.text(answer.get("name")))
