import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import tokens
from connectors.tokens import spelling

ZEROES = "agp_ing_" + "A" * 43 + "0Zadj0"
CHARACTERS = st.sampled_from(string.printable + "é߀ـ٣\u0000")


@st.composite
def issued(draw):
    body = draw(st.text(spelling.ALPHABET, min_size=43, max_size=43))
    body = draw(st.sampled_from(sorted(spelling.PREFIXES.values()))) + body
    return body + tokens.checksum(body)


def test_it_agrees_with_the_published_vector():
    assert tokens.checksum("agp_ing_" + "A" * 43) == "0Zadj0"
    assert tokens.is_well_formed(ZEROES)


@given(issued())
def test_the_checksum_is_zlibs_crc_in_base62(token):
    value = 0
    for character in token[51:]:
        value = value * 62 + (string.digits + string.ascii_uppercase + string.ascii_lowercase).index(character)
    assert value == zlib.crc32(token[:51].encode())


@given(issued(), st.data())
def test_it_refuses_every_change_of_one_character(token, data):
    position = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(CHARACTERS.filter(lambda character: character != token[position]))
    assert not tokens.is_well_formed(token[:position] + other + token[position + 1 :])


def test_it_refuses_all_single_changes_of_one_token():
    changes = [
        ZEROES[:position] + other + ZEROES[position + 1 :]
        for position in range(len(ZEROES))
        for other in string.printable
        if other != ZEROES[position]
    ]
    assert len(changes) == 57 * 99
    assert not any(map(tokens.is_well_formed, changes))


@given(issued(), st.data())
def test_it_refuses_a_character_lost_or_added(token, data):
    position = data.draw(st.integers(0, len(token) - 1))
    added = data.draw(CHARACTERS)
    assert not tokens.is_well_formed(token[:position] + token[position + 1 :])
    assert not tokens.is_well_formed(token[:position] + added + token[position:])
    assert not tokens.is_well_formed(token + added)


@given(issued(), st.integers(0, 55))
def test_it_refuses_neighbours_swapped(token, position):
    swapped = token[:position] + token[position + 1] + token[position] + token[position + 2 :]
    assert swapped == token or not tokens.is_well_formed(swapped)


@given(st.text())
def test_it_takes_any_text_without_an_error(text):
    assert not tokens.is_well_formed(text)


@pytest.mark.parametrize("kind", ["ingest", "api"])
def test_what_it_generates_is_well_formed_and_of_its_kind(kind):
    made = {tokens.generate(kind) for _ in range(200)}
    assert len(made) == 200
    assert {tokens.kind_of(each) for each in made} == {kind}
    assert {len(each) for each in made} == {57}


def test_it_uses_the_whole_alphabet():
    assert set("".join(tokens.generate("api")[8:51] for _ in range(100))) == set(spelling.ALPHABET)


def test_only_a_well_formed_token_has_a_kind():
    assert tokens.kind_of(ZEROES) == "ingest"
    assert tokens.kind_of(ZEROES[:-1] + "1") is None


def test_two_tokens_have_two_digests():
    assert len(tokens.digest(ZEROES)) == 32
    assert tokens.digest(ZEROES) != tokens.digest(tokens.generate("ingest"))
