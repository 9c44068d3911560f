"""Renders an event in the portal's own format, the same in the feed and in the REST lists (DESIGN §5.3). Pure.

From what was recorded and never from what was learnt later: the exact bytes of header, facts and content, the columns
read from them at ingest, and the seal.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from audit.export.shapes import Actor, Mcp, NativeEvent, Origin, Person, Recorded, Sender, Tokens, Tool
from audit.export.values import exact, named, plain, rfc3339
from audit.vocabulary import Kind

ERASED, UNREADABLE, DUPLICATE_KEY = "erased", "unreadable", "duplicate_key"


class _Header(msgspec.Struct, array_like=True):
    """The first fields of a header (docs/ledger.md)."""

    format: str
    id: str
    received_at_us: int
    source_id: int
    source_name: str
    token_id: int
    address: str


Fact = tuple[str, str, Any]
Part = list[Fact]

_read_header = msgspec.json.Decoder(_Header).decode
_read_part: Callable[[bytes], Part] = msgspec.json.Decoder(Part).decode
encode = msgspec.json.Encoder().encode

_ODD = (msgspec.DecodeError, TypeError, ValueError, ArithmeticError, RecursionError)
_NO_SENDER = Sender(None, None, None, None)
NO_ORIGIN = Origin(attributes={})
_NO_DECISION = (None, None, None, None, None)

_SAID_BY = {
    "@session.id": "session_id",
    "@event.name": "event_name",
    "@event.sequence": "sequence",
    "@prompt.id": "prompt_id",
    "@tool_use_id": "tool_use_id",
    "@tool_name": "tool_name",
    "@tool_source": "tool_source",
    "@permission_mode": "mode",
    "@from_mode": "from_mode",
    "@to_mode": "to_mode",
    "@trigger": "trigger",
    "@server_name": "mcp_server",
    "@transport_type": "mcp_transport",
    "@status": "mcp_status",
    "@server_scope": "mcp_scope",
    "@mcp_server_scope": "mcp_scope",
    "@error_type": "error",
    "@error.type": "error",
    "@error_code": "error",
    "@error_category": "error",
    "@duration_ms": "duration_ms",
    "@model": "model",
    "@input_tokens": "input_tokens",
    "@output_tokens": "output_tokens",
    "@cache_read_tokens": "cache_read_tokens",
    "@cache_creation_tokens": "cache_creation_tokens",
    "@cost_usd": "cost_usd",
}
"""Facts that a key of their own tells; left out of `attributes` where that key says the very same."""
_SAID = {fact: Recorded._fields.index(column) for fact, column in _SAID_BY.items()}

_FIELDS = frozenset({"time_unix_nano", "observed_time_unix_nano", "body"})

_ORIGIN_SAID_BY = {
    "service.name": "service_name",
    "service.version": "service_version",
    "app.version": "service_version",
    "scope.version": "service_version",
    "app.entrypoint": "entrypoint",
    "terminal.type": "terminal",
    "os.type": "os",
    "host.arch": "os",
    "team.id": "team",
    "team": "team",
    "department": "team",
    "cost_center": "cost_center",
    "cost_center.id": "cost_center",
    "cost.center": "cost_center",
    "vcs.repository.url.full": "repository",
    "vcs.repository.name": "repository",
    "repository": "repository",
    "repo": "repository",
}


def render(event: Recorded, person: Person, origin: Origin, *, with_content: bool) -> NativeEvent:
    """The event as it is shown. Never raises: a part that cannot be read is null and flagged `unreadable`."""
    noticed: list[str] = []
    if event.content_erased or event.facts is None or person.erased:
        noticed.append(ERASED)
    received_at, source = _received(event.header, noticed)
    attributes = _attributes(event, noticed)
    content = _content(event, noticed) if with_content else None
    decision = (event.decision, event.decided_by, event.grant, event.basis, event.decision_raw)
    return NativeEvent(
        event.schema_version, event.seq, event.id, event.agent, event.kind, event.event_name,
        rfc3339(event.occurred_at), received_at, rfc3339(event.sealed_at), event.session_id, exact(event.sequence),
        event.prompt_id, event.tool_use_id, source, person.actor, origin, Tool(event.tool_name, event.tool_source),
        Mcp(
            event.mcp_server, event.mcp_server_provenance, event.mcp_tool, event.mcp_transport, event.mcp_status,
            event.mcp_scope,
        ),
        *(decision if event.kind == Kind.TOOL_DECISION else _NO_DECISION),
        event.mode, event.mode_provenance, event.from_mode, event.to_mode, event.trigger, event.outcome, event.error,
        exact(event.duration_ms), event.model,
        Tokens(
            exact(event.input_tokens), exact(event.output_tokens), exact(event.cache_read_tokens),
            exact(event.cache_creation_tokens),
        ),
        event.cost_usd, attributes, content,
        list(dict.fromkeys([*event.flags, *noticed])) if noticed else event.flags,
        event.leaf_hash.hex(),
    )  # fmt: skip


def _received(header: bytes, noticed: list[str]) -> tuple[str | None, Sender]:
    try:
        read = _read_header(header)
    except _ODD:
        noticed.append(UNREADABLE)
        return None, _NO_SENDER
    received_at = rfc3339(read.received_at_us)
    if received_at is None:
        noticed.append(UNREADABLE)
    return received_at, Sender(str(read.source_id), read.source_name, str(read.token_id), read.address)


def _attributes(event: Recorded, noticed: list[str]) -> dict[str, Any] | None:
    """The facts, without those that a key of the event's own says in the same words."""
    if event.facts is None:
        return None
    found: dict[str, Any] = {}
    shown = 0
    try:
        part = _read_part(event.facts)
        for key, kind, value in part:
            index = _SAID.get(key)
            if index is not None:
                told = event[index]
                if told is not None and (told == value or str(told) == str(value)):
                    continue
            elif key in _FIELDS and _is_said(key, value, event, part):
                continue
            shown += 1
            found[key[1:] if key[:1] == "@" else key] = value if kind == "string" else plain(kind, value)
    except _ODD:
        noticed.append(UNREADABLE)
        return None
    if len(found) < shown:
        noticed.append(DUPLICATE_KEY)
    return found


