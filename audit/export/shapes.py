"""The shape of an event as it leaves the portal: what is recorded of it, and what a line says (DESIGN §5.3).

Keys are always present and no key changes its type: identifiers and decimals are strings, integers beyond 2**53 - 1 too
(JSON readers round them), bytes are base64, NaN is "NaN".
"""

from typing import Any, NamedTuple

import msgspec

Number = int | str | None
"""A count; as text where JSON readers would round it."""


class PurgedRange(msgspec.Struct):
    """Numbers whose events are gone; `purged_by` is the number of the event that says so, null while it has none."""

    seq_from: int
    seq_to: int
    purged_by: int | None


class Recorded(NamedTuple):
    """An event as it was recorded: its seal if it has one yet, its row, its content's bytes if they may be shown.

    Times are microseconds since the epoch.
    """

    seq: int | None
    sealed_at: int | None
    id: str
    schema_version: int
    agent: str
    kind: str
    event_name: str
    occurred_at: int | None
    subject_id: str | None
    origin_id: int | None
    session_id: str | None
    sequence: int | None
    prompt_id: str | None
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
    trigger: str | None
    outcome: str | None
    error: str | None
    duration_ms: int | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_creation_tokens: int | None
    cost_usd: str | None
    flags: list[str]
    leaf_hash: bytes
    header: bytes
    facts: bytes | None
    content_erased: bool
    content: bytes | None


class Person(NamedTuple):
    """Who acted, as far as the reader may know it; `erased`: it was known once."""

    actor: "Actor"
    erased: bool


class Sender(msgspec.Struct, frozen=True, gc=False):
    """Who handed the event in: fact, from the token it came with."""

    id: str | None
    name: str | None
    token_id: str | None
    address: str | None


class Actor(msgspec.Struct, frozen=True, gc=False):
    """Who acted, as the client claims. `id` is a pseudonym; the rest needs the scope `identity:read`."""

    id: str | None = None
    email: str | None = None
    account_uuid: str | None = None
    account_id: str | None = None
    install_id: str | None = None
    organization_id: str | None = None
    provenance: str | None = None


class Origin(msgspec.Struct, frozen=True, gc=False):
    """The emitter, as it describes itself. `attributes`: what no other key says."""

    service_name: str | None = None
    service_version: str | None = None
    entrypoint: str | None = None
    terminal: str | None = None
    os: str | None = None
    team: str | None = None
    cost_center: str | None = None
    repository: str | None = None
    attributes: dict[str, Any] | None = None


class Tool(msgspec.Struct, frozen=True, gc=False):
    name: str | None
    source: str | None


class Mcp(msgspec.Struct, frozen=True, gc=False):
    server: str | None
    server_provenance: str | None
    tool: str | None
    transport: str | None
    status: str | None
    scope: str | None


class Tokens(msgspec.Struct, frozen=True, gc=False):
    input: Number
    output: Number
    cache_read: Number
    cache_creation: Number


class NativeEvent(msgspec.Struct, frozen=True, gc=False):
    """One event. `attributes` are the facts that no other key says; `content` is null without `content:read`."""

    schema_version: int
    seq: int | None
    id: str
    agent: str
    kind: str
    event_name: str
    occurred_at: str | None
    received_at: str | None
    sealed_at: str | None
    session_id: str | None
    sequence: Number
    prompt_id: str | None
    tool_use_id: str | None
    source: Sender
    actor: Actor
    origin: Origin
    tool: Tool
    mcp: Mcp
    decision: str | None
    decided_by: str | None
    grant: str | None
    basis: str | None
    decision_raw: str | None
    mode: str | None
    mode_provenance: str | None
    from_mode: str | None
    to_mode: str | None
    trigger: str | None
    outcome: str | None
    error: str | None
    duration_ms: Number
    model: str | None
    tokens: Tokens
    cost_usd: str | None
    attributes: dict[str, Any] | None
    content: dict[str, Any] | None
    flags: list[str]
    leaf_hash: str
