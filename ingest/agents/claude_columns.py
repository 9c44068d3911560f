"""Which typed column each attribute of Claude Code's events fills, and how it is read.

Names that begin with an underscore are no columns: the event's finish in ingest.agents.claude_finish takes them up.
"""

from ingest.agents.claude_events import FACTS, UNLISTED
from ingest.agents.values import (
    Reader,
    boolean,
    dollars,
    dollars_of_micros,
    identifier,
    integer,
    present,
    raw,
    text,
    word,
)

Columns = dict[str, tuple[str, Reader]]

_OF_EVERY_EVENT: Columns = {
    "session.id": ("session_id", identifier),
    "event.sequence": ("sequence", integer),
    "prompt.id": ("prompt_id", identifier),
    "request_id": ("request_id", identifier),
    "agent_id": ("agent_id", identifier),
    "tool_use_id": ("tool_use_id", identifier),
    "tool_name": ("tool_name", text),
    "tool_source": ("tool_source", text),
    "permission_mode": ("mode", text),
    "model": ("model", text),
    "query_source": ("query_source", text),
    "duration_ms": ("duration_ms", integer),
    "input_tokens": ("input_tokens", integer),
    "output_tokens": ("output_tokens", integer),
    "cache_read_tokens": ("cache_read_tokens", integer),
    "cache_creation_tokens": ("cache_creation_tokens", integer),
    "cost_usd": ("_cost_usd", dollars),
    "cost_usd_micros": ("_cost_usd_micros", dollars_of_micros),
    "from_mode": ("from_mode", text),
    "to_mode": ("to_mode", text),
    "server_name": ("mcp_server", text),
    "transport_type": ("mcp_transport", text),
    "server_scope": ("mcp_scope", text),
    "mcp_server_scope": ("mcp_scope", text),
    "error_type": ("error", word),
    "error.type": ("error", word),
    "error_code": ("error", word),
    "error_category": ("error", word),
    "status_code": ("_status_code", word),
    "success": ("_success", boolean),
}

_OF_ONE_EVENT: dict[str, Columns] = {
    "tool_decision": {
        "decision": ("_decision", text),
        "source": ("_source", text),
        "classifier_verdict": ("_classifier", text),
        "app.entrypoint": ("_entrypoint", text),
        "tool_parameters": ("_parameters", raw),
        "tool_input": ("_input", raw),
    },
    "tool_result": {
        "decision_source": ("_decision_source", present),
        "tool_parameters": ("_parameters", raw),
        "tool_input": ("_input", raw),
    },
    "permission_mode_changed": {"trigger": ("trigger", text)},
    "mcp_server_connection": {"status": ("mcp_status", text)},
    "api_refusal": {"category": ("error", word)},
}


def columns_of(event: str) -> Columns:
    """The columns of an event by attribute; of an event that is not listed, those every record may have."""
    facts = FACTS.get(event, FACTS[UNLISTED])
    return {key: column for key, column in _OF_EVERY_EVENT.items() if key in facts} | _OF_ONE_EVENT.get(event, {})
