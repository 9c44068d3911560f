"""OpenAI's organisation usage and costs, as its OpenAPI description 2.3.0 has them."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.vendor.pages import Query, after_id, invalid, limit, one, only, paged

if TYPE_CHECKING:
    from tests.vendor.server import FakeVendor

MODELS = {"claude-opus-5-5": "gpt-6.2-sol", "claude-sonnet-5-5": "gpt-6-sol", "claude-haiku-5-5": "gpt-6-luna"}


def completions(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "start_time", "end_time", "bucket_width", "limit", "page", "group_by")
    assert set(query.get("group_by", ())) == {"user_id", "api_key_id", "model"}, "the fake sums up over nothing"
    return _page("completions", query, [_bucket(day, spending(vendor, day)) for day in _days(query)])


def costs(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "start_time", "end_time", "bucket_width", "limit", "page", "group_by")
    buckets = []
    for day in _days(query):
        rows = [
            {"object": "organization.costs.result", "project_id": "proj_abc", "line_item": f"{row['model']}, input",
             "amount": {"value": row["input_tokens"] / 10**6, "currency": "usd"}}
            for row in spending(vendor, day) if row["user_id"] is None
        ]  # fmt: skip
        buckets.append(_bucket(day, rows))
    return _page("costs", query, buckets)


def users(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "limit", "after", "emails")
    rows = [
        {"object": "organization.user", "id": _id(each.id), "name": each.name, "email": each.email,
         "role": "owner" if each.role == "admin" else "reader",
         "added_at": int(dt.datetime.fromisoformat(each.added_at).timestamp())}
        for each in vendor.company.members if not each.deleted
    ]  # fmt: skip
    return {"object": "list", **after_id(query, rows, vendor.size(limit(query, 20, 100)), "after")}


def spending(vendor: "FakeVendor", day: dt.date) -> list[dict[str, Any]]:
    """By member and model, and by API key where there is no member."""
    found = []
    for member, messages, tokens in vendor.company.chats(day):
        found.append(_row(_id(member.id), None, tokens, messages))
    for row in vendor.company.messages(day):
        found.append(_row(None, f"key_{row['api_key_id']}", row, 40))
    return found


def _row(user: str | None, key: str | None, tokens: dict[str, Any], requests: int) -> dict[str, Any]:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": tokens["uncached_input_tokens"] + tokens["cache_read_input_tokens"],
        "input_cached_tokens": tokens["cache_read_input_tokens"],
        "output_tokens": tokens["output_tokens"],
        "num_model_requests": requests,
        "project_id": None,
        "user_id": user,
        "api_key_id": key,
        "model": MODELS[tokens["model"]],
        "batch": None,
    }


def _bucket(day: dt.date, results: list[dict[str, Any]]) -> dict[str, Any]:
    start = int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp())
    return {"object": "bucket", "start_time": start, "end_time": start + 86400, "results": results}


def _page(path: str, query: Query, buckets: list[dict[str, Any]]) -> dict[str, Any]:
    found, following = paged(path, query, buckets, limit(query, 7, 31))
    return {"object": "page", "data": found, "has_more": following is not None, "next_page": following}


def _days(query: Query) -> list[dt.date]:
    first, last = _day(one(query, "start_time")), _day(one(query, "end_time"))
    return [first + dt.timedelta(days=number) for number in range((last - first).days)]


def _day(text: str) -> dt.date:
    if not text.isdigit():
        raise invalid("start_time: expected Unix seconds")
    return dt.datetime.fromtimestamp(int(text), dt.UTC).date()


def _id(member: str) -> str:
    return member.replace("user_", "user-")
