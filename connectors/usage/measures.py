"""Which metrics count what: a point's name and attributes as a column of Tally. Pure.

Claude Code's metrics (its monitoring page, "Metrics"). Other agents send the same figures with their events, from which
they are taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EDIT_TOOLS = frozenset({"Edit", "MultiEdit", "Write", "NotebookEdit", "apply_patch", "replace", "write_file", "edit"})
"""Tools that change files, by their names in telemetry: those whose accepts and rejects vendors report, too."""

LONGEST = 200
"""Characters of a model's or tool's name."""

_PREFIX = "claude_code."
_PLAIN = {"commit.count": "commits", "pull_request.count": "pull_requests"}
_LINES = {"added": "lines_added", "removed": "lines_removed"}
_TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cacheRead": "cache_read_tokens",
    "cacheCreation": "cache_creation_tokens",
}
_DECISIONS = {"accept": "accepted", "reject": "rejected"}
_INTERFACE = "agents_view"

NAMES = tuple(
    _PREFIX + name
    for name in (
        *_PLAIN,
        "session.count",
        "lines_of_code.count",
        "cost.usage",
        "token.usage",
        "code_edit_tool.decision",
        "active_time.total",
    )
)
"""The metrics that are looked at at all."""


@dataclass(frozen=True, slots=True)
class Measure:
    """The column that a point adds to. "": to none; it only tells that there was a session."""

    column: str = ""
    model: str = ""
    tool: str = ""
    fast: bool = False


def of(name: str, attributes: Mapping[str, Any]) -> Measure:
    """What a point of that metric counts."""
    kind = _text(attributes, "type")
    match name.removeprefix(_PREFIX):
        case "token.usage" if kind in _TOKENS:
            return Measure(_TOKENS[kind], _text(attributes, "model"), fast=attributes.get("speed") == "fast")
        case "cost.usage":
            return Measure("cost", _text(attributes, "model"), fast=attributes.get("speed") == "fast")
        case "lines_of_code.count" if kind in _LINES:
            return Measure(_LINES[kind])
        case "code_edit_tool.decision" if (decision := _text(attributes, "decision")) in _DECISIONS:
            return Measure(_DECISIONS[decision], tool=_text(attributes, "tool_name"))
        case "session.count":
            return Measure("interfaces" if attributes.get("start_type") == _INTERFACE else "sessions")
        case short if short in _PLAIN:
            return Measure(_PLAIN[short])
    return Measure()


def _text(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    return value[:LONGEST].replace("\x00", "\u2400") if isinstance(value, str) else ""
