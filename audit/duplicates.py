"""Forgets which records were seen once the window of duplicates is over (30 days)."""

import datetime as dt

from django.conf import settings
from django.db import connection

ROWS_AT_ONCE = 20_000


def forget_old(today: dt.date | None = None) -> int:
    """Forgets in small transactions, so that writers never wait long; how many keys that were."""
    today = today or dt.datetime.now(dt.UTC).date()
    oldest = today - dt.timedelta(days=settings.AUDIT_DUPLICATE_WINDOW_DAYS)
    forgotten = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM audit_seen WHERE key IN (SELECT key FROM audit_seen WHERE seen_on < %s LIMIT %s)",
                [oldest, ROWS_AT_ONCE],
            )
            if not cursor.rowcount:
                return forgotten
            forgotten += cursor.rowcount
