import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.export.values import LARGEST_EXACT, exact, named, plain, rfc3339

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, None),
        (0, 0),
        (-5, -5),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (2**63 - 1, "9223372036854775807"),
    ],
)
def test_integers_that_json_readers_round_are_text(number, shown):
    assert exact(number) == shown


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("string", "x", "x"),
        ("bool", True, True),
        ("int", 2**60, str(2**60)),
        ("double", 1.5, 1.5),
        ("double", "NaN", "NaN"),
        ("bytes", "AAEC", "AAEC"),
        ("invalid_utf8", "gA==", "gA=="),
        ("null", None, None),
        ("array", [["int", 1], ["array", [["string", "x"]]]], [1, ["x"]]),
        ("map", [["a", "int", 1], ["b", "map", [["c", "bool", False]]]], {"a": 1, "b": {"c": False}}),
        ("map", [["a", "int", 1], ["a", "int", 2]], {"a": 2}),
        ("array", [], []),
        ("map", [], {}),
    ],
)
def test_values_lose_their_types(kind, value, shown):
    assert plain(kind, value) == shown


def test_only_the_records_own_attributes_lose_their_prefix():
    part = [
        ("@a", "string", "1"),
        ("resource@a", "string", "2"),
        ("scope@a", "string", "3"),
        ("trace_id", "string", "4"),
    ]
    assert named(part) == {"a": "1", "resource@a": "2", "scope@a": "3", "trace_id": "4"}


def test_of_duplicate_names_the_last_shows():
    assert named([("@a", "int", 1), ("@a", "string", "2")]) == {"a": "2"}


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_795_240_414_605_123, "2026-11-21T05:53:34.605123Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000, None),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        (-62_135_596_800_000_001, None),
        (2**63 - 1, None),
    ],
)
def test_times_have_microseconds_and_a_z(microseconds, text):
    assert rfc3339(microseconds) == text


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_times_can_be_read_back(moment):
    text = rfc3339((moment - EPOCH) // dt.timedelta(microseconds=1))
    assert dt.datetime.fromisoformat(text) == moment
    assert len(text) == len("2026-11-21T05:53:34.605123Z")


def test_the_largest_exact_integer_is_that_of_a_double():
    assert float(LARGEST_EXACT) + 1 == float(LARGEST_EXACT + 1)
    assert float(LARGEST_EXACT + 1) + 1 == float(LARGEST_EXACT + 1)
