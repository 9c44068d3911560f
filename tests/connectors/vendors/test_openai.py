"""OpenAI's reports as rows: a second vendor in the same shape."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from connectors.vendors.openai import OpenAI
from connectors.vendors.shape import UsageRow, VendorError
from tests.connectors.vendors.reading import pull
from tests.vendor import FakeVendor
from tests.vendor.openai import spending

EXAMPLE = {  # of OpenAI's own description
    "object": "organization.usage.completions.result", "input_tokens": 1000, "output_tokens": 500,
    "input_cached_tokens": 800, "num_model_requests": 5, "project_id": None, "user_id": None, "api_key_id": None,
    "model": None, "batch": None,
}  # fmt: skip


@pytest.fixture
def openai(vendor: FakeVendor) -> OpenAI:
    return OpenAI(base_url=vendor.url)


def test_cached_tokens_are_not_counted_twice() -> None:
    body = {"data": [{"object": "bucket", "start_time": 1730419200, "end_time": 1730505600, "results": [EXAMPLE]}]}
    (row,) = OpenAI().read("completions", dt.date(2024, 11, 1), [json.dumps(body).encode()]).usage
    assert row == UsageRow(
        dt.date(2024, 11, 1), "account_id", "unknown", "other", model="unknown",
        requests=5, input_tokens=200, output_tokens=500, cache_read_tokens=800,
    )  # fmt: skip


def test_a_day_is_told_by_user_and_else_by_key(vendor: FakeVendor, openai: OpenAI) -> None:
    day = vendor.company.last_day
    usage = pull(openai, vendor.keys.openai_admin, "completions", day).usage
    expected = spending(vendor, day)
    assert {row.identity_kind for row in usage} == {"account_id", "api_key"}
    assert sum(row.input_tokens + row.cache_read_tokens for row in usage) == sum(r["input_tokens"] for r in expected)
    assert sum(row.requests for row in usage) == sum(row["num_model_requests"] for row in expected)


def test_costs_are_dollars_as_text(vendor: FakeVendor, openai: OpenAI) -> None:
    day = vendor.company.last_day
    reports = pull(openai, vendor.keys.openai_admin, "costs", day).reports
    tokens = sum(row["input_tokens"] for row in spending(vendor, day) if row["user_id"] is None)
    assert sum(Decimal(each.data["amount"]) for each in reports) == Decimal(tokens) / 10**6
    assert {each.data["currency"] for each in reports} == {"USD"}


def test_members_are_seats(vendor: FakeVendor, openai: OpenAI) -> None:
    vendor.page_limit = 11
    seats = pull(openai, vendor.keys.openai_admin, "users").seats
    assert seats is not None
    assert {seat.email for seat in seats} == {each.email for each in vendor.company.members if not each.deleted}
    assert seats[0].added_at == dt.datetime(2025, 6, 1, 9, tzinfo=dt.UTC)


def test_figures_of_another_day_are_refused() -> None:
    body = json.dumps({"data": [{"start_time": 1730419200, "results": []}]}).encode()
    with pytest.raises(VendorError, match="another day"):
        OpenAI().read("costs", dt.date(2024, 11, 2), [body])
