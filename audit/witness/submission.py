"""The body of `add-checkpoint` (C2SP tlog-witness).

old <size of the last checkpoint that the witness cosigned>
<base64 of a hash of the consistency proof>        (none to 63 lines)
<empty line>
<checkpoint, a signed note>
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from audit.proofs import checkpoints, notes
from audit.proofs.checkpoints import Checkpoint
from audit.proofs.merkle import HASH_BYTES
from audit.proofs.notes import Note

MOST_HASHES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


class Malformed(ValueError):
    """Bytes that are no submission; the message says why."""


@dataclass(frozen=True, slots=True)
class Submission:
    """`path` proves that the head grew from the tree of `old` leaves."""

    old: int
    path: Sequence[bytes]
    note: Note
    head: Checkpoint

    def __bytes__(self) -> bytes:
        proof = "".join(base64.b64encode(hash_).decode() + "\n" for hash_ in self.path)
        return f"old {self.old}\n{proof}\n{self.note}".encode()


def parse(body: bytes) -> Submission:
    """The inverse of bytes(). Raises Malformed."""
    try:
        before, separator, note_text = body.decode().partition("\n\n")
        old, *path = before.split("\n")
        size = _OLD.fullmatch(old)
        if not separator or not size or len(path) > MOST_HASHES:
            raise Malformed("it is not an old size, at most 63 hashes, an empty line and a checkpoint")
        note = notes.parse(note_text)
        return Submission(int(size[1]), [_hash(line) for line in path], note, checkpoints.parse(note.text))
    except UnicodeDecodeError:
        raise Malformed("it is not UTF-8") from None
    except (notes.NoteError, checkpoints.CheckpointError) as error:
        raise Malformed(str(error)) from None


def _hash(line: str) -> bytes:
    try:
        hash_ = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        hash_ = b""
    if len(hash_) != HASH_BYTES:
        raise Malformed("a line of the proof is no hash")
    return hash_
