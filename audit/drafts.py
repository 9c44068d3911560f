"""EventDraft: the one shape in which every source hands an observed fact to the ledger.

A draft holds the record's own content four times cut (subject, origin, facts, content: lists of `(key, type, value)`
in arrival order, see docs/ledger.md) and, beside it, the typed columns people search by. The parts are the truth;
the columns are read from them by the agent's mapping.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Attribute = tuple[str, str, Any]
"""(key, type, value): value is ready for JSON; see docs/ledger.md for the types."""

SCHEMA_VERSION = 1


@dataclass(slots=True)
class EventDraft:
    """One observed fact before it is recorded. `None` means: the record does not say."""

    agent: str
    kind: str
    event_name: str
    subject: Sequence[Attribute] = ()
    origin: Sequence[Attribute] = ()
    facts: Sequence[Attribute] = ()
    content: Sequence[Attribute] = ()
    occurred_at: dt.datetime | None = None
    session_id: str | None = None
    sequence: int | None = None
    prompt_id: str | None = None
    request_id: str | None = None
    agent_id: str | None = None
    tool_use_id: str | None = None
    tool_name: str | None = None
    tool_source: str | None = None
    mcp_server: str | None = None
    mcp_server_provenance: str | None = None
    mcp_tool: str | None = None
    mcp_transport: str | None = None
    mcp_status: str | None = None
    mcp_scope: str | None = None
    decision: str | None = None
    decided_by: str | None = None
    grant: str | None = None
    basis: str | None = None
    decision_raw: str | None = None
    mode: str | None = None
    mode_provenance: str | None = None
    from_mode: str | None = None
    to_mode: str | None = None
    trigger: str | None = None
    outcome: str | None = None
    error: str | None = None
    duration_ms: int | None = None
    model: str | None = None
    query_source: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_creation_tokens: int | None = None
    cost_usd: str | None = None
    command: str | None = None
    path: str | None = None
    host: str | None = None
    flags: Sequence[str] = ()
    known: Sequence[tuple[str, str]] = field(default_factory=tuple)
    apart: bytes = b""
    """What else tells it from another record: a keyed digest of what was dropped before it was drafted. Not stored."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Who handed a record in, and when it was received: fact, not claim. `received_at_us` counts microseconds."""

    received_at_us: int
    source_id: int
    source_name: str
    token_id: int
    address: str
