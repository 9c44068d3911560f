"""What a tool call of Claude Code was about: MCP server and tool, command, path, host.

`tool_parameters` and `tool_input` are JSON inside a string, only sent with OTEL_LOG_TOOL_DETAILS, and may hold what a
strict parser rejects (wire-claude-code.md A5). What cannot be read leaves the columns empty; the text stays in content.
"""

import json
import re
from typing import Any

import msgspec

from ingest.agents.values import IDENTIFIER_CHARACTERS, bounded
from ingest.secrets import Scrubber

COMMAND_BYTES = 16 * 1024
PATH_CHARACTERS = 4096

_MASK = "custom"
_MCP_SOURCES = frozenset({"mcp", "sdk_host_builtin_mcp"})
_PATH_KEYS = ("file_path", "notebook_path", "path")
_HOST = re.compile(r"(?<=://)(?:[^\s/?#@\\\"']*+@)?(\[[0-9a-fA-F:.]{2,45}\]|[\w.-]{1,253})")


def mcp_columns(tool_name: str | None, parameters: dict[str, Any], flags: list[str]) -> dict[str, str | None]:
    """`mcp_server`, `mcp_tool` and how the server's name is known: stated, derived from the tool's name, or hidden."""
    server, tool = (_name(parameters.get(key), flags) for key in ("mcp_server_name", "mcp_tool_name"))
    if server or tool:
        return _mcp(server, tool, "stated")
    if tool_name is not None and tool_name.startswith("mcp__"):
        # A server's name may itself hold `__`; the CLI, too, takes the first as the end of it.
        server, _, tool = tool_name.removeprefix("mcp__").partition("__")
        return _mcp(server, tool, "derived")
    return _mcp(None, None, "hidden")


def is_mcp(tool_name: str | None, tool_source: str | None, parameters: dict[str, Any]) -> bool:
    if tool_source in _MCP_SOURCES or "mcp_server_name" in parameters:
        return True
    return tool_name is not None and (tool_name == "mcp_tool" or tool_name.startswith("mcp__"))


def details(
    parameters: dict[str, Any], inputs: dict[str, Any], flags: list[str], scrubber: Scrubber
) -> dict[str, str | None]:
    """The columns `command`, `path` and `host` from a call's parsed details; None where they do not say."""
    full = _first_text(parameters, ("full_command",)) or _first_text(inputs, ("command",))
    # Scrubbed already as JSON; read as JSON, an escape may have been a letter of a secret.
    command = scrubber.text(full or _first_text(parameters, ("bash_command",)) or "") or None
    path = scrubber.text(_first_text(inputs, _PATH_KEYS) or "") or None
    return {
        "command": command and _command(command, flags),
        "path": path and bounded(path, PATH_CHARACTERS, flags),
        "host": host_of(scrubber.text(_first_text(inputs, ("url",)) or "") or command),
    }


def host_of(text: str | None) -> str | None:
    """The host of the first URL in a text, in lower case."""
    if text is None or "://" not in text:
        return None
    found = _HOST.search(text)
    return found[1].rstrip(".").lower() if found else None


def parsed(text: str | None) -> dict[str, Any]:
    """A JSON object, read as leniently as possible; anything else is an empty one."""
    if text is None:
        return {}
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        value = _lenient(text)
    return value if isinstance(value, dict) else {}


def _lenient(text: str) -> Any:
    """Python's own reader takes control characters and lone surrogates."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _mcp(server: str | None, tool: str | None, provenance: str) -> dict[str, str | None]:
    if server == _MASK or not server:
        server, provenance = None, "hidden"
    return {
        "mcp_server": server,
        "mcp_server_provenance": provenance,
        "mcp_tool": None if tool == _MASK else tool or None,
    }


def _name(value: Any, flags: list[str]) -> str | None:
    return bounded(value, IDENTIFIER_CHARACTERS, flags) if isinstance(value, str) else None


def _first_text(values: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((value for key in keys if isinstance(value := values.get(key), str) and value), None)


def _command(command: str, flags: list[str]) -> str:
    command = bounded(command, COMMAND_BYTES, flags)
    if len(command) * 4 <= COMMAND_BYTES:
        return command
    return command.encode()[:COMMAND_BYTES].decode(errors="ignore")
