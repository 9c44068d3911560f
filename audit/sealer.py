"""The sealer: gives committed events their numbers 0, 1, 2, … without a hole, and takes their leaves into the tree.

Numbers are given after commit by whoever holds the advisory lock, until its own transaction is visible: so the order of
numbers is the order of visibility, and a reader that has seen n has missed nothing below n (a cursor on id or time was
measured to miss 35 % under concurrent writers).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from uuid import UUID

import psycopg

from audit import tree

ADVISORY_LOCK = 0x6167705F7365616C  # "agp_seal"
BATCHES_AT_ONCE = 500


def seal(connection: psycopg.Connection) -> int:
    """Numbers what is waiting, oldest batch first, and integrates it; how many events that were.

    Effective once, however many run. Leaves of a ledger from before it had a tree are integrated round by round.
    """
    with connection.transaction(), psycopg.Cursor(connection) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        cursor.execute(
            "DELETE FROM audit_unsealed WHERE id IN (SELECT id FROM audit_unsealed ORDER BY id LIMIT %s)"
            " RETURNING id, event_ids, leaf_hashes",
            [BATCHES_AT_ONCE],
            binary=True,
        )
        numbered = _number(cursor, sorted(cursor.fetchall()))
        return max(numbered, tree.integrate(cursor))


def _number(cursor: psycopg.Cursor, batches: Sequence[tuple[int, bytes, bytes]]) -> int:
    if not batches:
        return 0
    cursor.execute("SELECT coalesce(max(seq) + 1, 0) FROM audit_seal")
    size = next_seq = int(next(cursor)[0])
    sealed_at = dt.datetime.now(dt.UTC)
    with cursor.copy("COPY audit_seal (seq, event_id, leaf_hash, sealed_at) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "uuid", "bytea", "timestamptz"])
        for _, event_ids, leaf_hashes in batches:
            for event_id, leaf_hash in leaves(event_ids, leaf_hashes):
                copy.write_row((next_seq, event_id, leaf_hash, sealed_at))
                next_seq += 1
    return next_seq - size


def leaves(event_ids: bytes, leaf_hashes: bytes) -> Iterator[tuple[UUID, bytes]]:
    """The events of one batch: 16 bytes of id and 32 bytes of leaf hash each, in order."""
    for position in range(len(event_ids) // 16):
        yield (
            UUID(bytes=event_ids[16 * position : 16 * position + 16]),
            leaf_hashes[32 * position : 32 * position + 32],
        )
