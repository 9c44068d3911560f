"""Signed notes (C2SP signed-note): a text, and under it a line for each signature.

    <text ending in a newline>
    <newline>
    — <key name> <base64 of key id (4 bytes) | signature>

Ed25519 (type 0x01) signs the text itself; a cosignature (type 0x04, C2SP tlog-cosignature) states a time with it.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519, COSIGNATURE = 0x01, 0x04
LARGEST_BYTES = 1 << 20
MOST_SIGNATURES = 100
_DASH = "\u2014 "
_KEY_ID_BYTES, _KEY_BYTES, _TIME_BYTES, _SIGNATURE_BYTES = 4, 32, 8, 64


class NoteError(ValueError):
    """A text that is no signed note, or a key that is none; the message says why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """`value` is what follows the key id."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """`text` ends with a newline, and is what was signed."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under; `kind` is ED25519 or COSIGNATURE."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """`<name>+<key id in hex>+<base64 of kind and key>`, as policies list it."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """The inverse of str(). Raises NoteError, also when the key id is not that of the key."""
        name, _, rest = text.strip().partition("+")
        claimed, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        if not _is_name(name) or len(data) != 1 + _KEY_BYTES or data[0] not in (ED25519, COSIGNATURE):
            raise NoteError("not a verifier key: <name>+<key id>+<key>, of Ed25519")
        key = cls(name, data[0], data[1:])
        if claimed != key.id.hex():
            raise NoteError("the key id is not that of the key")
        return key


def verifier_key(name: str, private: Ed25519PrivateKey, kind: int = ED25519) -> VerifierKey:
    check_name(name)
    return VerifierKey(name, kind, private.public_key().public_bytes_raw())


def check_name(name: str) -> None:
    """Raises NoteError for what cannot be a key's name."""
    if not _is_name(name):
        raise NoteError("a key's name holds neither spaces nor a plus")


def sign(text: str, name: str, private: Ed25519PrivateKey) -> Signature:
    return Signature(name, verifier_key(name, private).id, private.sign(_signable(text)))


def cosign(text: str, name: str, private: Ed25519PrivateKey, at: int) -> Signature:
    """A witness's signature, that this was the largest head it had seen at that second since 1970."""
    value = at.to_bytes(_TIME_BYTES, "big") + private.sign(_cosignable(text, at))
    return Signature(name, verifier_key(name, private, COSIGNATURE).id, value)


def parse(text: str) -> Note:
    """Raises NoteError. Signatures of kinds and keys unknown here are kept: whoever verifies passes over them."""
    if len(text) > LARGEST_BYTES:
        raise NoteError("the note is too long")
    if any(character < " " and character != "\n" for character in text):
        raise NoteError("the note holds a control character")
    signed, separator, lines = text.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteError("the note has no signatures")
    found = lines.removesuffix("\n").split("\n")
    if len(found) > MOST_SIGNATURES:
        raise NoteError("the note has too many signatures")
    return Note(signed + "\n", tuple(map(_signature, found)))


def verified_by(note: Note, keys: Iterable[VerifierKey]) -> dict[VerifierKey, int | None]:
    """The keys whose signature the note bears, with the time a cosignature states.

    Raises NoteError for a signature of one of these keys that does not verify (as the specification asks).
    """
    found: dict[VerifierKey, int | None] = {}
    for key in keys:
        for signature in note.signatures:
            if (signature.name, signature.key_id) == (key.name, key.id) and key not in found:
                found[key] = _verify(note.text, signature, key)
    return found


def _verify(text: str, signature: Signature, key: VerifierKey) -> int | None:
    value, at, message = signature.value, None, _signable(text)
    if key.kind == COSIGNATURE:
        at, value = int.from_bytes(value[:_TIME_BYTES], "big"), value[_TIME_BYTES:]
        message = _cosignable(text, at)
    try:
        if len(value) != _SIGNATURE_BYTES:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
    except InvalidSignature:
        raise NoteError(f"the signature of {key.name} does not verify") from None
    return at


def _signable(text: str) -> bytes:
    if not text.endswith("\n"):
        raise NoteError("a signed text ends with a newline")
    return text.encode()


def _cosignable(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n".encode() + _signable(text)


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not _is_name(name):
        raise NoteError("a signature line is malformed")
    data = _decoded(encoded)
    if len(data) <= _KEY_ID_BYTES:
        raise NoteError("a signature line is malformed")
    return Signature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("not base64") from None
