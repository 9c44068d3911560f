"""The columns of Claude Code's events that more than one attribute, or the event itself, decides."""

from collections.abc import Callable
from typing import Any

from audit.decisions import Words, spell
from audit.vocabulary import ModeProvenance, Outcome
from ingest.agents import claude_tools
from ingest.secrets import Scrubber

Columns = dict[str, Any]
_SUCCESS, _FAILURE = Outcome.SUCCESS.value, Outcome.FAILURE.value

Finish = Callable[[Columns, list[str], Scrubber], None]
"""Takes the values whose names begin with an underscore out of the columns, and puts in what they mean."""


def finish(event: str, columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    """Complete the columns of one event in place. A decision keeps `_words` and `_entrypoint`, to be settled with."""
    complete = _FINISHES.get(event)
    if complete is not None:
        complete(columns, flags, scrubber)
    if columns.get("mode") is not None:
        columns["mode_provenance"] = ModeProvenance.STATED.value


def _tool_decision(columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    words = Words(columns.pop("_decision", None), columns.pop("_source", None), columns.pop("_classifier", None))
    columns["_words"] = words
    columns["decision_raw"] = spell(words) or None
    _tool(columns, flags, scrubber)


def _tool_result(columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    columns.pop("_decision_source", None)
    _outcome(columns, flags, scrubber)
    _tool(columns, flags, scrubber)


def _tool(columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    parameters = claude_tools.parsed(columns.pop("_parameters", None))
    inputs = claude_tools.parsed(columns.pop("_input", None))
    tool_name = columns.get("tool_name")
    if claude_tools.is_mcp(tool_name, columns.get("tool_source"), parameters):
        columns |= claude_tools.mcp_columns(tool_name, parameters, flags)
    if parameters or inputs:
        columns |= claude_tools.details(parameters, inputs, flags, scrubber)


def _mode_change(columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    columns["mode"] = columns.get("to_mode")


def _mcp_connection(columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    """Without the details switch the server's name is not sent (wire-claude-code.md A5)."""
    columns["mcp_server_provenance"] = "stated" if columns.get("mcp_server") else "hidden"
    columns["outcome"] = _CONNECTION_OUTCOMES.get(columns.get("mcp_status") or "")


def _api_request(columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    """Millionths are exact; the double beside them went through binary arithmetic."""
    exact, rounded = columns.pop("_cost_usd_micros", None), columns.pop("_cost_usd", None)
    columns["cost_usd"] = exact or rounded


def _api_error(columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    columns["outcome"] = _FAILURE
    _status(columns)


def _outcome(columns: Columns, flags: list[str], scrubber: Scrubber) -> None:
    success = columns.pop("_success", None)
    if success is not None:
        columns["outcome"] = _SUCCESS if success else _FAILURE
    _status(columns)


def _status(columns: Columns) -> None:
    """A status code says what went wrong only where nothing says it better."""
    status = columns.pop("_status_code", None)
    if columns.get("error") is None and columns.get("outcome") == _FAILURE:
        columns["error"] = status


_CONNECTION_OUTCOMES = {"connected": _SUCCESS, "failed": _FAILURE}

_FINISHES: dict[str, Finish] = {
    "tool_decision": _tool_decision,
    "tool_result": _tool_result,
    "permission_mode_changed": _mode_change,
    "mcp_server_connection": _mcp_connection,
    "api_request": _api_request,
    "api_error": _api_error,
    "api_retries_exhausted": _api_error,
    "api_refusal": _api_error,
    "auth": _outcome,
    "compaction": _outcome,
    "at_mention": _outcome,
}
