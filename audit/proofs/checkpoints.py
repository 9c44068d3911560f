"""The heads of the tree as texts to be signed (C2SP tlog-checkpoint).

<origin>
<size>
<base64 of the root>
time <seconds since 1970>        (an extension line of ours: when this head was reached)
"""

import base64
import binascii
import re
from dataclasses import dataclass

from audit.proofs.merkle import HASH_BYTES

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_TIME = re.compile(r"time ([0-9]{1,12})", re.ASCII)


class CheckpointError(ValueError):
    """A text that is no checkpoint."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`at` is in seconds since 1970; None if the text does not state it."""

    origin: str
    size: int
    root: bytes
    at: int | None = None

    def __str__(self) -> str:
        stated = "" if self.at is None else f"time {self.at}\n"
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{stated}"


def parse(text: str) -> Checkpoint:
    """The inverse of str(). Raises CheckpointError; other extension lines are passed over."""
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) < 3 or not all(lines):
        raise CheckpointError("a checkpoint has an origin, a size and a root, each on a line")
    origin, size, root = lines[:3]
    try:
        hashed = base64.b64decode(root, validate=True)
    except binascii.Error:
        hashed = b""
    if not _SIZE.fullmatch(size) or len(hashed) != HASH_BYTES:
        raise CheckpointError("the size is no number, or the root no hash")
    times = [int(found[1]) for line in lines[3:] if (found := _TIME.fullmatch(line))]
    return Checkpoint(origin, int(size), hashed, times[0] if times else None)
