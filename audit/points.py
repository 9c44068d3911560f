"""Metric points: telemetry that is kept, once, but neither sealed nor shown as evidence (DESIGN §3.2)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from audit import identifiers, leaf
from audit.drafts import Attribute, Receipt
from audit.ledger import Appended, copy_rows, duplicate_key, origins, set_aside_duplicates, subjects

_COLUMNS = {
    "id": "uuid", "agent": "text", "source_id": "int8", "token_id": "int8", "subject_id": "uuid", "origin_id": "int8",
    "session": "uuid", "session_id": "text", "name": "text", "unit": "text", "instrument": "text",
    "temporality": "text", "monotonic": "bool", "started_at": "timestamptz", "occurred_at": "timestamptz",
    "value": "float8", "flags": "text[]", "attributes": "bytea", "data": "bytea",
}  # fmt: skip


_DUPLICATE_TAG = b"agp/point/v1\n"


@dataclass(slots=True)
class PointDraft:
    """One data point before it is kept. `value` is None where the instrument has none; the rest is in `data`."""

    agent: str
    name: str
    unit: str
    instrument: str
    temporality: str | None
    monotonic: bool | None
    started_at: dt.datetime | None
    occurred_at: dt.datetime | None
    value: float | None
    data: dict[str, Any]
    subject: Sequence[Attribute]
    origin: Sequence[Attribute]
    attributes: Sequence[Attribute]
    identity: tuple[Any, ...]
    """What besides its parts tells this point from another: exact times and numbers as sent."""
    session_id: str | None = None
    flags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PreparedPoint:
    id: UUID
    key: str
    row: tuple[Any, ...]


def prepare_points(
    connection: psycopg.Connection, receipt: Receipt, drafts: Sequence[PointDraft]
) -> list[PreparedPoint]:
    """Points received together as rows; queries only for identities and emitters not seen before."""
    subject_parts = [leaf.encode_part(draft.subject) for draft in drafts]
    origin_parts = [leaf.encode_part(draft.origin) for draft in drafts]
    known_subjects = subjects.resolve(connection, dict(zip(subject_parts, (d.subject for d in drafts), strict=True)))
    known_origins = origins.resolve(connection, dict(zip(origin_parts, (d.origin for d in drafts), strict=True)))
    prepared = []
    for index, point_id in enumerate(identifiers.event_ids(receipt.received_at_us, len(drafts))):
        draft = drafts[index]
        attributes, data = leaf.encode_part(draft.attributes), leaf.encode_json(draft.data)
        identity = leaf.encode_json((draft.name, draft.instrument, draft.temporality, draft.identity))
        parts = (subject_parts[index], origin_parts[index], identity, attributes, data)
        session = (
            identifiers.session_key(receipt.source_id, draft.agent, draft.session_id) if draft.session_id else None
        )
        row = (
            point_id, draft.agent, receipt.source_id, receipt.token_id, known_subjects[parts[0]].id,
            known_origins[parts[1]].id, session, draft.session_id, draft.name, draft.unit, draft.instrument,
            draft.temporality, draft.monotonic, draft.started_at, draft.occurred_at, draft.value, list(draft.flags),
            attributes, data,
        )  # fmt: skip
        prepared.append(PreparedPoint(point_id, duplicate_key(_DUPLICATE_TAG, receipt.source_id, parts), row))
    return prepared


def append_points(connection: psycopg.Connection, prepared: Sequence[PreparedPoint]) -> Appended:
    """Keeps points inside the caller's transaction, each once within the window of duplicates."""
    with psycopg.Cursor(connection) as cursor:
        fresh = set_aside_duplicates(cursor, {point.key: point for point in prepared})
        if fresh:
            copy_rows(cursor, "audit_metric_point", _COLUMNS, (point.row for point in fresh))
    return Appended(frozenset(point.id for point in fresh))
