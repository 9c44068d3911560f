"""What follows from an answer that is none."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.pulls.answers import LONGEST_ASKED, LONGEST_WAIT, MOST_FAILURES, NOT_THERE_YET, Past, following
from connectors.vendors.shape import VendorError

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
OLD = dt.date(2026, 10, 1)


def follows(failures=0, restarts=0, day=OLD, chance=1.0, **error):
    return following(VendorError("told", **error), Past(failures, restarts), day, NOW, chance)


def test_it_waits_as_long_as_the_vendor_asks_and_counts_no_failure():
    found = follows(status=429, retry_after=17)
    assert (found.act, found.delay, found.counted) == ("wait", dt.timedelta(seconds=17), False)


@pytest.mark.parametrize(
    "error", [{"status": 429}, {"status": 529}, {"status": 500}, {"status": None}, {"status": 200}]
)
def test_it_backs_off_and_gives_up_in_the_end(error):
    delays = [follows(failures=count, **error).delay.total_seconds() for count in range(MOST_FAILURES - 1)]
    assert delays == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert all(follows(failures=count, **error).counted for count in range(MOST_FAILURES - 1))
    assert follows(failures=MOST_FAILURES - 1, **error).act == "fail"


def test_it_spreads_those_who_wait():
    assert follows(status=529, chance=0.0).delay.total_seconds() == 15


@pytest.mark.parametrize(
    ("status", "act"), [(401, "key"), (403, "endpoint"), (402, "endpoint"), (404, "fail"), (400, "fail")]
)
def test_what_needs_a_person_is_not_asked_again(status, act):
    assert follows(status=status, refused=True).act == act


def test_a_recent_day_that_is_refused_is_not_there_yet():
    found = follows(status=400, day=dt.date(2026, 11, 19), refused=True)
    assert (found.act, found.delay, found.counted) == ("wait", NOT_THERE_YET, False)


def test_an_expired_cursor_begins_again_a_few_times():
    assert follows(status=410, restart=True).act == "restart"
    assert follows(status=410, restart=True, restarts=5).act == "fail"


@given(
    status=st.none() | st.integers(100, 599),
    retry_after=st.none() | st.floats(),
    restart=st.booleans(),
    refused=st.booleans(),
    failures=st.integers(0, 50),
    restarts=st.integers(0, 50),
    chance=st.floats(0, 1),
    day=st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2026, 11, 20)),
)
def test_whatever_comes_the_wait_is_bounded(failures, restarts, day, chance, **error):
    found = follows(failures, restarts, day, chance, **error)
    assert dt.timedelta(0) <= found.delay <= max(LONGEST_ASKED, LONGEST_WAIT)
    assert found.act != "wait" or found.delay > dt.timedelta(0)
