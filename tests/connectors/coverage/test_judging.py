"""One state with a reason for whatever should report: the pure function."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import snippets
from connectors.coverage import judging
from connectors.coverage.judging import DECIDABLE, NO_USE, RANKS, Rule, Seen, Used, judge
from connectors.models import Covered

TODAY = dt.date(2026, 11, 29)
RULE = Rule(silent_after_days=7, window_days=30)


def ago(days):
    return TODAY - dt.timedelta(days=days)


def days(*numbers):
    return frozenset(map(ago, numbers))


def told(seen, used=NO_USE, *, told=True):
    verdict = judge(seen, used, RULE, TODAY, since=ago(90), told=told)
    return verdict.state, verdict.since, verdict.reason


def test_who_reports_with_every_switch_on():
    assert told(Seen(ago(60), ago(7)))[:2] == ("reporting", ago(60))


def test_a_switch_that_is_off_makes_it_partial_and_is_named():
    state, since, reason = told(Seen(ago(60), ago(1), off=frozenset(DECIDABLE[:2])))
    assert (state, since) == ("partial", ago(60))
    assert "OTEL_LOG_TOOL_DETAILS and OTEL_METRICS_INCLUDE_ENTRYPOINT off" in reason


def test_silence_begins_a_day_after_the_stated_number_of_days():
    assert told(Seen(ago(60), ago(7)))[0] == "reporting"
    state, since, reason = told(Seen(ago(60), ago(8)))
    assert (state, since) == ("silent", ago(8))
    assert reason == "Nothing came for 8 days, and no use is known."
    assert told(Seen(ago(60), ago(8)), told=False)[2] == "Nothing came for 8 days."


def test_use_after_the_last_telemetry_is_a_gap_with_a_name():
    state, since, reason = told(Seen(ago(60), ago(20)), Used(days(19, 12, 3, 25)))
    assert (state, since) == ("gap", ago(19))
    assert reason == "Used on 3 days since its last telemetry, none of which came."


def test_use_without_any_telemetry_is_a_gap():
    state, since, reason = told(None, Used(days(*range(1, 13))))
    assert (state, since) == ("gap", ago(12))
    assert reason == "Used on 12 days in the last 30, no telemetry."


def test_days_of_use_that_nobody_told_of_are_another_machine():
    seen = Seen(ago(20), ago(0), days=days(20, 10, 4, 0))
    assert told(seen, Used(days(10, 4)))[0] == "reporting"
    assert told(seen, Used(days(10, 4, 15)))[0] == "reporting"  # one may be midnight
    state, since, reason = told(seen, Used(days(10, 15, 14, 1)))
    assert (state, since) == ("partial", ago(15))
    assert "used on 2 days of which no telemetry came" in reason
    assert told(Seen(ago(20), ago(0)), Used(days(10, 15, 14)))[0] == "reporting"  # by day nothing is known


def test_what_cannot_be_seen_says_why():
    assert "cloud" in told(None, Used(unseeable=days(3), remote=True))[2]
    state, since, reason = told(None, Used(unseeable=days(3), agents=frozenset({"other"})))
    assert (state, since) == ("cannot_be_seen", ago(3))
    assert "send no telemetry here" in reason


def test_who_never_reported_is_told_since_when_it_should():
    assert told(None)[:2] == ("never_reported", ago(90))
    assert "no use is known in the last 30 days" in told(None)[2]
    assert told(None, told=False)[2] == "No telemetry so far."


def test_strangers_and_keys():
    seen = Seen(ago(9), ago(1))
    for verdict, words in (
        (judging.sender(shared=True, account=False, seen=seen), "Several people"),
        (judging.sender(shared=False, account=True, seen=seen), "account"),
        (judging.sender(shared=False, account=False, seen=seen), "Bedrock"),
        (judging.nameless(seen), "nothing of who"),
    ):
        assert (verdict.state, verdict.since, verdict.last_seen) == ("unknown_sender", ago(9), ago(1))
        assert words in verdict.reason
    verdict = judging.api_key(Used(days(3, 5)))
    assert (verdict.state, verdict.since, verdict.usage_days) == ("cannot_be_seen", ago(5), 2)


def test_every_state_has_a_rank_and_words():
    assert set(RANKS) == set(Covered.State.values)


def test_the_switches_are_those_that_the_snippets_turn_on():
    assert set(DECIDABLE) == {switch.name for switch in snippets.DECIDABLE}


dates = st.dates(ago(60), TODAY)
sets = st.frozensets(st.dates(ago(29), TODAY), max_size=8)
seens = st.none() | st.builds(
    lambda one, other, told, off: Seen(min(one, other), max(one, other), told, off),
    dates,
    dates,
    sets,
    st.frozensets(st.sampled_from(DECIDABLE)),
)


@given(seens, st.builds(Used, sets, sets), st.booleans())
def test_there_is_always_one_state_with_a_reason(seen, used, told_at_all):
    verdict = judge(seen, used, RULE, TODAY, since=ago(90), told=told_at_all)
    assert verdict.reason.endswith(".")
    assert verdict.since is None or verdict.since <= TODAY
    assert (verdict.last_seen is None) == (seen is None)
    if verdict.state in judging.REPORTS:
        assert seen is not None
        assert (TODAY - seen.last).days <= RULE.silent_after_days
    if verdict.state == "gap":
        assert used.days


@pytest.mark.parametrize("rule", [Rule(1, 30), Rule(60, 90)])
def test_the_thresholds_are_those_that_were_set(rule):
    verdict = judge(Seen(ago(60), ago(5)), NO_USE, rule, TODAY, since=None, told=False)
    assert verdict.state == ("silent" if rule.silent_after_days == 1 else "reporting")