def _is_said(field: str, value: Any, event: Recorded, part: Part) -> bool:
    if field == "body":
        return bool(value == f"{event.agent}.{event.event_name}")
    if field == "time_unix_nano":
        return event.occurred_at is not None
    return ("time_unix_nano", "int", value) in part


def _content(event: Recorded, noticed: list[str]) -> dict[str, Any] | None:
    if event.content is None:
        return None if event.content_erased else {}
    try:
        part = _read_part(event.content)
        found = named(part)
    except _ODD:
        noticed.append(UNREADABLE)
        return None
    if len(found) < len(part):
        noticed.append(DUPLICATE_KEY)
    return found


def actor(pseudonym: str, told: Mapping[str, str | None], *, with_identity: bool) -> Actor:
    """Who acted, from the subject's columns; without `identity:read` only under which pseudonym."""
    return Actor(pseudonym, **told) if with_identity else Actor(pseudonym, provenance=told["provenance"])


def origin(told: Mapping[str, str | None], data: bytes) -> Origin:
    """The emitter, from its columns and its part's exact bytes."""
    try:
        part = [each for each in _read_part(data) if not _is_said_of_origin(each, told)]
        attributes = named(part)
    except _ODD:
        attributes = None
    return Origin(**told, attributes=attributes)


def _is_said_of_origin(attribute: Fact, columns: Mapping[str, str | None]) -> bool:
    key, _, value = attribute
    name = key if key.startswith("scope.") else key.partition("@")[2]
    column = _ORIGIN_SAID_BY.get(name)
    told = columns[column] if column else None
    return told is not None and (told == value or (column == "os" and value in told.split(" ")))
