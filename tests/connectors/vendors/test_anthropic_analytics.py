"""Claude Enterprise's reports as rows: whole days against the vendor's totals, and what only this interface does."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.vendors.anthropic_analytics import AnthropicAnalytics
from connectors.vendors.shape import VendorError
from tests.connectors.vendors.reading import pull
from tests.vendor import FakeVendor, Fault, truth

ROOT = "/v1/organizations/analytics"


@pytest.fixture
def enterprise(vendor: FakeVendor) -> AnthropicAnalytics:
    return AnthropicAnalytics(base_url=vendor.url)


@pytest.fixture
def day(vendor: FakeVendor) -> dt.date:
    return vendor.company.last_day


def read(endpoint: str, *rows: dict[str, Any], day: dt.date = dt.date(2026, 11, 2)) -> Any:
    return AnthropicAnalytics().read(endpoint, day, [json.dumps({"data": list(rows), "next_page": None}).encode()])


def test_every_endpoint_of_the_reference_is_asked(
    vendor: FakeVendor, enterprise: AnthropicAnalytics, day: dt.date
) -> None:
    for endpoint in enterprise.endpoints:
        reading = pull(enterprise, vendor.keys.analytics, endpoint.name, day)
        assert reading.usage or reading.reports, endpoint.name
        assert endpoint.daily
        assert endpoint.earliest == dt.date(2026, 1, 1)
    asked = {each.path.removeprefix(ROOT) for each in vendor.requests}
    assert asked == {
        "/summaries", "/users", "/skills", "/connectors", "/plugins", "/apps/chat/projects", "/artifacts",
        "/usage_report", "/cost_report", "/user_usage_report", "/user_cost_report",
    }  # fmt: skip


@pytest.mark.parametrize("page_limit", [3, 1000])
@pytest.mark.parametrize("field", ["email", "email_address"])
def test_tokens_by_user_are_read_to_the_last_page(
    vendor: FakeVendor, enterprise: AnthropicAnalytics, day: dt.date, page_limit: int, field: str
) -> None:
    vendor.page_limit, vendor.address_field = page_limit, field
    found = truth.of_rows(pull(enterprise, vendor.keys.analytics, "user_usage_report", day).usage)
    expected = truth.analytics(vendor, day, day)
    expected.cost = Decimal(0)
    assert found == expected


def test_dollars_by_user_are_exact(vendor: FakeVendor, enterprise: AnthropicAnalytics, day: dt.date) -> None:
    found = truth.of_rows(pull(enterprise, vendor.keys.analytics, "user_cost_report", day).usage)
    expected = truth.analytics(vendor, day, day)
    assert (found.cost, found.user_days) == (expected.cost, expected.user_days)
    assert found.cost > 0
    assert found.input_tokens == 0, "tokens are another endpoint's, and nothing is told twice"


def test_only_claude_code_is_taken_for_an_agent(
    vendor: FakeVendor, enterprise: AnthropicAnalytics, day: dt.date
) -> None:
    usage = pull(enterprise, vendor.keys.analytics, "user_usage_report", day).usage
    assert {(row.agent, row.surface) for row in usage} == {("claude_code", "claude_code"), ("other", "chat")}


def test_activity_of_claude_code_is_usage_and_that_of_other_products_a_report(
    vendor: FakeVendor, enterprise: AnthropicAnalytics, day: dt.date
) -> None:
    reading = pull(enterprise, vendor.keys.analytics, "users", day)
    records = [each for each in vendor.company.records(day) if each["actor"]["type"] == "user_actor"]
    assert sum(row.sessions for row in reading.usage) == sum(each["core_metrics"]["num_sessions"] for each in records)
    assert sum(row.tools["Edit"][1] for row in reading.usage if "Edit" in row.tools) == sum(
        each["tool_actions"]["edit_tool"]["rejected"] for each in records
    )
    chats = {member.id: messages for member, messages, _ in vendor.company.chats(day)}
    told = {each.data["user"]["id"]: each.data["chat_metrics"]["message_count"] for each in reading.reports}
    assert {who: count for who, count in told.items() if count} == chats
    assert all("claude_code_metrics" not in each.data for each in reading.reports)
    assert all(row.sessions for row in reading.usage), "who only chats has no user-day with Claude Code"


def test_who_deleted_the_account_is_known_by_it(vendor: FakeVendor, enterprise: AnthropicAnalytics) -> None:
    gone = {each.id for each in vendor.company.members if each.deleted}
    days = [vendor.company.first_day + dt.timedelta(days=number) for number in range(10)]
    kinds = {
        (row.identity_kind, row.identity)
        for day in days
        for row in pull(enterprise, vendor.keys.analytics, "user_usage_report", day).usage
    }
    assert {identity for kind, identity in kinds if kind == "account_id"} == gone


def test_fractions_of_cents_stay_in_reports(vendor: FakeVendor, enterprise: AnthropicAnalytics, day: dt.date) -> None:
    reports = pull(enterprise, vendor.keys.analytics, "cost_report", day).reports
    total = sum(Decimal(each.data["amount"]) for each in reports)
    assert abs(total - truth.analytics(vendor, day, day).cost) < Decimal("1E-7"), "summed up before it is rounded"
    (skill, *_) = pull(enterprise, vendor.keys.analytics, "skills", day).reports
    assert (skill.data["attributed_list_price"], skill.data["estimated_overage_spend"]) == ("0.125", None)


def test_a_day_that_is_not_summed_up_yet_comes_later(vendor: FakeVendor, enterprise: AnthropicAnalytics) -> None:
    today = vendor.now().date()
    with pytest.raises(VendorError, match="no figures of 28 November 2026 yet, only up to 2026-11-27") as caught:
        enterprise.fetch(vendor.keys.analytics, "users", today, "")
    assert (caught.value.status, caught.value.refused, caught.value.retry_after) == (400, False, 3600)


def test_another_wrong_question_is_no_matter_of_time(vendor: FakeVendor, enterprise: AnthropicAnalytics) -> None:
    vendor.faults.push(f"{ROOT}/users", Fault(400, "invalid_request_error", "date: unexpected"))
    with pytest.raises(VendorError, match="unexpected") as caught:
        enterprise.fetch(vendor.keys.analytics, "users", vendor.company.last_day, "")
    assert caught.value.refused


def test_nothing_is_asked_of_before_there_was_anything(vendor: FakeVendor, enterprise: AnthropicAnalytics) -> None:
    with pytest.raises(VendorError, match="before 01 January 2026") as caught:
        enterprise.fetch(vendor.keys.analytics, "users", dt.date(2025, 12, 31), "")
    assert caught.value.refused
    assert vendor.requests == []


def test_after_a_refresh_the_list_begins_anew(vendor: FakeVendor, enterprise: AnthropicAnalytics, day: dt.date) -> None:
    vendor.page_limit = 3
    first = enterprise.fetch(vendor.keys.analytics, "user_cost_report", day, "")
    vendor.refresh()
    with pytest.raises(VendorError, match="refreshed its figures") as caught:
        enterprise.fetch(vendor.keys.analytics, "user_cost_report", day, first.next_cursor)
    assert (caught.value.status, caught.value.restart, caught.value.refused) == (410, True, False)
    assert enterprise.fetch(vendor.keys.analytics, "user_cost_report", day, "").next_cursor


def test_lists_of_engagement_end_without_saying_that_they_do(
    vendor: FakeVendor, enterprise: AnthropicAnalytics, day: dt.date
) -> None:
    vendor.page_limit = 2
    whole = pull(enterprise, vendor.keys.analytics, "users", day)
    assert len(vendor.requests) == -(-len(whole.reports) // 2)
    assert b"has_more" not in enterprise.fetch(vendor.keys.analytics, "users", day, "").body


def test_missing_and_null_fields_are_nothing() -> None:
    row = {"user": {"id": "user_1", "email_address": None}, "claude_code_metrics": None, "office_metrics": None}
    reading = read("users", row)
    assert reading.usage == []
    assert [each.key for each in reading.reports] == ["user=user_1"]


def test_cache_writes_may_be_one_number() -> None:
    (row,) = read("user_usage_report", {"actor": {"user_id": "user_1"}, "product": None, "cache_creation": "7"}).usage
    assert (row.cache_creation_tokens, row.model, row.surface, row.agent) == (7, "unknown", "", "other")


def test_rows_of_another_day_are_refused() -> None:
    for endpoint in ("user_usage_report", "usage_report"):
        with pytest.raises(VendorError, match="another day"):
            read(endpoint, {"starting_at": "2026-11-03T00:00:00Z", "results": []})
