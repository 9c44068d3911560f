"""The witness's rules: what it cosigns, what it refuses, and what it remembers (C2SP tlog-witness, add-checkpoint)."""

import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import durable
from audit.proofs import checkpoints, merkle, notes
from audit.proofs.checkpoints import Checkpoint
from audit.proofs.notes import NoteError, VerifierKey
from audit.witness import submission
from audit.witness.submission import Malformed, Submission

logger = logging.getLogger(__name__)

KEY_FILE, VKEY_FILE, LOCK_FILE, REFUSED = "witness.key", "witness.vkey", "lock", "refused"
SIZE = "text/x.tlog.size"
MOST_KEPT = 1000


class WitnessError(Exception):
    """It cannot be a witness with this folder; the message is for the person who has to act."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered over HTTP."""

    status: HTTPStatus
    body: str
    content_type: str = "text/plain; charset=utf-8"


class Witness:
    """One folder with a key and, for each log, the last checkpoint that it cosigned. One process at a time may use it.

    `logs` are the keys whose checkpoints it looks at; a log is told from others by its origin, which is its key's name.
    """

    def __init__(self, folder: Path, logs: Iterable[VerifierKey], clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._keys: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._keys.setdefault(key.name, []).append(key)
        self._one_at_a_time = threading.Lock()
        self._lock = _locked(folder / LOCK_FILE)
        self._key = _read_key(folder)

    @property
    def verifier_key(self) -> VerifierKey:
        """What verifies its cosignatures."""
        return self._key[0]

    def close(self) -> None:
        """Lets another process have the folder."""
        os.close(self._lock)

    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to a submission: a cosignature, once the checkpoint is on disk, or why there is none."""
        try:
            asked = submission.parse(body)
        except Malformed as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        keys = self._keys.get(asked.head.origin)
        if keys is None:
            return Answer(HTTPStatus.NOT_FOUND, "this log is not known here\n")
        try:
            signed = notes.verified_by(asked.note, keys)
        except NoteError:
            signed = {}
        if not signed:
            return Answer(HTTPStatus.FORBIDDEN, "it is not signed with a key of this log\n")
        if asked.old > asked.head.size:
            return Answer(HTTPStatus.BAD_REQUEST, "the old size is larger than the new one\n")
        with self._one_at_a_time:  # from the look at what is remembered until the new one is on disk
            return self._judge(asked, body)

    def last(self, origin: str) -> Checkpoint | None:
        """The last checkpoint of a log that it cosigned. Raises WitnessError if that cannot be told."""
        path = self._memory(origin)
        try:
            head = checkpoints.parse(notes.parse(path.read_text("utf-8")).text)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise WitnessError(f"{path} cannot be read: what was cosigned last is not known.") from error
        if head.origin != origin:
            raise WitnessError(f"{path} is of another log.")
        return head

    def _judge(self, asked: Submission, body: bytes) -> Answer:
        head = asked.head
        last = self.last(head.origin) or Checkpoint(head.origin, 0, merkle.EMPTY_ROOT)
        if head.size == last.size and head.root != last.root:
            self._keep(asked, body)
            return Answer(HTTPStatus.CONFLICT, f"{last.size}\n", SIZE)
        if asked.old != last.size:
            return Answer(HTTPStatus.CONFLICT, f"{last.size}\n", SIZE)
        try:
            merkle.check_consistency(last.size, head.size, last.root, head.root, asked.path)
        except merkle.ProofError as error:
            self._keep(asked, body)
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}\n")
        durable.replace(self._memory(head.origin), str(asked.note).encode())
        verifier_key, private = self._key
        return Answer(HTTPStatus.OK, notes.cosign(asked.note.text, verifier_key.name, private, int(self._clock())).line)

    def _memory(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.note"

    def _keep(self, asked: Submission, body: bytes) -> None:
        """A checkpoint that the log signed and that did not grow from what it signed before convicts its keeper."""
        logger.critical(
            "refused a checkpoint that did not grow from the last one",
            extra={"action": "witness", "origin": asked.head.origin, "size": asked.head.size},
        )
        folder = self._folder / REFUSED
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{asked.head.size}-{hashlib.sha256(asked.note.text.encode()).hexdigest()[:16]}"
        if not path.exists() and sum(1 for _ in folder.iterdir()) < MOST_KEPT:
            durable.replace(path, body)


def make(folder: Path, name: str) -> None:
    """A witness's folder with a new key under that name. Raises FileExistsError if it has one, NoteError for the name.

    The name goes with the key: whoever trusts the one knows it under the other.
    """
    notes.check_name(name)
    durable.make_key(folder / KEY_FILE)
    key = notes.verifier_key(name, durable.read_key(folder / KEY_FILE), notes.COSIGNATURE)
    durable.replace(folder / VKEY_FILE, f"{key}\n".encode())


def _read_key(folder: Path) -> tuple[VerifierKey, Ed25519PrivateKey]:
    try:
        private = durable.read_key(folder / KEY_FILE)
        key = VerifierKey.parse((folder / VKEY_FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WitnessError(f"The key in {folder} is missing or cannot be read.") from error
    if key != notes.verifier_key(key.name, private, notes.COSIGNATURE):
        raise WitnessError(f"{KEY_FILE} and {VKEY_FILE} in {folder} do not belong together.")
    return key, private


def _locked(path: Path) -> int:
    """Held until it is closed: two processes with one memory could cosign two histories."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise WitnessError(f"Another process uses {path.parent}.") from error
    return descriptor
