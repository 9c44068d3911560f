"""Budgets of records a minute, of a token and of its source over all its tokens: buckets in the database, so that they
are the same for all receivers, wherever they run."""

import contextlib
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from connectors.tokens import Refusal, TokenRecord
from ingest.receiving.answers import OVER_BUDGET, SOURCE_OVER_BUDGET

# A bucket holds one minute's worth and fills steadily; the first to ask finds it full.
_SPEND = """
INSERT INTO {table} AS b ({owner}, records_left, at)
VALUES (%(owner)s, %(limit)s - %(records)s, clock_timestamp())
ON CONFLICT ({owner}) DO UPDATE SET at = excluded.at,
    records_left = - %(records)s
        + least(%(limit)s, b.records_left + extract(epoch FROM excluded.at - b.at) * %(limit)s / 60)
    WHERE b.records_left + extract(epoch FROM excluded.at - b.at) * %(limit)s / 60 > 0
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A table of buckets, and what a request is told whose bucket is empty."""

    statement: sql.Composed
    refusal: Refusal


def _bucket(table: LiteralString, owner: LiteralString, refusal: Refusal) -> Bucket:
    return Bucket(sql.SQL(_SPEND).format(table=sql.Identifier(table), owner=sql.Identifier(owner)), refusal)


OF_TOKEN = _bucket("ingest_budget", "token_id", OVER_BUDGET)
OF_SOURCE = _bucket("ingest_sourcebudget", "source_id", SOURCE_OVER_BUDGET)


def spend(database: psycopg.Connection, token: TokenRecord, records: int) -> Refusal | None:
    """Takes `records` from the buckets of a token and its source; a refusal, and nothing taken, if one is empty.

    A request larger than what is left may still pass once, since it could otherwise never pass; the bucket then has a
    debt to fill first. Only what has a budget costs a statement. It commits by itself, outside a transaction.
    """
    limits = [  # in this order everywhere, so that two requests cannot wait for each other
        (OF_SOURCE, token.source_id, token.source_records_per_minute),
        (OF_TOKEN, token.id, token.records_per_minute),
    ]
    set_limits = [(bucket, owner, limit) for bucket, owner, limit in limits if limit is not None]
    together = database.transaction() if len(set_limits) > 1 else contextlib.nullcontext()
    try:
        with together:
            for bucket, owner, limit in set_limits:
                if not _take(database, bucket, owner, limit, records):
                    raise _Empty(bucket)
    except _Empty as empty:
        return empty.bucket.refusal
    return None


class _Empty(Exception):
    """A bucket has nothing left, so that nothing is taken from the other one either."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__()
        self.bucket = bucket


def _take(database: psycopg.Connection, bucket: Bucket, owner: int | None, limit: int, records: int) -> bool:
    with psycopg.Cursor(database) as cursor:
        cursor.execute(bucket.statement, {"owner": owner, "limit": limit, "records": records})
        return cursor.rowcount == 1
