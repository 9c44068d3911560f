"""The bytes that are hashed: parts, commitments and leaves.

A leaf is the RFC 6962 §2.1 hash of an event's header and of salted commitments to its four parts, so that a part can
be erased or withheld while the proof of the event stays valid. The layout with a test vector is in docs/ledger.md.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from audit.drafts import Attribute

HEADER_FORMAT = "agp-event/1"
PARTS = ("subject", "origin", "facts", "content")
SALT_BYTES = 16
ABSENT = bytes(32)
"""The commitment of a part the event does not have."""

_LEAF_TAG = b"agp/leaf/v1\n"
_PART_TAGS = {name: b"agp/part/v1\n" + bytes([len(name)]) + name.encode() for name in PARTS}

encode_json = msgspec.json.Encoder().encode


def encode_part(attributes: Sequence[Attribute]) -> bytes:
    """A part's exact bytes: a UTF-8 JSON array of [key, type, value] in arrival order."""
    return encode_json(attributes)


def commitment(part: str, salt: bytes, data: bytes) -> bytes:
    """32 bytes that bind a part without telling it; the part's name and the salt's fixed length leave no ambiguity."""
    return hashlib.sha256(_PART_TAGS[part] + salt + data).digest()


def leaf_hash(header: bytes, subject: bytes, origin: bytes, facts: bytes, content: bytes) -> bytes:
    """RFC 6962 leaf hash, SHA-256(0x00 || leaf), over the header and the four commitments of 32 bytes each."""
    leaf = _LEAF_TAG + len(header).to_bytes(4, "big") + header + subject + origin + facts + content
    return hashlib.sha256(b"\x00" + leaf).digest()
