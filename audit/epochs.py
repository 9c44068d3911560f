"""Epochs of the ledger: a new one begins where a restored database knows less than was signed (docs/ledger.md)."""

import datetime as dt
import socket
import uuid
from dataclasses import dataclass

import psycopg
from django.conf import settings

from audit import acts, pasted, tree
from audit.signer import Signed


@dataclass(frozen=True, slots=True)
class Epoch:
    """`size` is how many events the ledger held when it began; 0 for the first."""

    number: int
    origin: str
    size: int


def current(cursor: psycopg.Cursor) -> Epoch | None:
    """The one that goes on now; None before the first head was signed."""
    cursor.execute("SELECT epoch, origin, size FROM audit_epoch ORDER BY epoch DESC LIMIT 1")
    row = cursor.fetchone()
    return Epoch(*row) if row else None


def begin(cursor: psycopg.Cursor) -> Epoch:
    """The current epoch, which is the first one if there was none."""
    origin = f"{settings.AUDIT_LEDGER_HOST}/evidence/{uuid.uuid4()}/0"
    return current(cursor) or _insert(cursor, Epoch(0, origin, 0), "", "the first", "")


def open_next(connection: psycopg.Connection, lost: Signed, by: str, reason: str) -> Epoch:
    """Goes on from what the database holds, in a new epoch; `lost` is the last head that was signed in the old one.

    The first event after it says so: what was signed and is not there any more can be counted by anybody.
    """
    reason = pasted.masked(reason)
    with connection.transaction(), psycopg.Cursor(connection) as cursor:
        previous = begin(cursor)
        place = previous.origin.rpartition("/")[0]
        number = previous.number + 1
        size = tree.size(cursor)
        opened = _insert(cursor, Epoch(number, f"{place}/{number}", size), by, reason, f"{lost.size} {lost.root.hex()}")
        facts = {
            "ledger.epoch": number,
            "ledger.size": size,
            "ledger.signed_size": lost.size,
            "ledger.signed_root": lost.root.hex(),
            "ledger.missing": max(lost.size - size, 0),
        }
        acts.record("ledger.epoch_opened", by=by, facts=facts, content={"reason": reason})
    return opened


def _insert(cursor: psycopg.Cursor, epoch: Epoch, by: str, reason: str, previous: str) -> Epoch:
    cursor.execute(
        "INSERT INTO audit_epoch (epoch, origin, opened_at, opened_by, reason, size, previous)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [epoch.number, epoch.origin, dt.datetime.now(dt.UTC), by or socket.gethostname(), reason, epoch.size, previous],
    )
    return epoch
