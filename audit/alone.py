"""One process at a time: an advisory lock, held by the connection and gone with it, however its process ends."""

import contextlib
from collections.abc import Iterator

from django.db import Error, connection


@contextlib.contextmanager
def at(work: str) -> Iterator[bool]:
    """Whether no other process is at this work; none begins it while the block lasts. Never waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [work])
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            with contextlib.suppress(Error), connection.cursor() as cursor:  # a connection that is gone holds no lock
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [work])
