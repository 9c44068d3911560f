"""The only way evidence enters the database.

`prepare` turns drafts into rows: exact bytes, salts, commitments, leaf hash. `append` writes them inside the caller's
transaction: what was already recorded in the last 30 days is set aside, the rest goes in by COPY together with the
outbox rows that the sealer and the projector take away. COPY BINARY was measured nine times as fast as bulk_create.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg import sql

from audit import identifiers, leaf
from audit.drafts import SCHEMA_VERSION, EventDraft, Receipt
from audit.exceptions import IdentityErased
from audit.interning import Interned, Interner, count_erasures

subjects = Interner("subject")
origins = Interner("origin")

_DRAFT_COLUMNS = {
    "sequence": "int8", "prompt_id": "text", "request_id": "text", "agent_id": "text", "tool_use_id": "text",
    "tool_name": "text", "tool_source": "text", "mcp_server": "text", "mcp_server_provenance": "text",
    "mcp_tool": "text", "mcp_transport": "text", "mcp_status": "text", "mcp_scope": "text", "decision": "text",
    "decided_by": "text", "grant": "text", "basis": "text", "decision_raw": "text", "mode": "text",
    "mode_provenance": "text", "from_mode": "text", "to_mode": "text", "trigger": "text", "outcome": "text",
    "error": "text", "duration_ms": "int8", "model": "text", "query_source": "text", "input_tokens": "int8",
    "output_tokens": "int8", "cache_read_tokens": "int8", "cache_creation_tokens": "int8",
}  # fmt: skip
_EVENT_COLUMNS = {
    "id": "uuid", "schema_version": "int2", "agent": "text", "kind": "text", "event_name": "text",
    "occurred_at": "timestamptz", "source_id": "int8", "token_id": "int8", "subject_id": "uuid", "origin_id": "int8",
    "session": "uuid", "session_id": "text", "chain": "int8", **_DRAFT_COLUMNS, "cost_usd": "numeric",
    "flags": "text[]", "header": "bytea", "facts_salt": "bytea", "facts": "bytea", "facts_commitment": "bytea",
    "content_commitment": "bytea", "leaf_hash": "bytea",
}  # fmt: skip
_CONTENT_COLUMNS = {
    "event_id": "uuid", "salt": "bytea", "bytes": "bytea", "command": "text", "path": "text", "host": "text",
}  # fmt: skip
_DUPLICATE_TAG = b"agp/duplicate/v1\n"
_EMPTY = leaf.encode_part(())
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PreparedEvent:
    """A draft that is ready to be written; `key` is the same for the same content from the same source."""

    id: UUID
    key: str
    leaf_hash: bytes
    row: tuple[Any, ...]
    content: tuple[Any, ...] | None
    erasures: int
    """How many erasures of identities there were by then: after another one its subject may be nobody any more."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The ids of what was stored; the rest had been recorded before."""

    ids: frozenset[UUID]


def prepare(connection: psycopg.Connection, receipt: Receipt, drafts: Sequence[EventDraft]) -> list[PreparedEvent]:
    """Drafts received together, in their order, as rows. Queries only for identities and emitters not seen before."""
    subject_parts = [leaf.encode_part(draft.subject) for draft in drafts]
    origin_parts = [leaf.encode_part(draft.origin) for draft in drafts]
    erasures = subjects.erasures(connection)
    known_subjects = subjects.resolve(connection, dict(zip(subject_parts, (d.subject for d in drafts), strict=True)))
    known_origins = origins.resolve(connection, dict(zip(origin_parts, (d.origin for d in drafts), strict=True)))
    salts = memoryview(os.urandom(2 * leaf.SALT_BYTES * len(drafts)))
    prepared = []
    for index, (draft, event_id) in enumerate(
        zip(drafts, identifiers.event_ids(receipt.received_at_us, len(drafts)), strict=True)
    ):
        salt = bytes(salts[32 * index : 32 * index + 32])
        identity = subject_parts[index], origin_parts[index]
        interned = known_subjects[identity[0]], known_origins[identity[1]]
        prepared.append(_prepare(receipt, draft, event_id, salt, identity, interned, erasures))
    return prepared


