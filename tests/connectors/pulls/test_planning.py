"""Which days are due: plain values, no database."""

import datetime as dt

import pytest

from connectors.pulls.planning import Known, due_days, final_at, newest_day, next_at, settled_at
from connectors.vendors.shape import Endpoint

DAY = dt.timedelta(days=1)
FINAL = Endpoint("f", "", True, settled_after=dt.timedelta(hours=1))
RESTATED = Endpoint("r", "", True, settled_after=dt.timedelta(hours=10), restated_for=2)
LIST = Endpoint("l", "", False)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_a_day_is_there_when_it_has_settled():
    assert newest_day(RESTATED, at("2026-11-20T09:59")) == day("2026-11-18")
    assert newest_day(RESTATED, at("2026-11-20T10:00")) == day("2026-11-19")
    assert settled_at(RESTATED, day("2026-11-19")) == at("2026-11-20T10:00")
    assert final_at(RESTATED, day("2026-11-19")) == at("2026-11-22T10:00")


def test_all_days_from_the_first_are_due_newest_first():
    now = at("2026-11-20T01:00")
    assert due_days(FINAL, day("2026-11-17"), Known(), now) == [
        day("2026-11-19"),
        day("2026-11-18"),
        day("2026-11-17"),
    ]


def test_no_day_before_the_vendors_first():
    endpoint = Endpoint("e", "", True, earliest=day("2026-11-19"))
    assert due_days(endpoint, day("2026-11-01"), Known(), at("2026-11-20T12:00")) == [day("2026-11-19")]


def test_a_day_that_was_read_when_it_could_change_no_more_is_not_read_again():
    known = Known(done={day("2026-11-19"): at("2026-11-20T01:00")})
    assert due_days(FINAL, day("2026-11-19"), known, at("2026-11-25T01:00"))[-1] == day("2026-11-20")


def test_a_day_that_may_be_restated_is_read_once_a_day_and_once_when_it_is_final():
    first, read = day("2026-11-19"), {}
    moments = []
    now = at("2026-11-20T10:00")
    while now < at("2026-11-30T00:00"):
        if day("2026-11-19") in due_days(RESTATED, first, Known(done=dict(read)), now):
            moments.append(now)
            read[day("2026-11-19")] = now
        now += dt.timedelta(hours=1)
    assert moments == [
        at("2026-11-20T10:00"),
        at("2026-11-21T00:00"),
        at("2026-11-22T00:00"),
        at("2026-11-23T00:00"),
    ]


def test_a_restated_day_older_than_the_connection_is_read_again_where_a_backfill_read_it():
    known = Known(done={day("2026-11-18"): at("2026-11-19T12:00")})
    assert day("2026-11-18") in due_days(RESTATED, day("2026-11-19"), known, at("2026-11-20T12:00"))


def test_a_portal_that_was_off_for_a_year_reads_the_last_days_by_itself():
    due = due_days(FINAL, day("2025-01-01"), Known(), at("2026-11-20T12:00"))
    assert len(due) == 61


@pytest.mark.parametrize(("hours", "is_due"), [(5, False), (7, True)])
def test_what_failed_is_left_alone_for_some_hours(hours, is_due):
    now = at("2026-11-20T12:00")
    known = Known(failed={day("2026-11-19"): now - dt.timedelta(hours=hours)})
    assert bool(due_days(FINAL, day("2026-11-19"), known, now)) == is_due


def test_a_list_is_read_once_a_day():
    now = at("2026-11-20T12:00")
    assert due_days(LIST, day("2026-11-19"), Known(), now) == [None]
    assert due_days(LIST, day("2026-11-19"), Known(done={None: at("2026-11-20T00:01")}), now) == []
    assert due_days(LIST, day("2026-11-19"), Known(done={None: at("2026-11-19T23:59")}), now) == [None]


def test_it_knows_when_something_is_read_next():
    now = at("2026-11-20T12:00")
    assert next_at([FINAL], now) == at("2026-11-21T01:00")
    assert next_at([FINAL, LIST], now) == at("2026-11-21T00:00")
    assert next_at([], now) is None
