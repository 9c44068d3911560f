"""What a fold reads of an event and of the emitter it points to."""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from audit import identifiers


class OriginView(NamedTuple):
    service_version: str | None = None
    entrypoint: str | None = None
    terminal: str | None = None
    os: str | None = None
    team: str | None = None
    cost_center: str | None = None
    repository: str | None = None


class EventView(NamedTuple):
    """Columns of one event with those of its content; the order is that of `projector.LOAD`.

    Identifiers are texts, as PostgreSQL writes them: they order and compare like UUIDs, in a tenth of the time.
    """

    id: str
    agent: str
    kind: str
    occurred_at: dt.datetime | None
    source_id: int
    subject_id: str | None
    origin_id: int | None
    session: str | None
    session_id: str | None
    chain: int | None
    prompt_id: str | None
    request_id: str | None
    agent_id: str | None
    tool_use_id: str | None
    tool_name: str | None
    tool_source: str | None
    mcp_server: str | None
    mcp_server_provenance: str | None
    mcp_tool: str | None
    mcp_transport: str | None
    mcp_status: str | None
    mcp_scope: str | None
    decision: str | None
    decided_by: str | None
    grant: str | None
    basis: str | None
    decision_raw: str | None
    mode: str | None
    mode_provenance: str | None
    from_mode: str | None
    to_mode: str | None
    outcome: str | None
    error: str | None
    duration_ms: int | None
    query_source: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_creation_tokens: int | None
    cost_usd: Decimal | None
    flags: list[str]
    command: str | None
    path: str | None
    host: str | None
    content: bytes | None

    @property
    def at(self) -> dt.datetime:
        """When it happened; when it was received, if the client's clock cannot be right."""
        if self.occurred_at is None or "skew" in self.flags:
            return identifiers.received_at(UUID(self.id))
        return self.occurred_at
