"""Statements that the database must refuse, on the real tables, as each of its roles; every one is rolled back.

One row is aimed at, so that a protection that is gone costs no pass over a large table, and no lock is waited for long.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from audit import grants, identifiers, protection
from audit.attacks.attempts import REFUSED, Attempt

LOCK_TIMEOUT = "2s"
NOTHING_THERE = "no row to try it on"
"""Of a table without rows, by a role that cannot add one: whether its triggers are on is seen by `protection`."""
_ON_ROWS = ("UPDATE", "DELETE")

_ONE_ROW = "WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM {table} LIMIT 1)"
CHANGES = {
    "UPDATE": f"UPDATE {{table}} SET {{column}} = {{column}} {_ONE_ROW}",
    "DELETE": f"DELETE FROM {{table}} {_ONE_ROW}",
    "TRUNCATE": "TRUNCATE {table}",
    "upsert": "INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table} LIMIT 1"
    " ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}",
    "COPY over a row": "COPY {table} FROM STDIN",
}
"""What nobody may do, the owner included."""

DEFINITIONS = {
    "ALTER TABLE": "ALTER TABLE {table} ADD COLUMN attack integer",
    "DISABLE TRIGGER": "ALTER TABLE {table} DISABLE TRIGGER USER",
    "DROP TRIGGER": "DROP TRIGGER append_only ON {table}",
    "rule": "CREATE RULE attack AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "foreign key with CASCADE": "ALTER TABLE {table} ADD CONSTRAINT attack FOREIGN KEY ({key})"
    " REFERENCES {table} ({key}) ON DELETE CASCADE NOT VALID",
    "change of owner": "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "DROP TABLE": "DROP TABLE {table}",
}
"""What only the owner may do."""

ONCE = {
    "session_replication_role": "SET LOCAL session_replication_role = replica",
    "another trigger function": "CREATE OR REPLACE FUNCTION public.audit_refuse_change_v1() RETURNS trigger"
    " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
}
_BY_THE_OWNER = ("DISABLE TRIGGER", "DROP TRIGGER", "rule", "foreign key with CASCADE")
SMALL_TABLE = "audit_epoch"
"""Written once in a while: what the owner can do is done to it for the blink of an eye."""

_REFUSALS = (errors.InsufficientPrivilege, errors.RestrictViolation)


@dataclass(frozen=True, slots=True)
class Target:
    """A table with a column to be set and the columns of its key."""

    table: str
    column: str
    key: Sequence[str]

    def spelled(self, statement: str) -> sql.Composed:
        table, column = sql.Identifier("public", self.table), sql.Identifier(self.column)
        key = sql.SQL(", ").join(map(sql.Identifier, self.key))
        return sql.SQL(statement).format(table=table, column=column, key=key)


def targets(connection: psycopg.Connection) -> list[Target]:
    """The append-only tables and, of each that is partitioned, the partition of this month."""
    month = dt.datetime.now(dt.UTC).strftime("%Y_%m")
    rows = connection.execute(
        """SELECT c.relname,
               (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                   AND NOT a.attisdropped AND a.attidentity = '' ORDER BY a.attnum DESC LIMIT 1),
               (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_index i JOIN pg_attribute a
                   ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary)
           FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
               AND c.relname = ANY(%s) ORDER BY 1""",
        [[*grants.APPEND_ONLY, *(f"{table}_{month}" for table in grants.APPEND_ONLY)]],
    ).fetchall()
    return [Target(*row) for row in rows]


def attempts(connection: psycopg.Connection, role: str, *, owns: bool) -> Iterator[Attempt]:
    """All statements as one role. `owns`: whether definitions are its to change, which is seen instead of refused."""
    found = targets(connection)
    for attack, statement in CHANGES.items():
        yield _summed(attack, role, [(each, _tried(connection, each, attack, statement, owns)) for each in found])
    if not owns:
        for attack, statement in DEFINITIONS.items():
            yield _summed(attack, role, [(each, _tried(connection, each, attack, statement, owns)) for each in found])
    small = next(each for each in found if each.table == SMALL_TABLE)
    for attack, statement in ONCE.items():
        if not (owns and attack == "another trigger function"):  # seen by the next UPDATE that is tried
            yield _summed(attack, role, [(small, _tried(connection, small, attack, statement, owns))])
    if owns:
        for attack in _BY_THE_OWNER:
            yield _seen(connection, role, attack, small.spelled(DEFINITIONS[attack]))
        given = sql.SQL("GRANT UPDATE ON {} TO {}").format(
            sql.Identifier("public", SMALL_TABLE), sql.Identifier(grants.application_login())
        )
        if role != grants.application_login():
            yield _seen(connection, role, "GRANT", given)


def _tried(connection: psycopg.Connection, target: Target, attack: str, statement: str, owns: bool) -> str:
    """`refused`, or what happened instead."""
    try:
        with connection.transaction(force_rollback=True), connection.cursor() as cursor:
            cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
            if owns:
                _plant(cursor, target)
            if attack.startswith("COPY"):
                _copy_over(cursor, target)
            else:
                cursor.execute(target.spelled(statement))
                if attack in _ON_ROWS and cursor.rowcount == 0:
                    return NOTHING_THERE
    except _REFUSALS:
        return REFUSED
    except errors.UniqueViolation:
        return REFUSED if attack.startswith("COPY") else "not tried: the key was taken"
    except psycopg.Error as error:
        return f"not tried: {str(error).splitlines()[0]}"
    return "done"


def _copy_over(cursor: psycopg.Cursor, target: Target) -> None:
    """A row again under its own key; an empty table is as good as one from which the row was refused."""
    with cursor.copy(target.spelled("COPY (SELECT * FROM {table} LIMIT 1) TO STDOUT")) as copy:
        row = b"".join(bytes(piece) for piece in copy)
    with cursor.copy(target.spelled("COPY {table} FROM STDIN")) as copy:
        copy.write(row)
    if not row:
        raise errors.UniqueViolation


def _plant(cursor: psycopg.Cursor, target: Target) -> None:
    """A row to be attacked, if there is none: row triggers refuse nothing in an empty table."""
    if cursor.execute(target.spelled("SELECT FROM {table} LIMIT 1")).fetchone() is not None:
        return
    cursor.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [f"public.{target.table}"],
    )
    columns = cursor.fetchall()
    statement = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        sql.Identifier("public", target.table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
        sql.SQL(", ").join(sql.Placeholder() for _ in columns),
    )
    cursor.execute(statement, [_some(target, name, kind) for name, kind in columns])


_CHECKED = {"kind": "person", "part": "content", "value": "nobody", "reason": "only an attack"}
"""Columns that take some words only."""


def _some(target: Target, name: str, kind: str) -> object:
    """Any value of that type that the table takes."""
    if name in _CHECKED and target.table in ("audit_hold", "audit_erased"):
        return _CHECKED[name]
    if kind == "uuid":
        return identifiers.lower_bound(dt.datetime.now(dt.UTC)) if name in target.key else uuid.UUID(int=0)
    values: dict[str, object] = {
        "bytea": bytes(8192 if name == "hashes" else 32),
        "timestamp with time zone": "2026-01-01T00:00:00Z",
        "boolean": True,
        "text[]": [],
        "text": "",
    }
    return values.get(kind, 0)


def _seen(connection: psycopg.Connection, role: str, attack: str, statement: sql.Composed) -> Attempt:
    """What the owner can do, `verify_ledger` sees."""
    expected = "verify_ledger"
    try:
        with connection.transaction(force_rollback=True), connection.cursor() as cursor:
            cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
            cursor.execute(statement)
            found = [str(fault) for fault in protection.faults(connection)]
    except psycopg.Error as error:
        return Attempt(attack, role, expected, f"not tried: {str(error).splitlines()[0]}", missed=True)
    return Attempt(attack, role, expected, found[0] if found else "done, and not seen", missed=not found)


def _summed(attack: str, role: str, outcomes: Iterable[tuple[Target, str]]) -> Attempt:
    """One line for all tables; those that did not refuse are named."""
    tried = list(outcomes)
    missed = [f"{target.table}: {outcome}" for target, outcome in tried if outcome not in (REFUSED, NOTHING_THERE)]
    refused = f"refused by {len(tried)} tables" if len(tried) > 1 else REFUSED
    return Attempt(attack, role, REFUSED, "; ".join(missed) or refused, missed=bool(missed))
