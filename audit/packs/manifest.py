"""manifest.json: what a pack is, and the hashes of its files. Its words are those of whoever made it."""

from collections.abc import Mapping

import msgspec

FORMAT = "agp-pack/1"


class Manifest(msgspec.Struct, kw_only=True):
    """`complete`: the ledger proves that nothing between the first and the last number is missing."""

    format: str = FORMAT
    kind: str
    title: str
    origin: str
    size: int
    first_seq: int
    last_seq: int
    events: int
    complete: bool
    made_at: str
    made_by: str
    reason: str
    files: Mapping[str, str]


def encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
