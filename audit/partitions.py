"""Monthly partitions of the evidence tables, made ahead of need. There is no default partition: an event that fits
nowhere is refused (and the sender told to try again) rather than kept where nobody looks.

The partition key is the event's id, whose first bits are the receive time, so a source's clock cannot make partitions.
"""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.db import connections
from psycopg import sql

from audit import identifiers

TABLES = ("audit_event", "audit_content", "audit_metric_point")


def months(first: dt.date, count: int) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """`count` half-open months from that of `first`, as UTC midnights."""
    year, month = first.year, first.month
    for _ in range(count):
        start = dt.datetime(year, month, 1, tzinfo=dt.UTC)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        yield start, dt.datetime(year, month, 1, tzinfo=dt.UTC)


def ensure(now: dt.datetime | None = None) -> list[str]:
    """Makes what is missing from last month to some months ahead, as the schema's owner; the names of those made."""
    now = now or dt.datetime.now(dt.UTC)
    previous = (now.replace(day=1) - dt.timedelta(days=1)).date()
    made = []
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET lock_timeout = '4s'")
        for start, end in months(previous, settings.AUDIT_PARTITION_MONTHS_AHEAD + 2):
            for table in TABLES:
                name = f"{table}_{start:%Y_%m}"
                cursor.execute("SELECT to_regclass(%s) IS NULL", [name])
                if cursor.fetchone()[0]:
                    cursor.execute(_create(table, name, start, end))
                    made.append(name)
        cursor.execute("RESET lock_timeout")
    return made


def _create(table: str, name: str, start: dt.datetime, end: dt.datetime) -> sql.Composed:
    # Row triggers come with the parent; a TRUNCATE aimed at a partition is stopped only by a trigger on that partition.
    return sql.SQL(
        "CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM ({start}) TO ({end});"
        "CREATE OR REPLACE TRIGGER no_truncate BEFORE TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change_v1()"
    ).format(
        name=sql.Identifier(name),
        table=sql.Identifier(table),
        start=sql.Literal(str(identifiers.lower_bound(start))),
        end=sql.Literal(str(identifiers.lower_bound(end))),
    )
