"""A small ledger to be attacked: the portal's code on temporary tables, which PostgreSQL finds before the real ones.

Nothing of it is seen by others or left behind. There are no triggers on it, as for an owner who has switched them off.
"""

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from audit import checkpoints, ledger, sealer, tree
from audit.drafts import EventDraft, Receipt
from audit.grants import APPEND_ONLY
from audit.proofs import notes
from audit.proofs.checkpoints import Checkpoint
from audit.proofs.notes import VerifierKey
from audit.signer import Signer
from audit.witness import witness
from audit.witness.submission import Submission
from audit.witness.witness import Answer, Witness

WRITTEN = (*APPEND_ONLY, "audit_head", "audit_seen", "audit_unsealed", "audit_unfolded")
HALF = 150


@dataclass(frozen=True, slots=True)
class Scratch:
    """`folder` holds the signer's and the witness's folders, as they are after all events were signed and cosigned.

    `half` is the signer's folder as it was when half of them were.
    """

    connection: psycopg.Connection
    folder: Path
    key: VerifierKey

    @property
    def signer(self) -> Signer:
        return Signer(self.folder / "signer")

    def record(self, count: int, seconds_ago: int = 0) -> list[ledger.PreparedEvent]:
        """Events, recorded as the receiver does."""
        now_us = time.time_ns() // 1000 - seconds_ago * 1_000_000
        drafts = [_draft(f"{time.time_ns()}-{number}") for number in range(count)]
        prepared = ledger.prepare(self.connection, Receipt(now_us, 0, "attack", 0, ""), drafts)
        with self.connection.transaction():
            ledger.append(self.connection, prepared)
        return prepared

    def grow(self, signer: Signer, count: int = HALF) -> Checkpoint:
        """Events, recorded, numbered and signed."""
        self.record(count)
        sealer.seal(self.connection)
        head = checkpoints.sign(self.connection, signer)
        assert head is not None
        return head

    def ask_witness(self, old: int) -> Answer:
        """What the witness answers to the newest head."""
        with contextlib.closing(Witness(self.folder / "witness", [self.key])) as asked:
            return asked.add_checkpoint(bytes(_submission(self.connection, old)))

    @contextlib.contextmanager
    def attacked(self) -> Iterator["Scratch"]:
        """This ledger with folders of its own, all of which is as before when the block ends."""
        with tempfile.TemporaryDirectory() as copy, self.connection.transaction(force_rollback=True):
            shutil.copytree(self.folder, copy, dirs_exist_ok=True)
            yield Scratch(self.connection, Path(copy), self.key)


@contextlib.contextmanager
def laid_out(connection: psycopg.Connection) -> Iterator[Scratch]:
    """Two times HALF events under two signed heads, the second of which is cosigned."""
    ledger.subjects.forget()
    ledger.origins.forget()
    try:
        _shadow(connection)
        with tempfile.TemporaryDirectory() as folder:
            signer = Signer(Path(folder) / "signer")
            signer.make_key()
            witness.make(Path(folder) / "witness", "scratch.example.org/witness")
            made = Scratch(connection, Path(folder), signer.verifier_key("none"))
            head = made.grow(signer)
            made = Scratch(connection, Path(folder), signer.verifier_key(head.origin))
            shutil.copytree(Path(folder) / "signer", Path(folder) / "half")
            made.grow(signer)
            made.ask_witness(0)
            logging.disable(logging.CRITICAL)  # what this witness refuses is no news for whoever reads the log
            yield made
    finally:
        logging.disable(logging.NOTSET)
        ledger.subjects.forget()
        ledger.origins.forget()
        if not connection.closed:
            connection.execute("DISCARD TEMP")  # the server would do it a moment after the connection has ended


def _shadow(connection: psycopg.Connection) -> None:
    """Every table of the ledger, so that no statement here can find a real one."""
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition AND relname LIKE 'audit\\_%'"
    ).fetchall()
    for (table,) in tables:
        name = sql.Identifier(table)
        connection.execute(sql.SQL("CREATE TEMPORARY TABLE {0} (LIKE public.{0} INCLUDING ALL)").format(name))


def _draft(text: str) -> EventDraft:
    return EventDraft(
        agent="other",
        kind="tool_decision",
        event_name="attacked",
        subject=[("@user.email", "string", "nobody@example.org")],
        origin=[("scope.name", "string", "attack")],
        facts=[("@event.name", "string", "attacked"), ("@tool_name", "string", "Bash"), ("@text", "string", text)],
        content=[("@command", "string", text)],
        tool_name="Bash",
    )


def _submission(connection: psycopg.Connection, old: int) -> Submission:
    with psycopg.Cursor(connection) as cursor:
        published = checkpoints.newest(cursor)
        assert published is not None
        path = tree.consistency(cursor, min(old, published.head.size), published.head.size)
    return Submission(min(old, published.head.size), path, notes.parse(published.note), published.head)
