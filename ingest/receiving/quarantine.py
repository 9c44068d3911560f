"""What cannot be kept as evidence is kept apart: with its reason, so that it can be looked at and replayed."""

import datetime as dt
import hashlib
from collections.abc import Iterable

import psycopg

from audit.drafts import Receipt
from ingest.receiving.requests import Request

KEPT_BYTES = 64 * 1024
WHOLE_BYTES = 1 << 20

_INSERT = """
INSERT INTO ingest_quarantined (received_at, token_id, source_id, source_name, address, hint, signal, encoding, reason,
                                whole, length, sha256, request, replay_outcome)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '')
"""


def keep_request(connection: psycopg.Connection, request: Request, receipt: Receipt, reason: str) -> None:
    """A request of which nothing can be read: its first 64 KiB and its hash."""
    _keep(connection, request, receipt, [(reason, request.body[:KEPT_BYTES], request.body)])


def keep_records(
    connection: psycopg.Connection, request: Request, receipt: Receipt, records: Iterable[tuple[str, bytes]]
) -> None:
    """Single records of a request, each with its reason and a request that holds it."""
    _keep(
        connection,
        request,
        receipt,
        [(reason, held if len(held) <= WHOLE_BYTES else held[:KEPT_BYTES], held) for reason, held in records],
    )


def _keep(
    connection: psycopg.Connection, request: Request, receipt: Receipt, items: list[tuple[str, bytes, bytes]]
) -> None:
    received_at = dt.datetime.fromtimestamp(receipt.received_at_us / 1e6, dt.UTC)
    rows = [
        (
            received_at, receipt.token_id, receipt.source_id, receipt.source_name, receipt.address,
            request.route.hint or "", request.route.signal, request.encoding, reason.replace("\x00", ""),
            len(kept) == len(whole), len(whole), hashlib.sha256(whole).digest(), kept,
        )
        for reason, kept, whole in items
    ]  # fmt: skip
    with psycopg.Cursor(connection) as cursor:
        cursor.executemany(_INSERT, rows)
