"""The words of evidence: one vocabulary over all agents (DESIGN §4).

Plain strings rather than enumerations travel through the hot path; these classes say which strings exist.
"""

from enum import StrEnum


class Agent(StrEnum):
    CLAUDE_CODE = "claude_code"
    CODEX = "codex"
    GEMINI_CLI = "gemini_cli"
    COPILOT_CLI = "copilot_cli"
    QWEN_CODE = "qwen_code"
    OPENCODE = "opencode"
    PORTAL = "portal"
    OTHER = "other"


class Kind(StrEnum):
    PROMPT = "prompt"
    RESPONSE = "response"
    TOOL_DECISION = "tool_decision"
    TOOL_RESULT = "tool_result"
    MODE_CHANGE = "mode_change"
    MCP_CONNECTION = "mcp_connection"
    API_REQUEST = "api_request"
    API_ERROR = "api_error"
    AUTH = "auth"
    HOOK = "hook"
    PLUGIN = "plugin"
    SKILL = "skill"
    COMPACTION = "compaction"
    SUBAGENT = "subagent"
    POLICY = "policy"
    SESSION = "session"
    ADMIN = "admin"
    OTHER = "other"


class Decision(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"
    CANCEL = "cancel"


class DecidedBy(StrEnum):
    PERSON = "person"
    POLICY = "policy"
    HOOK = "hook"
    REVIEWER_MODEL = "reviewer_model"
    NOBODY = "nobody"
    UNKNOWN = "unknown"


class Grant(StrEnum):
    ONCE = "once"
    SESSION = "session"
    ALWAYS = "always"


class Grade(StrEnum):
    """How complete a session is, by the numbers its client gave to events."""

    COMPLETE = "a"
    SMALL_GAPS = "b"
    NO_NUMBERS = "c"
    FRAGMENTS = "d"
    UNJUDGED = "unjudged"


class Basis(StrEnum):
    STATED = "stated"
    INFERRED = "inferred"


class ModeProvenance(StrEnum):
    STATED = "stated"
    DERIVED = "derived"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    NOT_RUN = "not_run"
    UNKNOWN = "unknown"
