"""Reads recorded events from the database, a few hundred at a time, and renders them one by one.

Each chunk is a short query of its own, so a slow client holds no transaction open. Parts that are unusually large are
read when their turn comes, so that memory stays bounded whatever was sent in.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import psycopg
from django.db import connection
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from audit.export import native
from audit.export.shapes import Actor, NativeEvent, Origin, Person, Recorded

Row = tuple[Any, ...]
"""The fields of Recorded, and whether a part was left out for its size."""

CHUNK = 500
LARGE_BYTES = 32 * 1024
REMEMBERED = 1000
"""Emitters and identities kept while one answer is read."""

_SUBJECT_COLUMNS = Actor.__struct_fields__[1:]
_ORIGIN_COLUMNS = Origin.__struct_fields__[:-1]
_NOBODY = Person(Actor(), erased=False)

_SPELLED: dict[str, sql.SQL] = {
    "seq": sql.SQL("s.seq"),
    "sealed_at": sql.SQL("s.sealed_at"),
    "id": sql.SQL("e.id::text"),
    "subject_id": sql.SQL("e.subject_id::text"),
    "cost_usd": sql.SQL("e.cost_usd::text"),
    "content_erased": sql.SQL("c.event_id IS NULL AND e.content_commitment <> decode(repeat('00', 32), 'hex')"),
}
_BY_NUMBER = sql.SQL(
    "SELECT {} FROM audit_seal s JOIN audit_event e ON e.id = s.event_id"
    " LEFT JOIN audit_content c ON c.event_id = s.event_id WHERE s.seq BETWEEN %s AND %s ORDER BY s.seq"
)
_BY_ID = sql.SQL(
    "SELECT {} FROM audit_event e LEFT JOIN audit_content c ON c.event_id = e.id"
    " LEFT JOIN audit_seal s ON s.event_id = e.id WHERE e.id = ANY(%s) AND e.id BETWEEN %s AND %s"
)
_SUBJECTS = sql.SQL("SELECT id::text, bytes IS NULL, {} FROM audit_subject WHERE id = ANY(%s::uuid[])")
_ORIGINS = sql.SQL("SELECT id, bytes, {} FROM audit_origin WHERE id = ANY(%s) AND (octet_length(bytes) <= %s OR %s)")


@lru_cache
def _columns(limit: int | None, *, with_content: bool) -> sql.Composed:
    """The columns of a Row."""

    def bounded(part: sql.SQL) -> sql.Composable:
        if limit is None:
            return part
        return sql.SQL("CASE WHEN octet_length({0}) <= {1} THEN {0} END").format(part, sql.Literal(limit))

    parts = {"facts": sql.SQL("e.facts"), "content": sql.SQL("c.bytes" if with_content else "NULL::bytea")}
    spelled = {**_SPELLED, **{name: bounded(part) for name, part in parts.items()}}
    named = [spelled.get(name) or sql.Identifier("e", name) for name in Recorded._fields]
    lengths = sql.SQL(", ").join(sql.SQL("octet_length({})").format(part) for part in parts.values())
    return sql.SQL("{}, greatest({}) > {}").format(sql.SQL(", ").join(named), lengths, sql.Literal(limit))


class Reader:
    """Reads for one answer; what it may show is fixed."""

    def __init__(self, *, with_content: bool, with_identity: bool) -> None:
        self.with_content = with_content
        self.with_identity = with_identity
        self._people: dict[str, Person] = {}
        self._origins: dict[int, Origin] = {}

    def between(self, first: int, last: int) -> Iterator[NativeEvent]:
        """The sealed events with the numbers `first` to `last`, both included, ascending."""
        bounds = ([start, min(start + CHUNK - 1, last)] for start in range(first, last + 1, CHUNK))
        for rows in self._fetched_ahead(_BY_NUMBER, bounds):
            yield from self._rendered(rows)

    def of(self, ids: Sequence[UUID]) -> Iterator[NativeEvent]:
        """These events in this order, sealed or not; one that is not there is left out."""
        statement = _BY_ID.format(_columns(LARGE_BYTES, with_content=self.with_content))
        for start in range(0, len(ids), CHUNK):
            chunk = list(ids[start : start + CHUNK])
            places = {str(event_id): place for place, event_id in enumerate(chunk)}
            rows = _fetch(_connected(), statement, [chunk, min(chunk), max(chunk)])
            yield from self._rendered(sorted(rows, key=lambda row: places[row[_ID]]))

    def _fetched_ahead(self, statement: sql.SQL, bounds: Iterable[Sequence[Any]]) -> Iterator[list[Row]]:
        """Chunk after chunk; PostgreSQL is at work on the next one while this one is rendered."""
        columns = _columns(LARGE_BYTES, with_content=self.with_content)
        database, query = _connected(), statement.format(columns)
        with ThreadPoolExecutor(1) as ahead:
            chunks = (ahead.submit(_fetch, database, query, values) for values in bounds)
            upcoming = next(chunks, None)
            while upcoming is not None:
                rows = upcoming.result()
                upcoming = next(chunks, None)
                yield rows

    def _rendered(self, rows: Iterable[Row]) -> Iterator[NativeEvent]:
        self._meet(rows)
        return map(self._render, rows)

    def _render(self, row: Row) -> NativeEvent:
        if row[-1]:
            event_id = UUID(row[_ID])
            statement = _BY_ID.format(_columns(None, with_content=self.with_content))
            (row,) = _fetch(_connected(), statement, [[event_id], event_id, event_id])
        event = Recorded._make(row[:-1])
        person = self._people[event.subject_id] if event.subject_id else _NOBODY
        return native.render(event, person, self._origin(event.origin_id), with_content=self.with_content)

    def _meet(self, rows: Iterable[Row]) -> None:
        """Gets to know the emitters and identities of a chunk that were not seen before."""
        if len(self._people) > REMEMBERED or len(self._origins) > REMEMBERED:
            self._people.clear()
            self._origins.clear()
        subjects = {row[_SUBJECT] for row in rows} - self._people.keys() - {None}
        if subjects:
            columns = sql.SQL(", ").join(map(sql.Identifier, _SUBJECT_COLUMNS))
            for pseudonym, erased, *known in _fetch(_connected(), _SUBJECTS.format(columns), [list(subjects)]):
                told = dict(zip(_SUBJECT_COLUMNS, known, strict=True))
                self._people[pseudonym] = Person(
                    native.actor(pseudonym, told, with_identity=self.with_identity), erased
                )
        origins = {row[_ORIGIN] for row in rows} - self._origins.keys() - {None}
        if origins:
            self._origins.update(_read_origins(list(origins), large=False))

    def _origin(self, origin_id: int | None) -> Origin:
        if origin_id is None:
            return native.NO_ORIGIN
        return self._origins.get(origin_id) or _read_origins([origin_id], large=True)[origin_id]


_ID, _SUBJECT, _ORIGIN = (Recorded._fields.index(name) for name in ("id", "subject_id", "origin_id"))


def _read_origins(ids: list[int], *, large: bool) -> dict[int, Origin]:
    columns = sql.SQL(", ").join(map(sql.Identifier, _ORIGIN_COLUMNS))
    rows = _fetch(_connected(), _ORIGINS.format(columns), [ids, LARGE_BYTES, large])
    return {key: native.origin(dict(zip(_ORIGIN_COLUMNS, told, strict=True)), data) for key, data, *told in rows}


class _Microseconds(Loader):
    """A time as microseconds since 1970: PostgreSQL sends those since 2000, and they are all a line needs."""

    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        return int.from_bytes(data, "big", signed=True) + _FROM_1970_TO_2000


_FROM_1970_TO_2000 = 946_684_800_000_000


def _connected() -> psycopg.Connection:
    connection.ensure_connection()
    return cast(psycopg.Connection, connection.connection)


def _fetch(database: psycopg.Connection, statement: sql.Composed, values: Sequence[Any]) -> list[Row]:
    """All rows, in PostgreSQL's binary format: Django's own cursors would parse text."""
    with psycopg.Cursor(database) as cursor:
        cursor.adapters.register_loader("timestamptz", _Microseconds)
        cursor.execute(statement, values, binary=True)
        return cursor.fetchall()
