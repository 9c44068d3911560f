"""The limit: the same rows, read by the server itself from a file into tables with the same columns and indexes."""

import os
import statistics
import time
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection
from psycopg import sql

ROWS = 100_000
ROUNDS = 3
_LAST_ID = UUID(int=2**128 - 1)


def measure() -> dict[str, Any]:
    """Rows a second of `COPY FROM` a file, durable commit included; needs the database's superuser and its machine."""
    url = os.environ.get("PORTAL_TEST_SUPERUSER_URL")
    if not url:
        return {"skipped": "needs the superuser of a throw-away database"}
    with psycopg.connect(url, dbname=connection.settings_dict["NAME"], autocommit=True) as database:
        rows = _count(database)
        events = _copied(database, "audit_event", "id", rows)
        contents = _copied(database, "audit_content", "event_id", rows)
    seconds = rows / events["rows_per_second"] + contents["rows"] / contents["rows_per_second"]
    return {"events": events, "contents": contents, "both_events_per_second": round(rows / seconds)}


def _count(database: psycopg.Connection) -> int:
    row = database.execute("SELECT count(*) FROM (SELECT FROM audit_event LIMIT %s) AS few", [ROWS]).fetchone()
    assert row
    if not row[0]:
        raise LookupError("There is no event to copy; measure ingest first.")
    return int(row[0])


def _copied(database: psycopg.Connection, table: str, key: str, rows: int) -> dict[str, Any]:
    """The median of some rounds into an empty table of the same make."""
    made = _make(table)
    file = f"{_folder(database)}/bench-{table}.copy"
    source, target = sql.Identifier(table), sql.Identifier(made)
    newest = sql.SQL("(SELECT * FROM (SELECT * FROM {0} ORDER BY {1} DESC LIMIT {2}) AS newest ORDER BY {1})").format(
        source, sql.Identifier(key), rows
    )
    statement = sql.SQL("COPY {} FROM {} (FORMAT BINARY)").format(target, sql.Literal(file))
    database.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(target))
    database.execute(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL) PARTITION BY RANGE ({})").format(
            target, source, sql.Identifier(key)
        )
    )
    database.execute(
        sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM (MINVALUE) TO ({})").format(
            sql.Identifier(f"{made}_all"), target, sql.Literal(_LAST_ID)
        )
    )
    written = database.execute(sql.SQL("COPY {} TO {} (FORMAT BINARY)").format(newest, sql.Literal(file))).rowcount
    rounds = []
    for _ in range(ROUNDS):
        database.execute(sql.SQL("TRUNCATE {}").format(target))
        started = time.perf_counter()
        database.execute(statement)
        rounds.append(time.perf_counter() - started)
    database.execute(sql.SQL("DROP TABLE {}").format(target))
    return {"rows": written, "rows_per_second": round(written / statistics.median(rounds))}


def _make(table: str) -> str:
    return f"bench_{table}"


def _folder(database: psycopg.Connection) -> str:
    """Where the server may write."""
    row = database.execute("SHOW data_directory").fetchone()
    assert row
    return str(row[0])
