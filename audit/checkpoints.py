"""Signed heads of the tree: made by the one signer, kept beside the tree, told to whoever asks."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from django.conf import settings
from django.utils import timezone
from psycopg import sql

from audit import epochs, tree
from audit.proofs import checkpoints, notes
from audit.proofs.checkpoints import Checkpoint
from audit.signer import Forked, Signer

FRESH = dt.timedelta(minutes=5)
"""How long ago witnesses may have cosigned a head that is shown in the place of a newer one; later it is an alarm."""


@dataclass(frozen=True, slots=True)
class Published:
    """A signed head: `note` is the text with its signatures, cosignatures included."""

    head: Checkpoint
    note: str


def check_grown(connection: psycopg.Connection, signer: Signer) -> None:
    """Raises Forked if more was signed than the database holds: then no number may be given."""
    with psycopg.Cursor(connection) as cursor:
        current = epochs.current(cursor)
        if current:
            signer.check(current.origin, tree.size(cursor))
        elif signer.has_signed:
            raise Forked("The ledger was signed before, but this database holds nothing of it.")


def sign(connection: psycopg.Connection, signer: Signer) -> Checkpoint | None:
    """Signs the head that is committed, if it is not signed yet. Raises signer.SignerError.

    Never inside the transaction that integrates: what was signed and then rolled back would be a fork.
    """
    with psycopg.Cursor(connection) as cursor:
        with connection.transaction():
            current = epochs.begin(cursor)
        cursor.execute("SELECT size, integrated_at FROM audit_head", binary=True)
        size, integrated_at = cursor.fetchone() or (0, None)
        cursor.execute("SELECT coalesce(max(size), -1) FROM audit_checkpoint WHERE epoch = %s", [current.number])
        (signed,) = cursor.fetchone() or (-1,)
        if size in (0, signed):
            return None
        head = Checkpoint(current.origin, size, tree.root(cursor, size), int(integrated_at.timestamp()))

        def consistency(first: int, second: int) -> Sequence[bytes]:
            try:
                return tree.consistency(cursor, first, second)
            except ValueError as error:
                raise Forked(str(error)) from error

        note = signer.sign(head, consistency, first=signed < 0)
        cursor.execute(
            "INSERT INTO audit_checkpoint (epoch, size, root, integrated_at, note) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [current.number, size, head.root, integrated_at, str(note)],
        )
    return head


_NEWEST: LiteralString = "SELECT epoch, size FROM audit_checkpoint ORDER BY epoch DESC, size DESC LIMIT 1"
_COSIGNED: LiteralString = """
    SELECT epoch, size FROM audit_cosignature
    WHERE at > %s AND witness = ANY(%s) AND epoch = (SELECT max(epoch) FROM audit_checkpoint)
    GROUP BY epoch, size HAVING count(*) >= %s ORDER BY size DESC LIMIT 1"""

_WITH_LINES = """
    WITH chosen AS ({chosen}) SELECT c.note, coalesce(string_agg(w.line, '' ORDER BY w.witness), '')
    FROM chosen JOIN audit_checkpoint c USING (epoch, size) LEFT JOIN audit_cosignature w USING (epoch, size)
    GROUP BY c.epoch, c.size"""


def latest(cursor: psycopg.Cursor, beyond: int = -1) -> Published | None:
    """The signed head to show: the newest that a quorum of witnesses cosigned of late, else the newest there is.

    None if it does not cover the event numbered `beyond`.
    """
    for published in (cosigned(cursor), newest(cursor)):
        if published and published.head.size > beyond:
            return published
    return None


def newest(cursor: psycopg.Cursor) -> Published | None:
    """The newest signed head there is; None before the first."""
    return _published(cursor, _NEWEST, [])


def cosigned(cursor: psycopg.Cursor) -> Published | None:
    """The newest head that enough witnesses cosigned within FRESH; None if there is none, or no witness is configured.

    An older one would leave out too much of what has happened since: then it is better to show a head without them.
    """
    if not settings.AUDIT_WITNESS_QUORUM:
        return None
    names = [each.key.name for each in settings.AUDIT_WITNESSES]
    return _published(cursor, _COSIGNED, [timezone.now() - FRESH, names, settings.AUDIT_WITNESS_QUORUM])


def _published(cursor: psycopg.Cursor, which: LiteralString, parameters: Sequence[Any]) -> Published | None:
    cursor.execute(sql.SQL(_WITH_LINES).format(chosen=sql.SQL(which)), parameters)
    row = cursor.fetchone()
    if row is None:
        return None
    note, cosignatures = row
    return Published(checkpoints.parse(notes.parse(note).text), note + cosignatures)
