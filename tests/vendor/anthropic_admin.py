"""The Admin API's answers, as interfaces.md § 2 has them."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.vendor.pages import Query, after_id, invalid, limit, one, only, paged

if TYPE_CHECKING:
    from tests.vendor.server import FakeVendor


def me(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    return {"id": vendor.company.id, "name": "Acme", "type": "organization"}


def claude_code(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "starting_at", "limit", "page")
    day = _date(one(query, "starting_at"))
    size = vendor.size(limit(query, 20, 1000))
    rows = vendor.company.records(day) if day <= vendor.now().date() else []
    found, following = paged("claude_code", query, rows, size)
    return {"data": found, "has_more": following is not None, "next_page": following}


def messages(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "starting_at", "ending_at", "bucket_width", "limit", "page", "group_by[]")
    groups = _groups(query, {"model", "workspace_id", "api_key_id", "service_tier", "context_window", "inference_geo"})
    found = []
    for day in _days(query):
        rows = [{**dict.fromkeys(("model", "workspace_id", "api_key_id")), **_kept(row, groups)}
                for row in vendor.company.messages(day)]  # fmt: skip
        found.append({"starting_at": f"{day}T00:00:00Z", "ending_at": f"{_after(day)}T00:00:00Z", "results": rows})
    return _buckets("messages", vendor, query, found)


def cost(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "starting_at", "ending_at", "bucket_width", "limit", "page", "group_by[]")
    _groups(query, {"workspace_id", "description"})
    found = []
    for day in _days(query):
        rows = [
            {
                "amount": f"{row['uncached_input_tokens'] / 5000:.2f}",
                "currency": "USD",
                "cost_type": "tokens",
                "description": f"{row['model']} Usage - Input Tokens",
                "model": row["model"],
                "token_type": "uncached_input_tokens",
                "service_tier": "standard",
                "context_window": "0-200k",
                "inference_geo": None,
                "workspace_id": row["workspace_id"],
            }
            for row in vendor.company.messages(day)
        ]
        found.append({"starting_at": f"{day}T00:00:00Z", "ending_at": f"{_after(day)}T00:00:00Z", "results": rows})
    return _buckets("cost", vendor, query, found)


def users(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "email", "roles[]", "limit", "after_id", "before_id")
    rows = [
        {"id": each.id, "email": each.email, "name": each.name, "role": each.role, "added_at": each.added_at,
         "type": "user"}
        for each in vendor.company.members if not each.deleted
    ]  # fmt: skip
    return after_id(query, rows, vendor.size(limit(query, 20, 1000)))


def workspaces(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "include_archived", "limit", "after_id", "before_id")
    rows = [
        {"id": "wrkspc_01Platform", "name": "Platform", "created_at": "2025-06-01T09:00:00Z", "archived_at": None,
         "display_color": "#6C5BB9", "tags": {}, "type": "workspace"},
        {"id": "wrkspc_02Payments", "name": "Payments", "created_at": "2025-07-01T09:00:00Z",
         "archived_at": "2026-10-01T09:00:00Z", "display_color": "#6C5BB9", "tags": {}, "type": "workspace"},
    ]  # fmt: skip
    if one(query, "include_archived", "false") != "true":
        rows = [row for row in rows if row["archived_at"] is None]
    return after_id(query, rows, vendor.size(limit(query, 20, 1000)))


def _buckets(path: str, vendor: "FakeVendor", query: Query, buckets: list[dict[str, Any]]) -> dict[str, Any]:
    if one(query, "bucket_width", "1d") != "1d":
        raise invalid("bucket_width: only 1d here")
    found, following = paged(path, query, buckets, limit(query, 7, 31))
    return {"data": found, "has_more": following is not None, "next_page": following}


def _days(query: Query) -> list[dt.date]:
    first = _time(one(query, "starting_at"))
    last = _time(one(query, "ending_at", f"{first + dt.timedelta(days=7)}T00:00:00Z"))
    if last <= first:
        raise invalid("ending_at: must be after starting_at")
    return [first + dt.timedelta(days=number) for number in range((last - first).days)]


def _groups(query: Query, known: set[str]) -> set[str]:
    groups = set(query.get("group_by[]", ()))
    if not groups <= known:
        raise invalid("group_by[]: Input should be one of " + ", ".join(sorted(known)))
    return groups


def _kept(row: dict[str, Any], groups: set[str]) -> dict[str, Any]:
    return {name: each for name, each in row.items() if name in groups or name not in
            ("model", "workspace_id", "api_key_id")}  # fmt: skip


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise invalid("starting_at: Input should be a valid date in the format YYYY-MM-DD") from None


def _time(text: str) -> dt.date:
    try:
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC).date()
    except ValueError:
        raise invalid("starting_at: Input should be a valid RFC 3339 timestamp") from None


def _after(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=1)
