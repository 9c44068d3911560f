"""Logs to be witnessed: some leaves and a key. Two logs with one key and other leaves are a fork."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.proofs import merkle, notes
from audit.proofs.checkpoints import Checkpoint
from audit.proofs.notes import Note, VerifierKey
from audit.witness import witness
from audit.witness.known import Known
from audit.witness.server import Server
from audit.witness.submission import Submission
from audit.witness.witness import Witness
from tests.audit.proofs.test_merkle import Nodes, defined

ORIGIN = "portal.example.org/evidence/1/0"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "witness.example.org/w1"


def leaves(*texts: str) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + text.encode()).digest() for text in texts]


class Log:
    def __init__(self, hashes: Sequence[bytes], private: Ed25519PrivateKey = PRIVATE, origin: str = ORIGIN) -> None:
        self.hashes, self.private, self.origin = list(hashes), private, origin

    @property
    def key(self) -> VerifierKey:
        return notes.verifier_key(self.origin, self.private)

    def head(self, size: int) -> Checkpoint:
        return Checkpoint(self.origin, size, defined(self.hashes[:size]), 1_795_000_000)

    def submission(self, old: int, size: int, path: Sequence[bytes] | None = None) -> bytes:
        head = self.head(size)
        if path is None:
            steps = merkle.consistency_steps(old, size) if old <= size else []
            path = merkle.proof(steps, Nodes(self.hashes))
        note = Note(str(head), (notes.sign(str(head), self.origin, self.private),))
        return bytes(Submission(old, path, note, head))


HONEST = Log(leaves(*map(str, range(20))))
FORK = Log([*HONEST.hashes[:4], *leaves(*(f"other {n}" for n in range(16)))])


def made(folder: Path, *logs: VerifierKey, name: str = NAME, now: float = 1_800_000_000) -> Witness:
    """A witness with the key in that folder, which is made if there is none."""
    if not (folder / witness.KEY_FILE).exists():
        witness.make(folder, name)
    return Witness(folder, logs or (HONEST.key,), clock=lambda: now)


@contextlib.contextmanager
def serving(witness: Witness, kind: type[Server] = Server) -> Iterator[Known]:
    """The witness over HTTP, on a port of its own."""
    with kind(("127.0.0.1", 0), witness) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Known(f"http://127.0.0.1:{server.server_port}", witness.verifier_key)
        finally:
            server.shutdown()
            thread.join()
            witness.close()
