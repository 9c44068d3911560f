"""Sealed values open in their own place with their own key, unchanged; else never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.credentials.cipher import ID_BYTES, Key, Unreadable, key_id_of, seal, unseal

KEY = Key(b"k" * ID_BYTES, b"s" * 32)
PLACE = b"connectors_connection|7|secret"


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_what_is_sealed_opens_again(secret, place):
    sealed = seal(KEY, place, secret)
    assert unseal(KEY, place, sealed) == secret
    assert key_id_of(sealed) == KEY.id


def test_no_two_values_are_alike():
    assert len({seal(KEY, PLACE, b"same") for _ in range(50)}) == 50


def test_every_flipped_bit_is_noticed():
    sealed = seal(KEY, PLACE, b"sk-ant-admin01-abc")
    for position in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(Unreadable):
            unseal(KEY, PLACE, bytes(changed))


@given(st.integers(0, 54))
def test_a_cut_value_does_not_open(length):
    sealed = seal(KEY, PLACE, b"sk-ant-admin01-abc")
    with pytest.raises(Unreadable):
        unseal(KEY, PLACE, sealed[: min(length, len(sealed) - 1)])


def test_a_value_of_another_place_does_not_open():
    with pytest.raises(Unreadable):
        unseal(KEY, b"connectors_connection|8|secret", seal(KEY, PLACE, b"x"))


def test_another_key_of_the_same_id_does_not_open_it():
    with pytest.raises(Unreadable):
        unseal(Key(KEY.id, b"t" * 32), PLACE, seal(KEY, PLACE, b"x"))


def test_a_key_does_not_tell_itself():
    assert "s" * 32 not in repr(KEY)
    assert KEY.secret.hex() not in repr(KEY)
