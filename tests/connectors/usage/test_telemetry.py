"""Telemetry becomes user-days: each thing once, however it is sent and however often it is counted."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from connectors.models import CountedPoint, StaleDay, UsageDay
from connectors.usage import rollup
from tests.connectors.usage.telling import (
    MODEL,
    TODAY,
    at,
    point,
    points,
    price,
    received,
    request,
    rolled_up,
    told,
)
from tests.factories import draft, record, seal

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - dt.timedelta(days=1)


def sums(**narrowed):
    (found,) = told("requests", "input_tokens", "output_tokens", "cost_reported", model=MODEL, **narrowed)
    return found


def test_it_counts_requests_and_their_tokens_by_model():
    record(request(), request(), request(model="claude-haiku-4-5"))
    seal()
    rolled_up()
    assert told("model", "requests", "input_tokens", "cost_reported") == [
        ("", 0, 0, None),
        ("claude-haiku-4-5", 1, 100, Decimal("0.015")),
        (MODEL, 2, 200, Decimal("0.03")),
    ]
    (row,) = UsageDay.objects.filter(model="")
    assert (row.sessions, row.team, row.identity.kind, row.identity.value) == (
        1, "payments", "email", "dana@acme.example",
    )  # fmt: skip


def test_it_takes_tokens_of_a_client_that_sends_both_from_events():
    record(request())
    seal()
    points(
        point("token.usage", 100, labels={"type": "input", "model": MODEL}),
        point("cost.usage", 0.015, labels={"model": MODEL}),
        point("lines_of_code.count", 7, labels={"type": "added"}),
    )
    rolled_up()
    assert sums() == (1, 100, 10, Decimal("0.015"))
    assert told("sessions", "lines_added", model="") == [(1, 7)]


def test_it_takes_everything_from_points_where_there_are_no_events():
    points(
        point("session.count", 1, labels={"start_type": "fresh"}),
        *(
            point("token.usage", value, labels={"type": kind, "model": MODEL})
            for kind, value in (("input", 5), ("output", 6), ("cacheRead", 7), ("cacheCreation", 8))
        ),
        point("cost.usage", 0.1, labels={"model": MODEL}),
        point("cost.usage", 0.2, labels={"model": MODEL}),
        point("lines_of_code.count", 3, labels={"type": "added"}),
        point("lines_of_code.count", 2, labels={"type": "removed"}),
        point("commit.count", 1),
        point("pull_request.count", 1),
        point("code_edit_tool.decision", 2, labels={"tool_name": "Edit", "decision": "accept"}),
        point("code_edit_tool.decision", 1, labels={"tool_name": "Edit", "decision": "reject"}),
    )
    rolled_up()
    assert sums() == (0, 5, 6, Decimal("0.3"))
    assert told("cache_read_tokens", "cache_creation_tokens", model=MODEL) == [(7, 8)]
    columns = ("sessions", "lines_added", "lines_removed", "commits", "pull_requests", "tools")
    assert told(*columns, model="") == [(1, 3, 2, 1, 1, {"Edit": [2, 1]})]


def test_a_point_just_after_midnight_is_not_counted_beside_the_events_before_it():
    record(request(day=YESTERDAY, hour=23.99))
    seal()
    points(point("token.usage", 100, when=at(TODAY, 0.001), labels={"type": "input", "model": MODEL}))
    rolled_up()
    assert [day for (day,) in told("day", model=MODEL)] == [YESTERDAY]


@pytest.mark.parametrize("events_first", [True, False])
def test_events_that_come_after_their_points_take_their_place(events_first):
    def events():
        record(request(day=YESTERDAY, hour=23.99))
        seal()
        rolled_up()

    if events_first:
        events()
    points(point("token.usage", 100, when=at(TODAY, 0.001), labels={"type": "input", "model": MODEL}))
    rolled_up()
    if not events_first:
        assert told("day", model=MODEL) == [(TODAY,)]
        events()
    assert told("day", "input_tokens", model=MODEL) == [(YESTERDAY, 100)]


def test_cumulative_series_count_what_they_rose_by():
    labels = {"type": "input", "model": MODEL}
    started = at(YESTERDAY, 20)
    for when, value in ((at(YESTERDAY, 21), 50), (at(YESTERDAY, 22), 80), (at(TODAY, 0), 130)):
        points(
            point("token.usage", value, when=when, temporality="cumulative", started_at=started, labels=labels),
            received_at_us=received(when) + 1,
        )
    rolled_up()
    assert told("day", "input_tokens", model=MODEL) == [(YESTERDAY, 80), (TODAY, 50)]
    points(
        point("token.usage", 90, when=at(YESTERDAY, 23), temporality="cumulative", started_at=started, labels=labels)
    )
    points(point("token.usage", 5, when=at(TODAY, 0), temporality="cumulative", started_at=at(TODAY, 0), labels=labels))
    rolled_up()
    assert told("day", "input_tokens", model=MODEL) == [(YESTERDAY, 90), (TODAY, 45)]


def test_a_session_that_is_only_an_interface_is_none():
    points(point("session.count", 1, "s-ui", labels={"start_type": "agents_view"}))
    points(point("session.count", 1, "s-2", labels={"start_type": "resume"}))
    rolled_up()
    assert told("sessions") == [(1,)]


def test_points_without_a_session_are_counted_by_who_sent_them():
    record(request())
    seal()
    points(
        point("session.count", 1, None, labels={"start_type": "fresh"}),
        point("token.usage", 100, None, labels={"type": "input", "model": MODEL}),
    )
    rolled_up()
    assert sums() == (1, 100, 10, Decimal("0.015"))


def test_what_comes_late_or_twice_changes_nothing_but_its_own_day():
    first = request(day=YESTERDAY, hour=1)
    record(first, request())
    seal()
    rolled_up()
    before = told("id", "day", "input_tokens", model=MODEL)
    record(first)  # once more: set aside as a duplicate
    record(request(day=YESTERDAY, hour=2))
    seal()
    rolled_up()
    after = told("id", "day", "input_tokens", model=MODEL)
    assert sorted(row[1:] for row in after) == [(YESTERDAY, 200), (TODAY, 100)]
    assert [row[0] for row in after] == [row[0] for row in before]
    assert rolled_up() == rollup.Done(0, 0, 0, True)


def test_a_point_that_becomes_visible_late_is_still_counted_once():
    now = dt.datetime.now(dt.UTC)
    points(point("commit.count", 1, when=now))
    rolled_up()
    points(point("commit.count", 1, when=now), received_at_us=received(now - dt.timedelta(minutes=30)))
    rolled_up()
    rolled_up()
    assert sum(commits for (commits,) in told("commits")) == 2


def test_it_counts_again_from_what_is_stored_to_the_same():
    record(request(), draft("prompt"), draft("tool_decision", tool_name="Edit", decision="accept"))
    seal()
    points(point("commit.count", 2), point("cost.usage", 1.25, "s-9", labels={"model": MODEL}))
    rolled_up()
    columns = [field.name for field in UsageDay._meta.concrete_fields if field.name != "id"]
    before = told(*columns)
    call_command("recount_usage", "--forget-purged", verbosity=0, stdout=io.StringIO())
    assert told(*columns) == before


def test_it_forgets_nothing_unless_told_so():
    with pytest.raises(CommandError, match="forget-purged"):
        call_command("recount_usage")


def test_absurd_numbers_overflow_nothing():
    record(request(input_tokens=2**63 - 1, cost_usd="123456789"), request())
    seal()
    points(point("commit.count", 1e300), point("commit.count", float("inf")), point("commit.count", float("nan")))
    points(point("commit.count", 1))
    rolled_up()
    assert sums() == (2, 100, 20, Decimal("0.015"))
    assert told("commits", model="") == [(1,)]


def test_times_that_cannot_be_are_those_of_receipt():
    record(request(day=dt.date(1999, 1, 1), flags=["skew"]), request(occurred_at=None, flags=["unknown_time"]))
    seal()
    points(point("commit.count", 1, when=at(dt.date(2999, 1, 1))))
    rolled_up()
    assert {day for (day,) in told("day")} == {dt.datetime.now(dt.UTC).date()}


def test_who_says_less_in_metrics_is_who_they_are_in_the_events_of_the_session():
    record(request())
    seal()
    points(point("commit.count", 1, subject=(("@user.id", "string", "install-5f1d"),)))
    rolled_up()
    assert told("identity__value", "commits", model="") == [("dana@acme.example", 1)]


def test_long_prompts_and_fast_mode_are_priced_as_such():
    price(MODEL, input=1, output=0, cache_read=0)
    price(MODEL, input=5, output=0, cache_read=0, above_tokens=100_000)
    price(MODEL, input=10, output=0, cache_read=0, fast=True)
    fast = (("@event.name", "string", "api_request"), ("@speed", "string", "fast"), ("@n", "int", 1))
    record(
        request(input_tokens=50_000, output_tokens=0, cache_read_tokens=0),
        request(input_tokens=150_000, output_tokens=0, cache_read_tokens=0),
        request(input_tokens=50_000, output_tokens=0, cache_read_tokens=0, facts=fast),
    )
    seal()
    rolled_up()
    assert told("cost_computed", model=MODEL) == [(Decimal("0.05") + Decimal("0.75") + Decimal("0.5"),)]


def test_it_forgets_points_that_need_not_be_remembered():
    points(point("commit.count", 1), received_at_us=received(at(YESTERDAY, 1)))
    rolled_up()
    assert not CountedPoint.objects.exists()
    assert not StaleDay.objects.exists()
