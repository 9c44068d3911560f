"""The Claude Enterprise Analytics API's answers, as interfaces.md § 3 has them."""

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.vendor.anthropic_admin import _after, _days, _groups
from tests.vendor.company import MODELS, Member
from tests.vendor.pages import Query, invalid, limit, one, only, paged

if TYPE_CHECKING:
    from tests.vendor.server import FakeVendor

EARLIEST = dt.date(2026, 1, 1)
_TOOLS = ("edit_tool", "multi_edit_tool", "write_tool", "notebook_edit_tool")
_GROUPS = {"context_window", "inference_geo", "model", "product", "rbac_group_id", "slack_channel_id", "speed"}


def newest_day(now: dt.datetime) -> dt.date:
    """A day is summed up at 10:00 UTC of the next."""
    return now.date() - dt.timedelta(days=1 if now.hour >= 10 else 2)


def summaries(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    only(query, "starting_date", "ending_date", "filter[]")
    first = _engaged(vendor, one(query, "starting_date"), "starting_date")
    last = _parsed(one(query, "ending_date", str(_after(first))), "ending_date")
    if not 0 < (last - first).days <= 366:
        raise invalid("ending_date: the range may have up to 366 days")
    seats = sum(not each.deleted for each in vendor.company.members)
    found = []
    for number in range((last - first).days):
        day = first + dt.timedelta(days=number)
        active = len({*(who for who, _ in _code(vendor, day)), *(m.id for m, _, _ in vendor.company.chats(day))})
        found.append(
            {
                "starting_at": f"{day}T00:00:00Z",
                "ending_at": f"{_after(day)}T00:00:00Z",
                "daily_active_user_count": active,
                "weekly_active_user_count": min(active + 3, seats),
                "monthly_active_user_count": min(active + 9, seats),
                "daily_adoption_rate": round(100 * active / max(seats, 1), 2),
                "assigned_seat_count": seats,
                "pending_invite_count": None,
                "cowork_daily_active_user_count": 0,
            }
        )
    return {"summaries": found}


def users(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    day = _day(vendor, query)
    code = dict(_code(vendor, day))
    chats = {member.id: messages for member, messages, _ in vendor.company.chats(day)}
    rows = [
        {
            "user": {"id": each.id, "email_address": None if each.deleted else each.email, "type": "user"},
            "chat_metrics": {
                "message_count": chats.get(each.id, 0),
                "distinct_conversation_count": min(chats.get(each.id, 0), 3),
            },
            "claude_code_metrics": code.get(each.id) or _nothing(),
            "cowork_metrics": {"distinct_session_count": 0, "message_count": 0},
            "office_metrics": {"excel": {"message_count": 0}},
            "web_search_count": 0,
            "last_activity_date": str(day),
        }
        for each in vendor.company.members
        if each.id in code or each.id in chats
    ]
    return _list("users", vendor, query, rows)


def skills(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    day = _day(vendor, query)
    rows = [
        {"skill_name": name, "skill_display_name": name.title(), "distinct_user_count": 3 + number,
         "invocation_count": 7 * (number + 1), "enable_count": 4, "share_status": "org",
         "attributed_list_price": f"{12.5 * (number + 1):.3f}", "estimated_overage_spend": None, "currency": "USD"}
        for number, name in enumerate(("code-review", "release-notes", "postmortem"))
        if vendor.company.records(day)
    ]  # fmt: skip
    return _list("skills", vendor, query, rows)


def connectors(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    day = _day(vendor, query)
    rows = [
        {"connector_name": name, "connector_display_name": name.title(), "distinct_user_count": 2,
         "read_call_count": 30, "write_call_count": number, "unclassified_call_count": 0}
        for number, name in enumerate(("github", "jira", "payments-db"))
        if vendor.company.records(day)
    ]  # fmt: skip
    return _list("connectors", vendor, query, rows)


def plugins(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    day = _day(vendor, query)
    rows = [
        {"plugin_name": "house-style", "plugin_id": "plugin_01", "distinct_user_count": 4, "install_count": 5,
         "invocation_count": 17}
    ]  # fmt: skip
    return _list("plugins", vendor, query, rows if vendor.company.records(day) else [])


def projects(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    day = _day(vendor, query)
    rows = [
        {"project_id": f"proj_{member.id[-6:]}", "project_name": f"{member.name}'s notes",
         "created_at": "2026-02-01T00:00:00Z", "created_by": {"id": member.id, "email_address": member.email},
         "distinct_user_count": 1, "message_count": messages, "distinct_conversation_count": 1}
        for member, messages, _ in vendor.company.chats(day)[:5]
    ]  # fmt: skip
    return _list("projects", vendor, query, rows)


def artifacts(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    day = _day(vendor, query)
    rows = [
        {"artifact_type": kind, "is_shared": shared, "artifacts_created_count": 4,
         "published_artifacts_created_count": 1, "distinct_user_count": 3}
        for kind in ("code", "document") for shared in (True, False) if vendor.company.chats(day)
    ]  # fmt: skip
    return _list("artifacts", vendor, query, rows)


def usage_report(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    _billed(query, "bucket_width", "limit")
    return _bucketed("usage_report", vendor, query, lambda row: _tokens_of(row))


def cost_report(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    _billed(query, "bucket_width", "limit")
    return _bucketed("cost_report", vendor, query, lambda row: _money_of(row))


def user_usage_report(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    _billed(query, "order_by", "order", "exclude_deleted_users", "limit")
    return _by_user("user_usage_report", vendor, query, _tokens_of)


def user_cost_report(vendor: "FakeVendor", query: Query) -> dict[str, Any]:
    _billed(query, "order_by", "order", "exclude_deleted_users", "limit")
    return _by_user("user_cost_report", vendor, query, _money_of)


def spending(vendor: "FakeVendor", day: dt.date) -> list[dict[str, Any]]:
    """All that was spent on a day, by member, product and model."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    members = {each.email: each for each in vendor.company.members}
    for record in vendor.company.records(day):
        member = members.get(record["actor"].get("email_address", ""))
        for each in record["model_breakdown"] if member else ():
            tokens = each["tokens"]
            _add(found, member, "claude_code", each["model"], {
                "uncached_input_tokens": tokens["input"], "output_tokens": tokens["output"],
                "cache_read_input_tokens": tokens["cache_read"], "cache_creation_5m": tokens["cache_creation"],
                "cache_creation_1h": 0, "requests": 7,
            })  # fmt: skip
    for member, messages, tokens in vendor.company.chats(day):
        _add(found, member, "chat", tokens["model"], {
            "uncached_input_tokens": tokens["uncached_input_tokens"], "output_tokens": tokens["output_tokens"],
            "cache_read_input_tokens": tokens["cache_read_input_tokens"],
            "cache_creation_5m": tokens["cache_creation"]["ephemeral_5m_input_tokens"],
            "cache_creation_1h": tokens["cache_creation"]["ephemeral_1h_input_tokens"], "requests": messages,
        })  # fmt: skip
    return list(found.values())


def millionths_of_cents(row: dict[str, Any]) -> int:
    """What a row cost, exactly."""
    price = [round(1000 * each) for each in MODELS[row["model"]]]  # thousandths of a dollar a million tokens
    cached = row["cache_creation_5m"] + row["cache_creation_1h"]
    parts = (row["uncached_input_tokens"], row["output_tokens"], row["cache_read_input_tokens"], cached)
    return sum(count * each for count, each in zip(parts, price, strict=True)) // 10


def _add(found: dict[Any, Any], member: Member, product: str, model: str, counts: dict[str, int]) -> None:
    row = found.setdefault(
        (member.id, product, model), {"member": member, "product": product, "model": model, **dict.fromkeys(counts, 0)}
    )
    for name, number in counts.items():
        row[name] += number


def _tokens_of(row: dict[str, Any]) -> dict[str, Any]:
    names = ("uncached_input_tokens", "output_tokens", "cache_read_input_tokens", "requests")
    return {
        **{name: row[name] for name in names},
        "cache_creation": {
            "ephemeral_5m_input_tokens": row["cache_creation_5m"],
            "ephemeral_1h_input_tokens": row["cache_creation_1h"],
        },
        "server_tool_use": {"web_search_requests": 0},
    }


def _money_of(row: dict[str, Any]) -> dict[str, Any]:
    cost = millionths_of_cents(row)
    return {
        "amount": f"{cost // 10**6}.{cost % 10**6:06}",
        "list_amount": f"{2 * cost // 10**6}.{2 * cost % 10**6:06}",
        "currency": "USD",
    }


def _by_user(path: str, vendor: "FakeVendor", query: Query, told: Any) -> dict[str, Any]:
    groups = _groups(query, _GROUPS)
    assert {"model", "product"} <= groups, "the fake sums up over nothing"
    rows = [
        {
            "actor": {
                "type": "user_actor",
                "user_id": row["member"].id,
                vendor.address_field: None if row["member"].deleted else row["member"].email,
                "name": None if row["member"].deleted else row["member"].name,
                "deleted": row["member"].deleted,
            },
            "product": row["product"],
            "model": row["model"],
            "starting_at": f"{day}T00:00:00Z",
            "ending_at": f"{_after(day)}T00:00:00Z",
            **told(row),
        }
        for day in _days(query)
        for row in spending(vendor, day)
    ]
    return _refreshable(path, vendor, query, rows, vendor.size(limit(query, 100, 1000)))


def _bucketed(path: str, vendor: "FakeVendor", query: Query, told: Any) -> dict[str, Any]:
    _groups(query, _GROUPS | {"cost_type", "token_type"})
    buckets = []
    for day in _days(query):
        summed: dict[Any, dict[str, Any]] = {}
        for row in spending(vendor, day):
            _add(summed, Member("", "", "", "", "", ""), row["product"], row["model"],
                 {name: each for name, each in row.items() if isinstance(each, int)})  # fmt: skip
        results = [{"product": row["product"], "model": row["model"], **told(row)} for row in summed.values()]
        buckets.append(
            {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{_after(day)}T00:00:00Z", "results": results[:100]}
        )
    return _refreshable(path, vendor, query, buckets, limit(query, 7, 31))


def _refreshable(path: str, vendor: "FakeVendor", query: Query, rows: list[Any], size: int) -> dict[str, Any]:
    found, following = paged(path, query, rows, size, vendor.refreshes)
    return {
        "data": found,
        "data_refreshed_at": f"{vendor.now():%Y-%m-%dT%H:00:00Z}",
        "has_more": following is not None,
        "next_page": following,
        "organization_id": vendor.company.id,
    }


def _billed(query: Query, *more: str) -> None:
    only(query, "starting_at", "ending_at", "page", "group_by[]", *more)
    if any(day < EARLIEST for day in _days(query)):
        raise invalid("starting_at: data is available from 2026-01-01")
    if len(_days(query)) > 31:
        raise invalid("ending_at: the range may have up to 31 days")


def _list(path: str, vendor: "FakeVendor", query: Query, rows: list[Any]) -> dict[str, Any]:
    """Without `has_more`, as the engagement endpoints are."""
    found, following = paged(path, query, rows, vendor.size(limit(query, 100, 1000)))
    return {"data": found, "next_page": following}


def _day(vendor: "FakeVendor", query: Query) -> dt.date:
    only(query, "date", "limit", "page")
    return _engaged(vendor, one(query, "date"), "date")


def _engaged(vendor: "FakeVendor", text: str, name: str) -> dt.date:
    day, newest = _parsed(text, name), newest_day(vendor.now())
    if day > newest:
        raise invalid(f"{name}: data for {day} is not available yet; the most recent available date is {newest}")
    if day < EARLIEST:
        raise invalid(f"{name}: data is available from {EARLIEST}")
    return day


def _parsed(text: str, name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise invalid(f"{name}: Input should be a valid date in the format YYYY-MM-DD") from None


def _nothing() -> dict[str, Any]:
    return {
        "core_metrics": {
            "commit_count": 0,
            "pull_request_count": 0,
            "distinct_session_count": 0,
            "lines_of_code": {"added_count": 0, "removed_count": 0},
        },
        "tool_actions": {tool: {"accepted_count": 0, "rejected_count": 0} for tool in _TOOLS},
    }


def _code(vendor: "FakeVendor", day: dt.date) -> list[tuple[str, dict[str, Any]]]:
    """Claude Code's figures by member, in this interface's words."""
    found: dict[str, dict[str, Any]] = defaultdict(_nothing)
    ids = {each.email: each.id for each in vendor.company.members}
    for record in vendor.company.records(day):
        who = ids.get(record["actor"].get("email_address", ""))
        if who is None:
            continue
        core, theirs = found[who]["core_metrics"], record["core_metrics"]
        core["commit_count"] += theirs["commits_by_claude_code"]
        core["pull_request_count"] += theirs["pull_requests_by_claude_code"]
        core["distinct_session_count"] += theirs["num_sessions"]
        core["lines_of_code"]["added_count"] += theirs["lines_of_code"]["added"]
        core["lines_of_code"]["removed_count"] += theirs["lines_of_code"]["removed"]
        for tool, each in record["tool_actions"].items():
            found[who]["tool_actions"][tool]["accepted_count"] += each["accepted"]
            found[who]["tool_actions"][tool]["rejected_count"] += each["rejected"]
    return list(found.items())
