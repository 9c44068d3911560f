import datetime as dt
from decimal import Decimal

import pytest

from audit import vocabulary
from audit.listing import words


@pytest.mark.parametrize(
    ("decision", "decided_by", "told", "colour"),
    [
        ("accept", "person", "Accepted by person", "person"),
        ("accept", "policy", "Accepted by policy", "policy"),
        ("accept", "hook", "Accepted by hook", "hook"),
        ("accept", "reviewer_model", "Accepted by reviewer model", "policy"),
        ("accept", "nobody", "Accepted, nobody asked", "policy"),
        ("accept", "unknown", "Accepted, not known by whom", "unknown"),
        ("reject", "person", "Rejected by person", "rejected"),
        ("reject", "policy", "Rejected by policy", "rejected"),
        ("reject", "hook", "Rejected by hook", "rejected"),
        ("reject", "nobody", "Rejected, nobody asked", "rejected"),
        ("cancel", "person", "Cancelled", "cancelled"),
        (None, None, "No decision recorded", "unknown"),
        ("something new", "person", "No decision recorded", "unknown"),
    ],
)
def test_it_says_what_was_decided_and_by_whom(decision, decided_by, told, colour):
    verdict = words.verdict(decision, decided_by)
    assert (verdict.words, verdict.colour) == (told, colour)


def test_it_has_words_for_every_decision_and_authority():
    told = {words.verdict(decision, by).words for decision in vocabulary.Decision for by in vocabulary.DecidedBy}
    assert len(told) == 2 * len(vocabulary.DecidedBy) + 1
    assert "No decision recorded" not in told


@pytest.mark.parametrize(
    ("modes", "widest"),
    [
        ({"default": 90, "bypassPermissions": 1}, "bypassPermissions"),
        ({"plan": 5, "default": 1}, "default"),
        ({"acceptEdits": 1, "dontAsk": 7}, "acceptEdits"),
        ({"bypassPermissions": 0, "plan": 3}, "plan"),
        ({"yolo": 3, "plan": 1}, "plan"),
        ({"yolo": 3}, "yolo"),
        ({}, None),
    ],
)
def test_it_knows_the_most_permissive_mode(modes, widest):
    assert words.most_permissive(modes) == widest


def test_it_groups_thousands_with_a_thin_space():
    assert words.number(1284119) == "1\u202f284\u202f119"
    assert words.number(-1234) == "-1\u202f234"
    assert words.number(999) == "999"


@pytest.mark.parametrize(
    ("estimate", "told"), [(7, "about 7"), (2134, "about 2\u202f100"), (2_134_567, "about 2\u202f100\u202f000")]
)
def test_it_does_not_let_an_estimate_look_like_a_count(estimate, told):
    assert words.about(estimate) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 bytes"),
        (1023, "1\u202f023 bytes"),
        (1024, "1.0 KiB"),
        (70_000, "68.4 KiB"),
        (64 << 20, "64.0 MiB"),
        (1 << 60, "1048576.0 TiB"),
    ],
)
def test_it_tells_sizes(count, told):
    assert words.size(count) == told


@pytest.mark.parametrize(
    ("amount", "told"),
    [("0", "$0.00"), ("0.17", "$0.17"), ("0.0034", "$0.003"), ("12.345", "$12.34"), ("4812.3", "$4\u202f812")],
)
def test_it_tells_money(amount, told):
    assert words.money(Decimal(amount)) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "0.0 s"),
        (2.54, "2.5 s"),
        (42, "42 s"),
        (89, "89 s"),
        (120, "2 min"),
        (5399, "90 min"),
        (7200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_it_tells_spans_of_time(seconds, told):
    assert words.span(dt.timedelta(seconds=seconds)) == told


def test_it_tells_milliseconds():
    assert words.milliseconds(143) == "143 ms"
    assert words.milliseconds(2500) == "2.5 s"


@pytest.mark.parametrize(("count", "told"), [(0, "0 matches"), (1, "1 match"), (1200, "1\u202f200 matches")])
def test_a_noun_agrees_with_its_number(count, told):
    assert words.counted(count, "match", "matches") == told


def test_most_nouns_take_an_s():
    assert [words.counted(count, "session") for count in (1, 2)] == ["1 session", "2 sessions"]
