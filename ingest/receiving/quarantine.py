"""What cannot be kept as evidence is kept apart: with its reason, so that it can be looked at and replayed.

Of a source that keeps no content only the reason, the length and the hash: nobody has read what is in it.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable

import psycopg

from audit.drafts import Receipt
from ingest.receiving.work import Work

KEPT_BYTES = 64 * 1024

_INSERT = """
INSERT INTO ingest_quarantined (received_at, token_id, source_id, source_name, address, hint, signal, encoding, reason,
                                whole, length, sha256, request, replay_outcome)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '')
"""


def keep_beginning(connection: psycopg.Connection, work: Work, receipt: Receipt, reason: str) -> None:
    """A request of which nothing can be read: its first 64 KiB and its hash."""
    body = work.request.body
    _keep(connection, work, receipt, [(reason, body[:KEPT_BYTES], body)])


def keep_whole(connection: psycopg.Connection, work: Work, receipt: Receipt, held: Iterable[tuple[str, bytes]]) -> None:
    """What can be replayed: requests that hold one unusable record each, or the request itself, with the reason."""
    _keep(connection, work, receipt, [(reason, request, request) for reason, request in held])


def _keep(connection: psycopg.Connection, work: Work, receipt: Receipt, items: list[tuple[str, bytes, bytes]]) -> None:
    received_at = dt.datetime.fromtimestamp(receipt.received_at_us / 1e6, dt.UTC)
    request = work.request
    if work.token and not work.token.keeps_content:
        items = [(reason, b"", whole) for reason, _, whole in items]
    rows = [
        (
            received_at, receipt.token_id, receipt.source_id, receipt.source_name, receipt.address, work.hint or "",
            request.route.signal, request.encoding, reason.replace("\x00", ""), len(kept) == len(whole), len(whole),
            hashlib.sha256(whole).digest(), kept,
        )
        for reason, kept, whole in items
    ]  # fmt: skip
    with psycopg.Cursor(connection) as cursor:
        cursor.executemany(_INSERT, rows)
