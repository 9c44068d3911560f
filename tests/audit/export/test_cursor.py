import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.exceptions import CursorError, EpochRetired
from audit.export import cursor


@given(st.integers(min_value=cursor.BEFORE_FIRST, max_value=2**63))
def test_what_is_spelled_is_read_back(number):
    assert cursor.parse(cursor.spell(number)) == number


def test_it_is_spelled_as_epoch_and_number_of_the_last_line():
    assert cursor.spell(41) == "0.41"
    assert cursor.spell(0) == "0.0"
    assert cursor.spell(cursor.BEFORE_FIRST) == "0.start"


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "0.", ".1", "0.-1", "-1.0", "0.1.2", "0,1", " 0.1", "0.1 ", "0.1\n", "0.01", "00.1", "0.1e3", "0x1.1",
        "0.٣", "٠.1", "0.+1", "start", "0.START", "0.1\0", "0." + "9" * 41, "null", "0.5;DROP", "a.b",
    ],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(CursorError) as refused:
        cursor.parse(text)
    assert not isinstance(refused.value, EpochRetired)


@pytest.mark.parametrize("text", ["1.0", "7.start", "123456.5"])
def test_another_epoch_is_retired(text):
    with pytest.raises(EpochRetired, match=r"0\.start"):
        cursor.parse(text)


@given(st.text())
def test_no_text_breaks_it(text):
    with contextlib.suppress(CursorError):
        assert cursor.parse(text) >= cursor.BEFORE_FIRST
