"""The steps of a timeline in plain words: what was asked, who decided, what came of it. The page escapes them.

Decisions are told as they are understood now (audit/decisions.py): what was recorded of them stays in the pack's lines.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audit import identifiers, parts
from audit.decisions import Verdict
from audit.listing import words
from audit.stored import Column, Stored
from audit.timeline.content import gist
from audit.vocabulary import Agent, Basis, Decision, Kind, ModeProvenance, Outcome

COLUMNS: list[Column] = [
    *(
        ("e", name)
        for name in (
            "agent", "kind", "event_name", "occurred_at", "flags", "session_id", "tool_use_id", "tool_name",
            "tool_source", "mcp_server", "mcp_server_provenance", "mcp_tool", "mcp_status", "mcp_transport", "decision",
            "decided_by", "grant", "basis", "mode", "mode_provenance", "from_mode", "to_mode", "trigger", "outcome",
            "error", "duration_ms",
        )
    ),
    ("c", "command"),
    ("c", "path"),
]  # fmt: skip
"""What `step` reads of an event besides its parts."""

Verdicts = Mapping[str, Verdict]
"""Decisions by event id, where they are understood better now than when they were recorded."""

LONGEST_TEXT = 400
HEARTBEAT = "ledger.heartbeat"
_TEXTS = ("prompt", "prompt_text", "response", "error", "reason")


@dataclass(frozen=True, slots=True)
class Step:
    """`look` is prompt, decision, rejected, mode, error, act or plain; `words` may be personal or sensitive."""

    seq: int
    at: dt.datetime
    session_id: str | None
    look: str
    what: str
    words: str = ""
    how: str = ""
    mode: str = ""


def step(stored: Stored, verdicts: Verdicts, *, with_content: bool) -> Step | None:
    """The event as a step; None for those that tell no step (calls of the model, heartbeats and the like)."""
    told = stored.columns
    draw = _DRAWERS.get(told["kind"])
    if draw is None or told["event_name"] == HEARTBEAT:
        return None
    look, what, how = draw(stored, verdicts)
    return Step(
        stored.seq,
        happened_at(stored),
        told["session_id"],
        look,
        what,
        _words(stored) if with_content else "",
        how,
        _mode(told),
    )


def happened_at(stored: Stored) -> dt.datetime:
    """When it was received, if the client's clock cannot be right."""
    at = stored.columns["occurred_at"]
    if isinstance(at, dt.datetime) and "skew" not in stored.columns["flags"]:
        return at
    return identifiers.received_at(UUID(stored.event_id))


def _decision(stored: Stored, verdicts: Verdicts) -> tuple[str, str, str]:
    told = stored.columns
    recorded = Verdict(told["decision"], told["decided_by"], told["grant"], told["basis"])
    verdict = verdicts.get(stored.event_id, recorded)
    how = ", ".join(
        filter(
            None,
            (
                words.verdict(verdict.decision, verdict.decided_by).words,
                verdict.grant,
                "inferred" if verdict.basis == Basis.INFERRED else "",
                "understood later" if verdict != recorded else "",
            ),
        )
    )
    look = "rejected" if verdict.decision in (Decision.REJECT, Decision.CANCEL) else "decision"
    return look, f"Asked to use {_tool(told)}", how


def _result(stored: Stored, verdicts: Verdicts) -> tuple[str, str, str]:
    told = stored.columns
    ended = {Outcome.SUCCESS: "success", Outcome.FAILURE: "failed", Outcome.NOT_RUN: "not run"}
    ran = words.milliseconds(told["duration_ms"]) if told["duration_ms"] is not None else ""
    how = ", ".join(filter(None, (ended.get(told["outcome"], "no outcome recorded"), told["error"], ran)))
    return "error" if told["outcome"] == Outcome.FAILURE else "plain", f"Result of {_tool(told)}", how


def _mode_change(stored: Stored, verdicts: Verdicts) -> tuple[str, str, str]:
    told = stored.columns
    change = f"Mode {told['from_mode'] or 'not known'} → {told['to_mode'] or 'not known'}"
    return "mode", change, f"by {told['trigger']}" if told["trigger"] else "no trigger named"


def _connection(stored: Stored, verdicts: Verdicts) -> tuple[str, str, str]:
    told = stored.columns
    server = told["mcp_server"] or "name hidden by the client"
    how = ", ".join(filter(None, (told["mcp_status"], told["mcp_transport"], told["error"])))
    return "error" if told["mcp_status"] == "failed" else "plain", f"MCP server {server}", how


def _act(stored: Stored, verdicts: Verdicts) -> tuple[str, str, str]:
    whose = "Act of the portal" if stored.columns["agent"] == Agent.PORTAL else "Administration"
    return "act", f"{whose}: {stored.columns['event_name']}", ""


def _named(look: str, name: str) -> "_Drawer":
    return lambda stored, verdicts: (look, name, stored.columns["error"] or "")


_Drawer = Callable[[Stored, Verdicts], tuple[str, str, str]]
_DRAWERS: dict[str, _Drawer] = {
    Kind.PROMPT: _named("prompt", "Prompt"),
    Kind.TOOL_DECISION: _decision,
    Kind.TOOL_RESULT: _result,
    Kind.MODE_CHANGE: _mode_change,
    Kind.MCP_CONNECTION: _connection,
    Kind.API_ERROR: _named("error", "The model could not be reached, or refused"),
    Kind.ADMIN: _act,
}
"""The look, what happened, and how it was decided or ended; by kind of event."""


def _tool(told: Mapping[str, Any]) -> str:
    if told["mcp_server"] or told["mcp_server_provenance"] or told["tool_source"] == "mcp":
        server = told["mcp_server"] or "an MCP server, name hidden by the client"
        return f"{server} › {told['mcp_tool']}" if told["mcp_tool"] else server
    return told["tool_name"] or "a tool that is not named"


def _mode(told: Mapping[str, Any]) -> str:
    if told["kind"] == Kind.MODE_CHANGE or not told["mode"]:
        return ""
    return f"{told['mode']} (derived)" if told["mode_provenance"] == ModeProvenance.DERIVED else str(told["mode"])


def _words(stored: Stored) -> str:
    """The command, path or telling words of its content, cut for one row."""
    values = parts.values(parts.attributes(stored.parts["content"].data))
    gists = (gist(values.get(name)) for name in ("tool_input", "tool_parameters"))
    own = (stored.columns["command"], stored.columns["path"], parts.text_of(values, *_TEXTS), *gists)
    text = next(filter(None, own), "")
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
