import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.listing import escapes, markup

INVISIBLE_CATEGORIES = {"Cc", "Cf", "Zl", "Zp", "Cs"}


def unmarked(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def test_it_shows_every_character_that_unicode_calls_control_format_separator_or_surrogate():
    hidden = [
        chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) in INVISIBLE_CATEGORIES
    ]
    assert len(hidden) > 2000
    assert [hex(ord(each)) for each in hidden if not escapes.HIDDEN.fullmatch(each)] == []


@pytest.mark.parametrize("point", [0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF], ids=hex)
def test_it_shows_noncharacters(point):
    assert escapes.spell(chr(point)) in markup.visible(f"a{chr(point)}b")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("rm \u202efdp.exe", r"rm \u202efdp.exe", id="right-to-left override"),
        pytest.param("pass\u200bword", r"pass\u200bword", id="zero width space"),
        pytest.param("a\u2066b\u2069", r"a\u2066b\u2069", id="isolates"),
        pytest.param("a\u2028b\u2029", r"a\u2028b\u2029", id="line and paragraph separator"),
        pytest.param("\U000e0068\U000e0069", r"\U000e0068\U000e0069", id="tag characters"),
        pytest.param("\x1b[2Kok\0\r\n\t", r"\e[2Kok\0\r\n\t", id="terminal controls"),
        pytest.param("\x85\x9b31m", r"\x85\x9b31m", id="C1 controls"),
        pytest.param("\ud800", r"\ud800", id="lone surrogate"),
        pytest.param("a\ufe01\U000e0105", r"a\ufe01\U000e0105", id="variation selectors that carry data"),
        pytest.param("\u3164\uffa0\u115f", r"\u3164\uffa0\u115f", id="fillers that count as letters"),
        pytest.param("a\xadb\ufeff", r"a\xadb\ufeff", id="soft hyphen and byte order mark"),
    ],
)
def test_it_spells_out_what_hides(text, shown):
    assert unmarked(markup.visible(text)) == shown
    assert 'class="esc"' in markup.visible(text)


def test_it_names_what_it_spells_out():
    assert 'title="right-to-left override"' in markup.visible("\u202e")
    assert 'title="zero width space, zero width space, zero width space and 7 more"' in markup.visible("\u200b" * 10)


@pytest.mark.parametrize("text", ["Grüße, naïve 日本語 עברית", "❤️ 1️⃣ 👍🏽", "a  b", "", "тест", "e\u0301"])
def test_it_leaves_honest_text_alone(text):
    assert markup.visible(text) == text


def test_it_escapes_markup():
    assert (
        markup.visible("<script>alert('1')</script>&\"")
        == "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;&amp;&quot;"
    )


def test_it_trusts_no_string_that_claims_to_be_safe():
    assert markup.visible(markup.mark_safe("<b>")) == "&lt;b&gt;"


def test_it_keeps_line_breaks_and_tabs_where_text_is_shown_line_by_line():
    assert unmarked(markup.visible_lines("a\n\tb\r\n\x07")) == "a\n\tb\\r\n\\x07"


def test_it_shows_nothing_for_nothing():
    assert markup.visible(None) == ""


@given(st.text(st.characters(exclude_categories=())))
def test_it_lets_nothing_through_that_hides(text):
    for filtered in (unmarked(markup.visible(text)), markup.visible_plain(text)):
        assert escapes.HIDDEN.search(filtered) is None
        filtered.encode()
    assert "<" not in unmarked(markup.visible(text))
