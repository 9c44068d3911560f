"""What can be chosen from: the values that user-days have, each found by one step in an index from the one before.

There are few of them and many rows, so the rows are not gone through.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection

_STEPS = """
    WITH RECURSIVE found AS (
        (SELECT {columns} FROM connectors_usageday WHERE {known} ORDER BY {columns} LIMIT 1)
        UNION ALL
        SELECT further.* FROM found CROSS JOIN LATERAL (
            SELECT {columns} FROM connectors_usageday u WHERE ({of_row}) > ({of_found}) ORDER BY {columns} LIMIT 1
        ) AS further
    )
    SELECT {columns} FROM found WHERE EXISTS (
        SELECT FROM connectors_usageday u WHERE ({of_row}) = ({of_found}) AND u.day >= %s
    )
"""


def models(since: dt.date) -> Sequence[tuple[str, str]]:
    """Agent and model of what was told from that day on."""
    return _found(since, "agent", "model")


def teams(since: dt.date) -> Sequence[str]:
    """As telemetry claims them."""
    return [team for (team,) in _found(since, "team")]


def feeds() -> Sequence[tuple[Any, str]]:
    """Connection and endpoint of everything that vendors ever told."""
    return _found(dt.date.min, "connection_id", "endpoint")


def _found(since: dt.date, *columns: str) -> Sequence[tuple[Any, ...]]:
    statement = _STEPS.format(
        columns=", ".join(columns),
        known=f"{columns[0]} IS NOT NULL",
        of_row=", ".join(f"u.{name}" for name in columns),
        of_found=", ".join(f"found.{name}" for name in columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [since])
        return list(cursor)
