"""Subjects and origins: kept once for each distinct content, found again by a keyed digest.

Who remembers them asks again after an erasure: `Interner.erasures` is how many erasures of identities there were when
it began to remember, and `ledger.append` refuses events that were prepared before another one.

A plain digest could be guessed from a list of addresses, so it is an HMAC. Rows are made in a transaction of their own
before the events that point to them; a row that no event came to use in the end does no harm.
"""

import hashlib
import hmac
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.pq import TransactionStatus

from audit import leaf
from audit.drafts import Attribute

CACHE_SIZE = 200_000

SUBJECT_COLUMNS: Mapping[str, Sequence[str]] = {
    "email": ("user.email",),
    "account_uuid": ("user.account_uuid",),
    "account_id": ("user.account_id",),
    "organization_id": ("organization.id",),
    "host": ("host.name", "host.id"),
}
INSTALLATION = ("user.id", "installation.id")


class Interned(NamedTuple):
    """Where a part is kept, and the commitment that goes into the leaf."""

    id: Any
    commitment: bytes
    columns: Mapping[str, str | None]


NOTHING = Interned(None, leaf.ABSENT, {})


def first_of(
    attributes: Iterable[Attribute], names: Sequence[str], places: Sequence[str] = ("@", "resource@")
) -> str | None:
    """The text of the first of `names` that is there and not empty, on the record before the resource."""
    texts = {key: value for key, kind, value in attributes if kind == "string" and value}
    for prefix in places:
        for name in names:
            if value := texts.get(prefix + name):
                return _storable(value)
    return None


def _storable(value: str) -> str:
    """Text that PostgreSQL takes and a btree entry can hold."""
    return value[:256].replace("\x00", "\u2400")


def subject_columns(attributes: Sequence[Attribute]) -> dict[str, str | None]:
    columns = {column: first_of(attributes, names) for column, names in SUBJECT_COLUMNS.items()}
    columns["install_id"] = first_of(attributes, INSTALLATION, ("@",))  # on the resource it may be the developer's
    from_resource = any(key.startswith("resource@") for key, _, _ in attributes)
    return columns | {"provenance": "resource attribute" if from_resource else "client"}


def origin_columns(attributes: Sequence[Attribute]) -> dict[str, str | None]:
    texts = {key: value for key, kind, value in attributes if kind == "string"}
    version = texts.get("@app.version") or texts.get("scope.version") or texts.get("resource@service.version")
    return {
        "service_name": first_of(attributes, ("service.name",)),
        "service_version": _storable(version) if version else None,
        "entrypoint": first_of(attributes, ("app.entrypoint",), ("@",)),  # a resource attribute may be the developer's
        "terminal": first_of(attributes, ("terminal.type",)),
        "os": " ".join(filter(None, (first_of(attributes, (name,)) for name in ("os.type", "host.arch")))) or None,
        "team": first_of(attributes, settings.AUDIT_TEAM_ATTRIBUTES),
        "cost_center": first_of(attributes, settings.AUDIT_COST_CENTER_ATTRIBUTES),
        "repository": first_of(attributes, settings.AUDIT_REPOSITORY_ATTRIBUTES),
    }


def count_erasures(connection: psycopg.Connection) -> int:
    """How many erasures of identities there were; inside a transaction it holds off the next one until that ends."""
    with psycopg.Cursor(connection) as cursor:
        cursor.execute("SELECT audit_erasures_v1()")
        return int(next(cursor)[0])


class Interner:
    """Finds or makes the rows of one part. Safe to share between threads: entries are only ever added."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.columns_of = subject_columns if part == "subject" else origin_columns
        self.forget()

    def forget(self) -> None:
        """Drops what was found so far; the database is asked again."""
        self._known: dict[bytes, Interned] = {b"[]": NOTHING}
        self._erasures: int | None = None

    def erasures(self, connection: psycopg.Connection) -> int:
        """How many erasures of identities there were when it began to remember."""
        if self._erasures is None:
            self._erasures = count_erasures(connection)
        return self._erasures

    def resolve(
        self, connection: psycopg.Connection, parts: Mapping[bytes, Sequence[Attribute]]
    ) -> dict[bytes, Interned]:
        """Where each distinct content (its bytes and its attributes) is kept; a query only for what is new here.

        Inside a transaction of the caller's nothing is remembered: it may roll back, and the rows with it.
        """
        known = self._known
        missing = {data: parts[data] for data in parts if data not in known}
        if not missing:
            return {data: known[data] for data in parts}
        lasting = connection.info.transaction_status is TransactionStatus.IDLE
        made = self._find_or_make(connection, missing)
        if lasting:
            if len(known) > CACHE_SIZE:
                self.forget()
            self._known.update(made)
        return {data: made.get(data) or known[data] for data in parts}

    def _digest(self, data: bytes) -> bytes:
        return hmac.digest(settings.AUDIT_IDENTITY_KEY, self.part.encode() + b"\x00" + data, hashlib.sha256)

    def _find_or_make(
        self, connection: psycopg.Connection, parts: Mapping[bytes, Sequence[Attribute]]
    ) -> dict[bytes, Interned]:
        digests = {data: self._digest(data) for data in parts}
        with connection.transaction(), psycopg.Cursor(connection) as cursor:
            for data in sorted(parts, key=digests.__getitem__):
                self._insert(cursor, digests[data], data, self.columns_of(parts[data]))
            cursor.execute(
                sql.SQL("SELECT digest, id, commitment FROM {} WHERE digest = ANY(%s)").format(self._table),
                [list(digests.values())],
            )
            found = {bytes(digest): (identifier, bytes(commitment)) for digest, identifier, commitment in cursor}
        return {data: Interned(*found[digest], self.columns_of(parts[data])) for data, digest in digests.items()}

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(f"audit_{self.part}")

    def _insert(self, cursor: psycopg.Cursor, digest: bytes, data: bytes, columns: Mapping[str, str | None]) -> None:
        salt = os.urandom(leaf.SALT_BYTES)
        values: dict[str, Any] = {
            "digest": digest,
            "salt": salt,
            "bytes": data,
            "commitment": leaf.commitment(self.part, salt, data),
        }
        if self.part == "subject":
            values["id"] = uuid.uuid4()
        row = {**values, **columns}
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (digest) DO NOTHING").format(
                self._table,
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(sql.Placeholder() * len(row)),
            ),
            list(row.values()),
        )
