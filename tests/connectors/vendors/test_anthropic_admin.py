"""The Console's reports as rows: the documented examples, and a whole organisation against its own totals."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.vendors.anthropic_admin import AnthropicAdmin
from connectors.vendors.shape import UsageRow, VendorError
from tests.connectors.vendors.reading import pages, pull
from tests.vendor import FakeVendor, truth

DAY = dt.date(2025, 8, 8)
RECORD: dict[str, Any] = {
    "actor": {"email_address": "Ada@Acme.example", "type": "user_actor"},
    "core_metrics": {
        "commits_by_claude_code": 8,
        "lines_of_code": {"added": 342, "removed": 128},
        "num_sessions": 15,
        "pull_requests_by_claude_code": 2,
    },
    "customer_type": "api",
    "date": "2025-08-08T00:00:00Z",
    "is_remote": False,
    "model_breakdown": [
        {
            "estimated_cost": {"amount": 186, "currency": "USD"},
            "model": "claude-sonnet-4-20250514",
            "tokens": {"cache_creation": 2340, "cache_read": 8790, "input": 45230, "output": 12450},
        },
        {
            "estimated_cost": {"amount": 42.125, "currency": "USD"},
            "model": "claude-3-5-haiku-20241022",
            "tokens": {"cache_creation": 890, "cache_read": 3420, "input": 23100, "output": 5680},
        },
    ],
    "organization_id": "12345678-1234-5678-1234-567812345678",
    "terminal_type": "iTerm.app",
    "tool_actions": {
        "edit_tool": {"accepted": 25, "rejected": 3},
        "multi_edit_tool": {"accepted": 12, "rejected": 1},
        "notebook_edit_tool": {"accepted": 5, "rejected": 2},
        "write_tool": {"accepted": 8, "rejected": 0},
    },
    "subscription_type": "enterprise",
}


@pytest.fixture
def console(vendor: FakeVendor) -> AnthropicAdmin:
    return AnthropicAdmin(base_url=vendor.url)


def read(*records: dict[str, Any]) -> list[UsageRow]:
    body = json.dumps({"data": list(records), "has_more": False, "next_page": None}).encode()
    return list(AnthropicAdmin().read("claude_code", DAY, [body]).usage)


def test_activity_stands_without_a_model_and_cost_with_one() -> None:
    place: dict[str, Any] = {
        "day": DAY, "identity_kind": "email", "identity": "ada@acme.example", "agent": "claude_code",
        "surface": "iTerm.app", "customer_type": "api", "remote": False,
    }  # fmt: skip
    assert read(RECORD) == [
        UsageRow(
            **place,
            sessions=15,
            lines_added=342,
            lines_removed=128,
            commits=8,
            pull_requests=2,
            tools={"Edit": (25, 3), "MultiEdit": (12, 1), "NotebookEdit": (5, 2), "Write": (8, 0)},
        ),
        UsageRow(
            **place,
            model="claude-sonnet-4-20250514",
            input_tokens=45230,
            output_tokens=12450,
            cache_read_tokens=8790,
            cache_creation_tokens=2340,
            cost_reported=Decimal("1.860000000"),
        ),
        UsageRow(
            **place,
            model="claude-3-5-haiku-20241022",
            input_tokens=23100,
            output_tokens=5680,
            cache_read_tokens=3420,
            cache_creation_tokens=890,
            cost_reported=Decimal("0.421250000"),
        ),
    ]


def test_an_api_key_is_an_identity_of_its_own_kind() -> None:
    row = read(RECORD | {"actor": {"type": "api_actor", "api_key_name": "CI-pipeline"}})[0]
    assert (row.identity_kind, row.identity) == ("api_key", "CI-pipeline")


@pytest.mark.parametrize(
    ("actor", "identity"),
    [
        ({"type": "new_kind_of_actor", "id": "svac_1"}, ("account_id", "svac_1")),
        ({}, ("account_id", "unknown")),
        (None, ("account_id", "unknown")),
    ],
)
def test_an_actor_it_does_not_know_loses_no_figures(actor: Any, identity: tuple[str, str]) -> None:
    row = read(RECORD | {"actor": actor})[0]
    assert (row.identity_kind, row.identity, row.sessions) == (*identity, 15)


def test_remote_and_local_are_two_rows() -> None:
    assert [row.remote for row in read(RECORD, RECORD | {"is_remote": True}) if not row.model] == [False, True]


def test_two_keys_of_one_name_are_summed_up() -> None:
    rows = read(RECORD, RECORD | {"subscription_type": "team"})
    assert [row.sessions for row in rows] == [30, 0, 0]
    assert rows[0].tools["Edit"] == (50, 6)
    assert rows[1].cost_reported == Decimal("3.72")


def test_missing_unknown_and_null_fields_are_nothing() -> None:
    (row,) = read({"actor": RECORD["actor"], "core_metrics": None, "tool_actions": None, "something_new": {"a": 1}})
    assert (row.sessions, row.tools, row.surface, row.remote) == (0, {}, "", None)


def test_a_tool_it_does_not_know_keeps_its_name() -> None:
    row = read(RECORD | {"tool_actions": {"shell_tool": {"accepted": "4", "rejected": None}}})[0]
    assert row.tools == {"shell_tool": (4, 0)}


def test_another_currency_is_not_taken_for_dollars() -> None:
    spent = read(RECORD | {"model_breakdown": [{"model": "m", "estimated_cost": {"amount": 5, "currency": "EUR"}}]})[1]
    assert spent.cost_reported is None


def test_figures_of_another_day_are_refused() -> None:
    with pytest.raises(VendorError, match="another day"):
        read(RECORD | {"date": "2025-08-09T00:00:00Z"})


@pytest.mark.parametrize("page_limit", [1, 7, 1000])
def test_a_day_is_read_to_its_last_page(vendor: FakeVendor, console: AnthropicAdmin, page_limit: int) -> None:
    vendor.page_limit = page_limit
    day = vendor.company.last_day
    reading = pull(console, vendor.keys.admin, "claude_code", day)
    assert truth.of_rows(reading.usage) == truth.claude_code(vendor, day, day)
    assert len(vendor.requests) == -(-len(vendor.company.records(day)) // page_limit)
    kinds = {row.identity_kind for row in reading.usage}
    assert kinds == {"email", "api_key"}


def test_a_restated_day_reads_otherwise(vendor: FakeVendor, console: AnthropicAdmin) -> None:
    day = vendor.company.last_day
    before = pull(console, vendor.keys.admin, "claude_code", day)
    vendor.restate(day)
    after = pull(console, vendor.keys.admin, "claude_code", day)
    assert before != after
    assert truth.of_rows(after.usage) == truth.claude_code(vendor, day, day)


def test_a_day_without_figures_is_read_as_such(vendor: FakeVendor, console: AnthropicAdmin) -> None:
    assert pull(console, vendor.keys.admin, "claude_code", dt.date(2025, 1, 1)).usage == []


def test_members_are_seats_whether_they_use_anything_or_not(vendor: FakeVendor, console: AnthropicAdmin) -> None:
    vendor.page_limit = 9
    seats = pull(console, vendor.keys.admin, "users").seats
    assert seats is not None
    members = [each for each in vendor.company.members if not each.deleted]
    assert [seat.external_id for seat in seats] == [each.id for each in members]
    assert seats[0].email == members[0].email
    assert seats[0].role == "admin"
    assert seats[0].added_at == dt.datetime(2025, 6, 1, 9, tzinfo=dt.UTC)
    days = [vendor.company.first_day + dt.timedelta(days=number) for number in range(10)]
    active = {row.identity for day in days for row in pull(console, vendor.keys.admin, "claude_code", day).usage}
    assert {seat.email for seat in seats} - active, "somebody never uses anything"


def test_workspaces_are_listed_with_the_archived_ones(vendor: FakeVendor, console: AnthropicAdmin) -> None:
    reports = pull(console, vendor.keys.admin, "workspaces").reports
    assert [report.data["name"] for report in reports] == ["Platform", "Payments"]


def test_tokens_of_the_api_are_reported_by_model_workspace_and_key(vendor: FakeVendor, console: AnthropicAdmin) -> None:
    day = vendor.company.last_day
    reports = pull(console, vendor.keys.admin, "messages", day).reports
    rows = vendor.company.messages(day)
    assert len(reports) == len(rows)
    assert sum(report.data["output_tokens"] for report in reports) == sum(row["output_tokens"] for row in rows)
    assert "model=claude-opus-5-5&workspace_id=wrkspc_01Platform&api_key_id=apikey_0" in [each.key for each in reports]
    assert "model=claude-opus-5-5&api_key_id=apikey_2" in [each.key for each in reports], "the default workspace"


def test_the_bill_is_in_dollars(vendor: FakeVendor, console: AnthropicAdmin) -> None:
    day = vendor.company.last_day
    reports = pull(console, vendor.keys.admin, "cost", day).reports
    cents = sum(Decimal(f"{row['uncached_input_tokens'] / 5000:.2f}") for row in vendor.company.messages(day))
    assert sum(Decimal(report.data["amount"]) for report in reports) == cents / 100


def test_rows_about_the_same_are_kept_both() -> None:
    row = {"description": "Claude Usage", "amount": "123.45", "currency": "USD", "surprise": 1}
    body = json.dumps({"data": [{"starting_at": "2025-08-08T00:00:00Z", "results": [row, row | {"surprise": 2}]}]})
    reports = AnthropicAdmin().read("cost", DAY, [body.encode()]).reports
    assert [each.key for each in reports] == [
        "description=Claude+Usage&currency=USD",
        "description=Claude+Usage&currency=USD#2",
    ]
    assert reports[0].data["amount"] == "1.2345"


def test_a_cursor_of_another_question_begins_the_list_anew(vendor: FakeVendor, console: AnthropicAdmin) -> None:
    vendor.page_limit = 5
    day = vendor.company.last_day
    cursor = console.fetch(vendor.keys.admin, "claude_code", day, "").next_cursor
    with pytest.raises(VendorError, match="another query") as caught:
        console.fetch(vendor.keys.admin, "claude_code", day - dt.timedelta(days=1), cursor)
    assert caught.value.restart
    assert not caught.value.refused


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({"data": [], "has_more": True, "next_page": None}, "does not say where"),
        ({"data": [], "has_more": True, "next_page": "a\nb"}, "is none"),
        ({"data": [], "has_more": True, "next_page": ["x"]}, "is none"),
        ({"data": [], "has_more": True, "next_page": "same"}, "is itself"),
    ],
)
def test_it_runs_in_no_circles(vendor: FakeVendor, console: AnthropicAdmin, page: Any, words: str) -> None:
    from tests.vendor import Fault

    vendor.faults.push("/v1/organizations/usage_report/claude_code", Fault(body=json.dumps(page).encode()))
    with pytest.raises(VendorError, match=words):
        console.fetch(vendor.keys.admin, "claude_code", vendor.company.last_day, "same")


def test_a_login_page_is_no_answer(vendor: FakeVendor, console: AnthropicAdmin) -> None:
    from tests.vendor import Fault

    vendor.faults.push("*", Fault.login_page())
    with pytest.raises(VendorError, match="no JSON") as caught:
        pages(console, vendor.keys.admin, "users")
    assert not caught.value.refused
