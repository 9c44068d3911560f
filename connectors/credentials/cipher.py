"""Sealed values: version (1 byte, 0x01), key id (8), nonce (12), ciphertext and tag (AES-256-GCM, NIST SP 800-38D).

Random nonces of 96 bits are safe for 2^32 values under one key; a portal seals a few dozen.
"""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
KEY_BYTES, ID_BYTES, NONCE_BYTES = 32, 8, 12
_HEAD = len(VERSION) + ID_BYTES


class Unreadable(Exception):
    """A sealed value that does not open: changed, cut, or taken from another place."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the ring. `id` is random and says nothing about the key."""

    id: bytes
    secret: bytes = field(repr=False)


def seal(key: Key, place: bytes, secret: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    head = VERSION + key.id
    return head + nonce + AESGCM(key.secret).encrypt(nonce, secret, head + place)


def key_id_of(sealed: bytes) -> bytes:
    """The id of the key it was sealed with. Raises Unreadable."""
    if len(sealed) < _HEAD + NONCE_BYTES + 16 or sealed[:1] != VERSION:
        raise Unreadable("This is no sealed value.")
    return sealed[1:_HEAD]


def unseal(key: Key, place: bytes, sealed: bytes) -> bytes:
    """What was sealed. Raises Unreadable; the message holds nothing of the value."""
    if key_id_of(sealed) != key.id:
        raise Unreadable("It was sealed with another key.")
    nonce, box = sealed[_HEAD : _HEAD + NONCE_BYTES], sealed[_HEAD + NONCE_BYTES :]
    try:
        return AESGCM(key.secret).decrypt(nonce, box, sealed[:_HEAD] + place)
    except InvalidTag:
        raise Unreadable("It was changed, or belongs to another row or field.") from None
