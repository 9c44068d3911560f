"""The limit: the same rows again, read by the server itself from a file into the very tables they lie in."""

import os
import statistics
import time
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

ROWS = 100_000
ROUNDS = 3
KEYS = {"audit_event": "id", "audit_content": "event_id"}


def measure() -> dict[str, Any]:
    """Rows a second of `COPY FROM` a file; needs the database's superuser and its machine.

    Everything is rolled back: what is read from the files has other ids, but else is what was received last.
    """
    url = os.environ.get("PORTAL_TEST_SUPERUSER_URL")
    if not url:
        return {"skipped": "needs the superuser of a throw-away database"}
    with psycopg.connect(url, dbname=connection.settings_dict["NAME"], autocommit=True) as database:
        rows = _count(database)
        if not rows:
            return {"skipped": "there is no event to copy; measure ingest first"}
        events, contents = (_copied(database, table, rows) for table in KEYS)
    seconds = events["rows"] / events["rows_per_second"] + contents["rows"] / contents["rows_per_second"]
    return {"events": events, "contents": contents, "both_events_per_second": round(events["rows"] / seconds)}


def _count(database: psycopg.Connection) -> int:
    statement = "SELECT count(*) FROM (SELECT FROM audit_event LIMIT %s) AS few"
    (count,) = database.execute(statement, [ROWS]).fetchone() or (0,)
    return int(count)


def _copied(database: psycopg.Connection, table: str, rows: int) -> dict[str, Any]:
    """The median of some rounds."""
    file = sql.Literal(f"{_folder(database)}/bench-{table}.copy")
    seconds = []
    for _ in range(ROUNDS):
        written = _write(database, table, rows, file)
        with database.transaction(force_rollback=True):
            started = time.perf_counter()
            database.execute(sql.SQL("COPY {} FROM {} (FORMAT BINARY)").format(sql.Identifier(table), file))
            seconds.append(time.perf_counter() - started)
    return {"rows": written, "rows_per_second": round(written / statistics.median(seconds))}


def _write(database: psycopg.Connection, table: str, rows: int, file: sql.Literal) -> int:
    """The newest rows with new random ends of their ids, in the order in which they came."""
    key = KEYS[table]
    columns = database.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", [table]
    ).fetchall()
    renamed = sql.SQL("(substr({0}::text, 1, 24) || substr(gen_random_uuid()::text, 25))::uuid AS {0}").format(
        sql.Identifier(key)
    )
    chosen = [renamed if name == key else sql.Identifier(name) for (name,) in columns]
    newest = sql.SQL("SELECT * FROM {} ORDER BY {} DESC LIMIT {}").format(
        sql.Identifier(table), sql.Identifier(key), sql.Literal(rows)
    )
    query = sql.SQL("SELECT {} FROM ({}) AS newest ORDER BY newest.{}").format(
        sql.SQL(", ").join(chosen), newest, sql.Identifier(key)
    )
    return database.execute(sql.SQL("COPY ({}) TO {} (FORMAT BINARY)").format(query, file)).rowcount


def _folder(database: psycopg.Connection) -> str:
    """Where the server may write."""
    (folder,) = database.execute("SHOW data_directory").fetchone() or ("",)
    return str(folder)
