"""Believed user-days grouped by any of their dimensions, page by page."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from audit.listing.keyset import BadCursor
from connectors.usage.believing import WHO, Question, query
from connectors.usage.reading import SUMS, Sums, sums_of

DIMENSIONS = ("day", "team", "person", "agent", "model")
"""What can be grouped by, and the order rows come in: by day from the first on, then by the others' texts."""

_COLUMNS = {"day": "day::text", "team": "team", "person": f"({WHO})", "agent": "agent", "model": "model"}
_MORE = """
    jsonb_agg(tools) FILTER (WHERE tools <> '{}'),
    array_agg(DISTINCT CASE WHEN connection_id IS NULL THEN 'telemetry' ELSE connection_id || '/' || endpoint END),
    max(cost_center)
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Some user-days added up. `keys`: by the dimensions that were grouped by; `feeds`: those that are believed."""

    keys: Mapping[str, str]
    sums: Sums
    tools: Mapping[str, tuple[int, int]]
    feeds: Sequence[str]
    cost_center: str


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Group]
    previous: str | None
    next: str | None


def page(question: Question, by: Sequence[str], size: int, after: str = "", before: str = "") -> Page:
    """At most `size` groups after or before the one a cursor names. Raises BadCursor."""
    by = [name for name in DIMENSIONS if name in by]
    if before:
        found = read(question, by, size + 1, before=_position(before, by))
        if len(found) > size:
            kept = found[:size][::-1]
            return Page(kept, _cursor(kept[0]), _cursor(kept[-1]))
    beyond = "" if before else after
    found = read(question, by, size + 1, after=_position(beyond, by))
    kept = found[:size]
    return Page(
        kept,
        _cursor(kept[0]) if kept and beyond else None,
        _cursor(kept[-1]) if len(found) > size else None,
    )


def read(
    question: Question, by: Sequence[str], limit: int, *, after: Sequence[str] = (), before: Sequence[str] = ()
) -> list[Group]:
    """Groups in order; before a position the nearest first."""
    start, values = query(question, detailed=True)
    columns = [f'{_COLUMNS[name]} COLLATE "C"' for name in by]
    where, order = "", "DESC" if before else "ASC"
    if position := before or after:
        places = ", ".join(f"%(at{n})s" for n in range(len(by)))
        where = f"WHERE ({', '.join(columns)}) {'<' if before else '>'} ({places})"
        values |= {f"at{n}": text for n, text in enumerate(position)}
    ordered = ", ".join(f"{column} {order}" for column in columns)
    statement = f"""
        {start} SELECT {", ".join([*columns, SUMS, _MORE])} FROM believed {where}
        GROUP BY {", ".join(columns) or "()"} ORDER BY {ordered or "1"} LIMIT %(limit)s
    """  # noqa: S608 - made of our own words
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "limit": limit})
        return [_group(by, row) for row in cursor]


def _group(by: Sequence[str], row: Sequence[Any]) -> Group:
    *sums, tools, feeds, cost_center = row[len(by) :]
    keys = dict(zip(by, row, strict=False))
    told: list[Mapping[str, Any]] = json.loads(tools) if isinstance(tools, str) else tools or []
    return Group(keys, sums_of(sums), _added(told), feeds or [], cost_center or "")


def _added(told: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    tools: dict[str, tuple[int, int]] = {}
    for each in told:
        for name, (accepted, rejected) in each.items():
            before = tools.get(name, (0, 0))
            tools[name] = before[0] + accepted, before[1] + rejected
    return dict(sorted(tools.items()))


def _cursor(group: Group) -> str:
    text = json.dumps(list(group.keys.values()), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str, by: Sequence[str]) -> list[str]:
    if not cursor:
        return []
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadCursor(cursor) from error
    if not isinstance(values, list) or len(values) != len(by) or not all(map(_is_text, values)):
        raise BadCursor(cursor)
    return values


def _is_text(value: Any) -> bool:
    """Text that PostgreSQL can compare."""
    return isinstance(value, str) and not any(each == "\0" or "\ud800" <= each <= "\udfff" for each in value)
