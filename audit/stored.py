"""Numbered events with the exact bytes of their parts, as they are stored: for whoever exports or verifies them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from audit import leaf

Column = tuple[str, str]
"""A column to read besides: the letter of its table below, and its name."""

_ROWS = """
    SELECT s.seq, s.event_id::text, s.leaf_hash, e.leaf_hash, e.header, u.salt, u.bytes, u.commitment,
        o.salt, o.bytes, o.commitment, e.facts_salt, e.facts, e.facts_commitment, c.salt, c.bytes, e.content_commitment
        {columns}
    FROM audit_seal s LEFT JOIN audit_event e ON e.id = s.event_id LEFT JOIN audit_content c ON c.event_id = s.event_id
        LEFT JOIN audit_subject u ON u.id = e.subject_id LEFT JOIN audit_origin o ON o.id = e.origin_id
    WHERE {numbers} ORDER BY s.seq
"""
_BETWEEN, _AMONG = "s.seq >= %s AND s.seq < %s", "s.seq = ANY(%s)"


class Part(NamedTuple):
    """All None: the event has no such part. Without salt and bytes: they are gone."""

    salt: bytes | None
    data: bytes | None
    commitment: bytes | None


class Stored(NamedTuple):
    """One number with its event. `leaf_hash` and `header` are None where the event is gone."""

    seq: int
    event_id: str
    sealed_leaf: bytes
    leaf_hash: bytes | None
    header: bytes | None
    parts: dict[str, Part]
    columns: dict[str, Any]

    def gone(self) -> list[tuple[str, bytes]]:
        """The parts that were there once, by name, with the commitments left of them: audit.absences explains them."""
        return [
            (name, part.commitment)
            for name, part in self.parts.items()
            if part.commitment not in (None, leaf.ABSENT) and (part.salt is None or part.data is None)
        ]


def between(cursor: psycopg.Cursor, first: int, end: int, columns: Sequence[Column] = ()) -> list[Stored]:
    """The events numbered from `first` on and before `end`, ascending; a number that is not there is left out."""
    return _fetch(cursor, _BETWEEN, [first, end], tuple(columns))


def among(cursor: psycopg.Cursor, numbers: Sequence[int], columns: Sequence[Column] = ()) -> list[Stored]:
    """The events of these numbers, likewise."""
    return _fetch(cursor, _AMONG, [list(numbers)], tuple(columns))


def _fetch(cursor: psycopg.Cursor, numbers: str, values: list[Any], columns: tuple[Column, ...]) -> list[Stored]:
    cursor.execute(_statement(numbers, columns), values, binary=True)
    return [_stored(row, columns) for row in cursor.fetchall()]


@lru_cache
def _statement(numbers: str, columns: tuple[Column, ...]) -> sql.Composed:
    more = sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(*column)) for column in columns)
    return sql.SQL(_ROWS).format(columns=more, numbers=sql.SQL(numbers))


def _stored(row: Sequence[Any], columns: Sequence[Column]) -> Stored:
    parts = {name: Part(*row[5 + 3 * at : 8 + 3 * at]) for at, name in enumerate(leaf.PARTS)}
    more = {name: value for (_, name), value in zip(columns, row[17:], strict=True)}
    return Stored._make([*row[:5], parts, more])
