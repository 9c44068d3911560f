"""Folds connections and calls into MCP servers, and into which session used which."""

import datetime as dt
from functools import lru_cache

import msgspec

from audit import identifiers
from audit.folding.sessions import count, include
from audit.folding.views import EventView


class McpServerRow(msgspec.Struct):
    """A row of audit_mcpserver; servers whose name the client hides share the row without a name."""

    id: str
    name: str
    first_at: dt.datetime
    last_at: dt.datetime
    transports: list[str] = msgspec.field(default_factory=list)
    scopes: list[str] = msgspec.field(default_factory=list)
    tools: dict[str, int] = msgspec.field(default_factory=dict)
    connections: int = 0
    failures: int = 0
    calls: int = 0
    rejected: int = 0
    failed_calls: int = 0


class McpUseRow(msgspec.Struct):
    """A row of audit_mcpuse: one session's use of one server."""

    id: str
    server_id: str
    session_id: str
    first_at: dt.datetime
    last_at: dt.datetime
    connections: int = 0
    calls: int = 0


@lru_cache(maxsize=1000)
def server_key(name: str | None) -> str:
    return str(identifiers.derived("mcp_server", name or ""))


@lru_cache(maxsize=10_000)
def use_key(server: str, session: str) -> str:
    return str(identifiers.derived("mcp_use", server, session))


def seen(row: McpServerRow | McpUseRow, at: dt.datetime) -> None:
    row.first_at, row.last_at = min(row.first_at, at), max(row.last_at, at)


def fold_connection(server: McpServerRow, event: EventView) -> None:
    """Adds one mcp_connection event, once. A disconnection is seen but is no connection."""
    if event.mcp_status == "connected":
        server.connections += 1
    elif event.mcp_status == "failed":
        server.failures += 1
    for values, value in ((server.transports, event.mcp_transport), (server.scopes, event.mcp_scope)):
        if value:
            include(values, value)


def fold_call(server: McpServerRow, event: EventView, *, first: bool) -> None:
    """Adds one event of a call; `first` when no other event of this call was counted."""
    if first:
        server.calls += 1
        if event.mcp_tool:
            count(server.tools, event.mcp_tool)
    if event.kind == "tool_decision" and event.decision in ("reject", "cancel"):
        server.rejected += 1
    if event.kind == "tool_result" and event.outcome == "failure":
        server.failed_calls += 1
    if event.mcp_scope:
        include(server.scopes, event.mcp_scope)