def _prepare(
    receipt: Receipt,
    draft: EventDraft,
    event_id: UUID,
    salt: bytes,
    identity: tuple[bytes, bytes],
    interned: tuple[Interned, Interned],
    erasures: int,
) -> PreparedEvent:
    subject, origin = interned
    facts, facts_salt = leaf.encode_part(draft.facts), salt[: leaf.SALT_BYTES]
    facts_commitment = leaf.commitment("facts", facts_salt, facts)
    content_bytes = leaf.encode_part(draft.content)
    content, content_commitment = None, leaf.ABSENT
    if content_bytes != _EMPTY:
        content_salt = salt[leaf.SALT_BYTES :]
        content_commitment = leaf.commitment("content", content_salt, content_bytes)
        content = (event_id, content_salt, content_bytes, draft.command, draft.path, draft.host)
    header = header_bytes(event_id, receipt, draft)
    hashed = leaf.leaf_hash(header, subject.commitment, origin.commitment, facts_commitment, content_commitment)
    session = _session_key(receipt.source_id, draft.agent, draft.session_id) if draft.session_id else None
    row = (
        event_id, SCHEMA_VERSION, draft.agent, draft.kind, draft.event_name, draft.occurred_at, receipt.source_id,
        receipt.token_id, subject.id, origin.id, session, draft.session_id, _chain(receipt.source_id, draft, *interned),
        *_draft_values(draft), draft.cost_usd and Decimal(draft.cost_usd), list(draft.flags), header, facts_salt,
        facts, facts_commitment, content_commitment, hashed,
    )  # fmt: skip
    told_by = (*identity, facts, content_bytes, *filter(None, [draft.apart]))
    key = duplicate_key(_DUPLICATE_TAG, receipt.source_id, told_by)
    return PreparedEvent(event_id, key, hashed, row, content, erasures)


def _draft_values(draft: EventDraft) -> tuple[Any, ...]:
    return (
        draft.sequence, draft.prompt_id, draft.request_id, draft.agent_id, draft.tool_use_id, draft.tool_name,
        draft.tool_source, draft.mcp_server, draft.mcp_server_provenance, draft.mcp_tool, draft.mcp_transport,
        draft.mcp_status, draft.mcp_scope, draft.decision, draft.decided_by, draft.grant, draft.basis,
        draft.decision_raw, draft.mode, draft.mode_provenance, draft.from_mode, draft.to_mode, draft.trigger,
        draft.outcome, draft.error, draft.duration_ms, draft.model, draft.query_source, draft.input_tokens,
        draft.output_tokens, draft.cache_read_tokens, draft.cache_creation_tokens,
    )  # fmt: skip


def header_bytes(event_id: UUID, receipt: Receipt, draft: EventDraft) -> bytes:
    """Who handed the record in, when, and what was known from outside it; docs/ledger.md, "Header"."""
    return leaf.encode_json(
        (
            leaf.HEADER_FORMAT, str(event_id), receipt.received_at_us, receipt.source_id, receipt.source_name,
            receipt.token_id, receipt.address, draft.agent, draft.known,
        )
    )  # fmt: skip


def duplicate_key(tag: bytes, source_id: int, parts: Sequence[bytes]) -> str:
    """The key of audit_seen, as PostgreSQL reads a uuid: the same for the same parts from the same source."""
    pieces = [b"%b%d" % (tag, source_id)]
    for part in parts:
        pieces += (len(part).to_bytes(8, "big"), part)
    return hashlib.sha256(b"".join(pieces)).hexdigest()[:32]


@lru_cache(maxsize=100_000)
def _session_key(source_id: int, agent: str, session_id: str) -> UUID:
    return identifiers.session_key(source_id, agent, session_id)


