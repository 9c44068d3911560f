"""The words of tokens: their kinds, and what each scope allows (DESIGN §5.2)."""

INGEST = "ingest"
API = "api"

INGEST_SCOPES = {
    "logs": "Send events: prompts, decisions, tool results, mode changes, MCP connections.",
    "metrics": "Send counts: tokens, cost, lines, commits.",
    "traces": "Send spans (Claude Code: a beta).",
}
API_SCOPES = {
    "events:read": "Read sessions, timelines, events and decisions, without their content.",
    "content:read": "Also read prompts, commands and tool input.",
    "identity:read": "Also read who it was: addresses and account ids instead of pseudonyms.",
    "export:read": "Read the feed: every event once, in order.",
    "tokens:read": "List ingestion tokens.",
    "tokens:write": "Issue, rotate and revoke ingestion tokens.",
    "connectors:read": "Read the state of vendor connections.",
    "usage:read": "Read usage and cost.",
    "ledger:read": "Read checkpoints and proofs.",
}
SCOPES = {INGEST: INGEST_SCOPES, API: API_SCOPES}

NOT_YET = {
    "traces": "Not stored yet in this version.",
}
"""Scopes that are valid, so that a token issued now need not be issued again, but that nothing asks for so far."""


def meaning(kind: str, scope: str) -> str:
    """What a scope allows, and whether that is of any use in this version."""
    return " ".join(filter(None, (SCOPES[kind][scope], NOT_YET.get(scope))))
