"""Whose record is this? By scope, then by the event's prefix, then by the path it came in on, then by service name.

`OTEL_SERVICE_NAME` renames any client, so a service name never excludes an agent and is asked last
(wire-claude-code.md A4, wire-other-agents.md quirk 22).
"""

from ingest.otlp.records import Emitter, LogRecord

CLAUDE_CODE = "claude_code"
OTHER = "other"

_AGENT_BY_SCOPE = {
    "codex": "codex",
    "gemini-cli": "gemini_cli",
    "github.copilot": "copilot_cli",
    "qwen-code": "qwen_code",
    "opencode": "opencode",
}
_AGENT_BY_SCOPE_PREFIX = (
    ("com.anthropic.claude_code", CLAUDE_CODE),
    ("codex_otel", "codex"),
)
EVENT_PREFIXES = {
    "claude_code.": CLAUDE_CODE,
    "codex.": "codex",
    "gemini_cli.": "gemini_cli",
    "github.copilot.": "copilot_cli",
    "qwen-code.": "qwen_code",
}
_AGENT_BY_HINT = {
    "claude": CLAUDE_CODE,
    "claude_code": CLAUDE_CODE,
    "codex": "codex",
    "codex_cli": "codex",
    "gemini": "gemini_cli",
    "gemini_cli": "gemini_cli",
    "copilot": "copilot_cli",
    "copilot_cli": "copilot_cli",
    "github_copilot": "copilot_cli",
    "qwen": "qwen_code",
    "qwen_code": "qwen_code",
    "opencode": "opencode",
}
_AGENT_BY_SERVICE = {
    "claude-code": CLAUDE_CODE,
    "claude-code-desktop": CLAUDE_CODE,
    "codex_exec": "codex",
    "codex_cli_rs": "codex",
    "codex-app-server": "codex",
    "gemini-cli": "gemini_cli",
    "github-copilot": "copilot_cli",
    "qwen-code": "qwen_code",
    "opencode": "opencode",
}


def identify(record: LogRecord, hint: str | None) -> str:
    """The agent that sent a record, one of audit.vocabulary.Agent; `hint` is <agent> of /api/v1/otel/<agent>/…."""
    emitter = record.emitter
    return agent_of_scope(emitter.scope_name) or agent_of_event(record) or agent_of_sender(emitter, hint)


def agent_of_scope(scope_name: str) -> str | None:
    for prefix, agent in _AGENT_BY_SCOPE_PREFIX:
        if scope_name.startswith(prefix):
            return agent
    return _AGENT_BY_SCOPE.get(scope_name)


def agent_of_name(name: object) -> str | None:
    """The agent whose prefix an event's or a metric's name carries."""
    if not isinstance(name, str):
        return None
    for prefix, agent in EVENT_PREFIXES.items():
        if name.startswith(prefix):
            return agent
    return None


def agent_of_sender(emitter: Emitter, hint: str | None) -> str:
    """What is left when neither scope nor event tells: the path's hint, else the service name, else `other`."""
    hinted = _AGENT_BY_HINT.get(hint.lower().replace("-", "_")) if hint else None
    if hinted:
        return hinted
    for key, _, value in emitter.resource:
        if key == "service.name" and isinstance(value, str) and value in _AGENT_BY_SERVICE:
            return _AGENT_BY_SERVICE[value]
    return OTHER


def agent_of_event(record: LogRecord) -> str | None:
    """The agent whose prefix the event's name carries, in the attribute, the body or the OTLP field."""
    for key, _, value in record.attributes:
        if key == "event.name" and (agent := agent_of_name(value)):
            return agent
    body = record.body[1] if record.body else None
    return agent_of_name(body) or agent_of_name(record.event_name)
