"""The fake is held to its own description, so that what is tested against it means something."""

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
from typing import Any

import pytest
import requests

from tests.vendor import FakeVendor, Fault
from tests.vendor.company import Company

CODE = "/v1/organizations/usage_report/claude_code"
USERS = "/v1/organizations/users"


def get(vendor: FakeVendor, path: str, key: str = "", **query: Any) -> requests.Response:
    headers = {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})
    return requests.get(vendor.url + path, params=query, headers=headers, timeout=30)


@pytest.mark.parametrize(
    ("key", "path", "status", "kind"),
    [
        ("", USERS, 401, "authentication_error"),
        ("sk-ant-admin01-unknown", USERS, 401, "authentication_error"),
        ("revoked", USERS, 401, "authentication_error"),
        ("standard", USERS, 403, "permission_error"),
        ("oauth", USERS, 403, "permission_error"),
        ("analytics", USERS, 403, "permission_error"),
        ("admin", "/v1/organizations/analytics/users", 403, "permission_error"),
        ("without_scope", "/v1/organizations/analytics/users", 403, "permission_error"),
        ("admin", "/v1/organizations/nothing", 404, "not_found_error"),
    ],
)
def test_it_refuses_as_the_vendor_does(vendor: FakeVendor, key: str, path: str, status: int, kind: str) -> None:
    vendor.revoked.add("revoked")
    answer = get(vendor, path, getattr(vendor.keys, key, key))
    assert answer.status_code == status
    body = answer.json()
    assert (body["type"], body["error"]["type"]) == ("error", kind)
    assert body["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        (CODE, {}, "Field required"),
        (CODE, {"starting_at": "yesterday"}, "valid date"),
        (CODE, {"starting_at": "2026-11-20", "limit": 1001}, "between 1 and 1000"),
        (CODE, {"starting_at": "2026-11-20", "limit": 0}, "between 1 and 1000"),
        (CODE, {"starting_at": "2026-11-20", "page": "nonsense"}, "malformed"),
        (CODE, {"starting_at": "2026-11-20", "start_date": "2026-11-20"}, "not permitted"),
        (USERS, {"after_id": "user_nobody"}, "no such object"),
        ("/v1/organizations/usage_report/messages", {"starting_at": "2026-11-20T00:00:00Z", "limit": 32}, "1 and 31"),
        ("/v1/organizations/cost_report", {"starting_at": "2026-11-20T00:00:00Z", "bucket_width": "1h"}, "only 1d"),
    ],
)
def test_it_answers_wrong_questions_with_400(vendor: FakeVendor, path: str, query: dict[str, Any], words: str) -> None:
    answer = get(vendor, path, vendor.keys.admin, **query)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"date": "2026-11-28"}, "most recent available date is 2026-11-27"),
        ({"date": "2025-12-31"}, "available from 2026-01-01"),
    ],
)
def test_it_has_no_engagement_of_days_out_of_reach(vendor: FakeVendor, query: dict[str, Any], words: str) -> None:
    answer = get(vendor, "/v1/organizations/analytics/users", vendor.keys.analytics, **query)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_before_ten_oclock_yesterday_is_not_summed_up() -> None:
    early = dt.datetime(2026, 11, 28, 9, 59, tzinfo=dt.UTC)
    with FakeVendor(users=2, days=2, now=lambda: early) as vendor:
        answer = get(vendor, "/v1/organizations/analytics/users", vendor.keys.analytics, date="2026-11-27")
        assert answer.status_code == 400


def test_its_figures_are_the_same_each_time() -> None:
    one, other = Company(20, 3), Company(20, 3)
    assert one.records(one.last_day) == other.records(other.last_day)
    assert one.members == other.members
    assert Company(20, 3, seed="else").records(one.last_day) != one.records(one.last_day)


def test_a_restated_day_differs_and_its_people_do_not() -> None:
    company = Company(40, 3)
    before = company.records(company.last_day)
    company.restate(company.last_day)
    after = company.records(company.last_day)
    assert before != after
    assert {str(each["actor"]) for each in before} == {str(each["actor"]) for each in after}
    assert company.records(company.first_day) == Company(40, 3).records(company.first_day)


def test_some_members_never_use_anything() -> None:
    company = Company(50, 5)
    idle = {each.email for each in company.members if each.habit == "idle"}
    days = [company.first_day + dt.timedelta(days=number) for number in range(5)]
    seen = {each["actor"].get("email_address") for day in days for each in company.records(day)}
    seen |= {member.email for day in days for member, _, _ in company.chats(day)}
    assert idle
    assert not idle & seen


def test_faults_come_at_their_rate_and_by_their_seed(vendor: FakeVendor) -> None:
    def statuses() -> list[int]:
        vendor.faults.at_rate(0.3, seed=7, kinds=[Fault.overloaded()])
        return [get(vendor, USERS, vendor.keys.admin).status_code for _ in range(40)]

    first = statuses()
    assert {200, 529} == set(first)
    assert first == statuses()


def test_it_tells_what_to_set_when_it_is_started_by_hand() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.vendor", "--port", "0", "--users", "3", "--days", "2"],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    told = ""
    while "revoked" not in told:
        told += process.stdout.readline()
    url = re.search(r"CONNECTORS_ANTHROPIC_URL=(http://\S+)", told)
    key = re.search(r"Claude Console +(sk-ant-admin01-\S+)", told)
    assert url
    assert key
    assert f"CONNECTORS_OPENAI_URL={url[1]}" in told
    headers = {"x-api-key": key[1], "anthropic-version": "2023-06-01"}
    assert len(json.loads(requests.get(url[1] + USERS, headers=headers, timeout=30).text)["data"]) == 3
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()
