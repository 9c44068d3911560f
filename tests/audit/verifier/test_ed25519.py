"""The verifier's own Ed25519 against published vectors and against `cryptography`."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.verifier.verify import ORDER, P, _decompress, ed25519_holds

SPECIMENS = Path(__file__).parents[2] / "specimens" / "ed25519"
RFC_8032 = json.loads((SPECIMENS / "rfc8032.json").read_text())
WYCHEPROOF = json.loads((SPECIMENS / "wycheproof.json").read_text())


def holds_for_cryptography(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("name", "key", "message", "signature"), RFC_8032, ids=[row[0] for row in RFC_8032])
def test_the_vectors_of_rfc_8032_hold(name, key, message, signature):
    key, message, signature = (bytes.fromhex(each) for each in (key, message, signature))
    assert ed25519_holds(key, signature, message)
    assert not ed25519_holds(key, signature, message + b"\0")


def test_wycheproof_gets_its_verdicts():
    for number, verdict, key, message, signature, comment in WYCHEPROOF:
        key, message, signature = (bytes.fromhex(each) for each in (key, message, signature))
        held = ed25519_holds(key, signature, message)
        if verdict == "acceptable":
            assert not held or holds_for_cryptography(key, signature, message), (number, comment)
            assert not held or "torsion point" not in comment or "plus" in comment, (number, comment)
        else:
            assert held == (verdict == "valid"), (number, comment)


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_it_agrees_with_cryptography(seed, message, bit):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ed25519_holds(key, signature, message)
    flipped = (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(64, "little")
    assert not ed25519_holds(key, flipped, message)
    flipped = (int.from_bytes(key, "little") ^ 1 << bit % 256).to_bytes(32, "little")
    assert not ed25519_holds(flipped, signature, message)


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_it_never_holds_where_cryptography_refuses(key, signature):
    assert not ed25519_holds(key, signature, b"") or holds_for_cryptography(key, signature, b"")


def test_the_same_signature_is_not_valid_in_a_second_form():
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    key, signature = private.public_key().public_bytes_raw(), private.sign(b"note")
    larger = int.from_bytes(signature[32:], "little") + ORDER
    assert ed25519_holds(key, signature, b"note")
    assert not ed25519_holds(key, signature[:32] + larger.to_bytes(32, "little"), b"note")


@pytest.mark.parametrize("y", [0, 1, P - 1, P, P + 1])
def test_a_key_of_small_order_or_in_a_second_form_never_holds(y):
    """With the key 1 (the identity) and S = 0, R = 1 satisfies the equation for every message."""
    signature = (1).to_bytes(32, "little") + bytes(32)
    assert not ed25519_holds(y.to_bytes(32, "little"), signature, b"anything")


def test_a_point_has_one_encoding():
    """RFC 8032 §5.1.3: neither y + p for y nor a sign for the x of 0."""
    decoded = [_decompress((P + y).to_bytes(32, "little")) for y in range(19)]
    assert decoded == [None] * 19
    assert sum(_decompress(y.to_bytes(32, "little")) is not None for y in range(19)) > 5
    for y in (1, P - 1):
        assert _decompress(y.to_bytes(32, "little")) is not None
        assert _decompress((y | 1 << 255).to_bytes(32, "little")) is None
