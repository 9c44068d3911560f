"""Tool uses as a story tells them, before they become events."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from portal.demo.cast import Server

EDITORS = frozenset({"Edit", "Write", "NotebookEdit"})


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a tool: what was asked, how it was decided, what became of it. Times are seconds.

    `error` is its type and text; `dies` means that the process ended before the result.
    """

    tool: str
    input: dict[str, Any]
    source: str = "config"
    accepted: bool = True
    waited: float = 0.08
    took: float = 0.3
    error: tuple[str, str] | None = None
    server: Server | None = None
    result_bytes: int = 180
    verdict: str | None = None
    dies: bool = False
    committed: str = ""

    def parameters(self) -> dict[str, Any] | None:
        """The `tool_parameters` of both events; only some tools have them."""
        if self.tool == "Bash":
            command = self.input["command"]
            first = {"bash_command": command.split()[0], "full_command": command}
            return first | {key: self.input[key] for key in ("description", "timeout") if key in self.input}
        if self.server:
            return {"mcp_server_name": self.server.name, "mcp_tool_name": self.tool}
        named = {"Agent": "subagent_type", "Skill": "skill_name"}.get(self.tool)
        return {named: self.input.get(named) or self.input.get("skill")} if named else None


@dataclass(slots=True)
class Subagent:
    """A subagent at work: its own tool calls carry its id."""

    kind: str
    builtin: bool
    id: str
    started_at: dt.datetime
    tool_uses: int = 0
    tokens: int = 0
