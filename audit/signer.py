"""The log's one signer: a key and a memory outside the database, so that the database alone cannot rewrite history.

It signs a head only if the tree grew from the last head it signed, and remembers the new one on disk before the
signature leaves. Someone who restores an old database, or edits one, is refused here.

SignerError
├── KeyMissing   the key is not where it was; a person must put it back
├── Forked       the database knows less than was signed, or something else; a new epoch must be opened
└── StateBroken  the memory cannot be read; a person must look
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import durable
from audit.proofs import merkle, notes
from audit.proofs.checkpoints import Checkpoint

KEY_FILE, STATE_FILE = "ledger.key", "state.json"

Consistency = Callable[[int, int], Sequence[bytes]]
"""(first size, second size) → the consistency proof, from the database."""


class SignerError(Exception):
    """Nothing was signed; the message is for the person who has to act."""


class KeyMissing(SignerError):
    """There is no key, and none may be made."""


class Forked(SignerError):
    """What is to be signed did not grow from what was signed."""


class StateBroken(SignerError):
    """What was signed last cannot be told."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The last head that was signed under an origin."""

    origin: str
    size: int
    root: bytes


class Signer:
    """One folder with a key and a memory. Only one process may use it at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key: Ed25519PrivateKey | None = None

    @property
    def has_key(self) -> bool:
        return (self._folder / KEY_FILE).exists()

    def make_key(self) -> None:
        """A new key, only its owner's to read. Raises FileExistsError rather than replace one."""
        durable.make_key(self._folder / KEY_FILE)

    def verifier_key(self, origin: str) -> notes.VerifierKey:
        """What verifies this log's signatures. Raises KeyMissing."""
        return notes.verifier_key(origin, self._private())

    def last(self, origin: str) -> Signed | None:
        """What was signed last under an origin; None if nothing was. Raises StateBroken."""
        try:
            state = json.loads((self._folder / STATE_FILE).read_text("utf-8"))
            signed = Signed(str(state["origin"]), int(state["size"]), base64.b64decode(state["root"], validate=True))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise StateBroken(f"{self._folder / STATE_FILE} cannot be read.") from error
        return signed if signed.origin == origin else None

    @property
    def has_signed(self) -> bool:
        """Whether it signed anything, under whatever origin."""
        return (self._folder / STATE_FILE).exists()

    def check(self, origin: str, size: int) -> None:
        """Raises Forked if more was signed than a database of that size holds."""
        last = self.last(origin)
        if last and last.size > size:
            raise Forked(
                f"The ledger holds {size} events, but {last.size} were signed: an older database was put in its place."
            )

    def sign(self, head: Checkpoint, consistency: Consistency, *, first: bool) -> notes.Note:
        """The head as a signed note; it is on disk before it is returned. Raises SignerError, and signs nothing.

        `first`: nothing was ever signed under this origin, as far as the database knows.
        """
        private = self._private()
        self.check(head.origin, head.size)
        last = self.last(head.origin)
        if last is None and not first:
            raise StateBroken(f"{self._folder / STATE_FILE} does not tell what was signed last.")
        if last:
            path = consistency(last.size, head.size)
            try:
                merkle.check_consistency(last.size, head.size, last.root, head.root, path)
            except merkle.ProofError as error:
                raise Forked(
                    f"The tree of {head.size} events did not grow from the one of {last.size} that was signed: {error}."
                ) from error
        self._remember(Signed(head.origin, head.size, head.root))
        return notes.Note(str(head), (notes.sign(str(head), head.origin, private),))

    def _private(self) -> Ed25519PrivateKey:
        if self._key is None:
            try:
                self._key = durable.read_key(self._folder / KEY_FILE)
            except (OSError, ValueError) as error:
                raise KeyMissing(f"The signing key {self._folder / KEY_FILE} is missing or cannot be read.") from error
        return self._key

    def _remember(self, signed: Signed) -> None:
        state = {"origin": signed.origin, "size": signed.size, "root": base64.b64encode(signed.root).decode()}
        durable.replace(self._folder / STATE_FILE, json.dumps(state).encode())