def _chain(source_id: int, draft: EventDraft, subject: Interned, origin: Interned) -> int | None:
    """Which installation, version and terminal numbered this event, as a signed 64-bit number."""
    if draft.sequence is None:
        return None
    columns = origin.columns
    return _chain_number(
        source_id, subject.columns.get("install_id"), columns.get("service_version"), columns.get("terminal")
    )


@lru_cache(maxsize=100_000)
def _chain_number(source_id: int, installation: str | None, version: str | None, terminal: str | None) -> int:
    digest = identifiers.derived("chain", source_id, installation or "", version or "", terminal or "").bytes
    return int.from_bytes(digest[:8], "big", signed=True)


_OUTBOX = """
    WITH unsealed AS (INSERT INTO audit_unsealed (event_ids, leaf_hashes) VALUES (%(ids)b, %(leaf_hashes)b))
    INSERT INTO audit_unfolded (event_ids) VALUES (%(ids)b)
"""


def append(connection: psycopg.Connection, prepared: Sequence[PreparedEvent]) -> Appended:
    """Records prepared events inside the caller's transaction, all or none; nothing is recorded until it commits.

    Raises `psycopg.Error` when the database refuses; the caller decides whether a retry can help. Raises
    IdentityErased when someone was erased since they were prepared: prepared anew, they can be recorded.
    """
    erasures = count_erasures(connection)
    if any(event.erasures != erasures for event in prepared):
        subjects.forget()
        raise IdentityErased("An identity was erased meanwhile; send it again.")
    with psycopg.Cursor(connection) as cursor:
        fresh = set_aside_duplicates(cursor, {event.key: event for event in prepared})
        if fresh:
            copy_rows(cursor, "audit_event", _EVENT_COLUMNS, (event.row for event in fresh))
            contents = [event.content for event in fresh if event.content]
            if contents:
                copy_rows(cursor, "audit_content", _CONTENT_COLUMNS, contents)
            ids = b"".join([event.id.bytes for event in fresh])
            leaf_hashes = b"".join([event.leaf_hash for event in fresh])
            cursor.execute(_OUTBOX, {"ids": ids, "leaf_hashes": leaf_hashes})
    return Appended(frozenset(event.id for event in fresh))


def record(
    connection: psycopg.Connection, receipt: Receipt, drafts: Sequence[EventDraft], key: str | None = None
) -> list[PreparedEvent]:
    """Prepares and appends; those that were new. `key`: under which one draft is known, instead of its content.

    Prepares anew if somebody was erased meanwhile, so that it seldom fails for that.
    """
    for last in (False, True):
        prepared = prepare(connection, receipt, drafts)
        if key:
            prepared = [replace(event, key=key) for event in prepared]
        try:
            with connection.transaction():
                new = append(connection, prepared).ids
        except IdentityErased:
            if last:
                raise
        else:
            return [event for event in prepared if event.id in new]
    raise AssertionError("unreachable")


def set_aside_duplicates(cursor: psycopg.Cursor, by_key: dict[str, T]) -> list[T]:
    """Those not recorded within the window, in their order. Keys go in sorted, so that two writers cannot deadlock."""
    cursor.execute(
        "INSERT INTO audit_seen (key, seen_on) SELECT key, %s FROM unnest(%s::uuid[]) AS key"
        " ON CONFLICT DO NOTHING RETURNING key",
        [dt.datetime.now(dt.UTC).date(), f"{{{','.join(sorted(by_key))}}}"],
    )
    if cursor.rowcount == len(by_key):
        return list(by_key.values())
    new = {key.hex for (key,) in cursor}
    return [item for key, item in by_key.items() if key in new]


def copy_rows(cursor: psycopg.Cursor, table: str, columns: dict[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY BINARY of rows; `columns` are names with their PostgreSQL types."""
    with cursor.copy(_copy_statement(table, tuple(columns))) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)


@lru_cache
def _copy_statement(table: str, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
