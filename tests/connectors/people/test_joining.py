"""Whose a name is: the pure function."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from connectors.people.joining import Piece, Use, on, pieces, within
from connectors.people.memberships import Claim, Span, spans

D = dt.date(2026, 11, 1)


def day(number):
    return D + dt.timedelta(days=number)


def test_a_name_seen_with_one_person_is_theirs_on_all_days():
    assert pieces([Use(7, day(3), day(5)), Use(7, day(9), day(9))]) == [Piece(None, None, 7, "telemetry")]


def test_a_laptop_that_was_handed_on_changes_hands_on_the_first_day_of_the_next():
    assert pieces([Use(8, day(10), day(12)), Use(7, day(3), day(5))]) == [
        Piece(None, day(9), 7, "telemetry"),
        Piece(day(10), None, 8, "telemetry"),
    ]


def test_a_machine_that_two_use_at_a_time_is_nobodys():
    shared = [Piece(None, None, None, "shared")]
    assert pieces([Use(7, day(1), day(9)), Use(8, day(4), day(4))]) == shared
    assert pieces([Use(7, day(1), day(3)), Use(8, day(3), day(4))]) == shared


def test_a_vendor_goes_before_a_claim():
    assert pieces([Use(7, day(1), day(9)), Use(8, day(4), day(4), True)]) == [Piece(None, None, 8, "vendor")]


uses = st.lists(
    st.builds(
        lambda person, first, length, vendor: Use(person, day(first), day(first + length), vendor),
        st.integers(1, 4), st.integers(0, 40), st.integers(0, 8), st.booleans(),
    ),
    max_size=8,
)  # fmt: skip


@given(uses, st.randoms())
def test_the_order_does_not_matter_and_every_day_has_one_piece(known, random):
    found = pieces(known)
    shuffled = list(known)
    random.shuffle(shuffled)
    assert pieces(shuffled) == found
    for number in range(-5, 60):
        holding = [each for each in found if (each.first or D.min) <= day(number) <= (each.last or D.max)]
        assert len(holding) == bool(known)
        assert on(found, day(number)) == (holding[0] if holding else None)


@given(uses)
def test_who_has_a_name_was_seen_with_it(known):
    for each in pieces(known):
        if each.person is not None:
            assert any(use.person == each.person for use in known)


def test_it_cuts_what_was_seen_by_who_had_the_name():
    held = pieces([Use(7, day(0), day(2)), Use(8, day(10), day(12))])
    assert within(held, day(8), day(11)) == [Use(7, day(8), day(9)), Use(8, day(10), day(11))]


def test_the_team_that_was_claimed_last_holds_from_its_first_day():
    claims = [Claim("payments", day(0), day(9)), Claim("search", day(5), day(20)), Claim("search", day(7), day(8))]
    assert spans(claims, []) == [Span("payments", day(0), day(4)), Span("search", day(5), None)]


def test_what_was_imported_goes_before_claims_on_its_days():
    claims = [Claim("payments", day(0), day(30))]
    assert spans(claims, [(day(5), day(9))]) == [
        Span("payments", day(0), day(4)),
        Span("payments", day(10), None),
    ]
    assert spans(claims, [(None, None)]) == []


ranges = st.tuples(st.none() | st.integers(0, 40), st.none() | st.integers(0, 40)).map(
    lambda pair: tuple(None if each is None else day(each) for each in pair)
)


@given(
    st.lists(st.builds(lambda team, first, n: Claim(team, day(first), day(first + n)), st.sampled_from("abc"),
                       st.integers(0, 40), st.integers(0, 5)), max_size=6),
    st.lists(ranges.filter(lambda pair: None in pair or pair[0] <= pair[1]), max_size=3),
    st.randoms(),
)  # fmt: skip
def test_nobody_is_in_two_teams_on_a_day(claims, taken, random):
    found = spans(claims, taken)
    shuffled = list(claims)
    random.shuffle(shuffled)
    assert spans(shuffled, taken) == found
    for number in range(-2, 50):
        today = day(number)
        holding = [each for each in found if each.first <= today <= (each.last or D.max)]
        assert len(holding) <= 1
        if any((first or D.min) <= today <= (last or D.max) for first, last in taken):
            assert holding == []
