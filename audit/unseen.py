"""What an agent's telemetry cannot show, in plain words, and which of its switches seem to be off in a session.

A reviewer must not read silence as innocence: much of what an agent does leaves no record at all
(wire-claude-code.md A2, A5, A6, A8, A9).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audit import leaf, parts
from audit.models import Content, Session, ToolUse
from audit.timeline.pages import events_of
from audit.vocabulary import Agent, Kind

_OF_CLAUDE_CODE = (
    "A Read that a rule denies, and an MCP tool that a rule denies, leave no record: neither a decision nor a result.",
    "The permission mode a session starts in is not reported. It shows on the decisions made under it, and a session"
    " under bypassPermissions that asked for nothing does not show it at all.",
    "“Yes, and accept edits for this session” changes the mode without a record of the change.",
    "What a person types after “!” runs in the shell without any record.",
    "API errors that a retry cured leave no record; only the last failure of a request does.",
    "In headless and SDK runs the client writes user_permanent and user_reject although nobody clicked. Such decisions"
    " are shown as a policy’s, as inferred, or as not known by whom.",
    "“No”, “No” with a comment and Esc leave the same record.",
    "A rejected Edit, Write, Read or WebFetch never tells its path or address, whatever is switched on.",
    "A gap is a number that the client gave to an event which never came. It was lost on its way, as a client tries for"
    " about ten seconds only, or kept from coming. What it said cannot be told.",
    "No record marks the end of a session. A process that was killed leaves accepted tools without a result.",
    "A user can switch telemetry off in the own settings unless they are managed; silence is then the only sign.",
)
_OF_OTHERS = (
    "Records of this agent are kept whole, but not yet read into decisions, modes and tool uses. No decision shown here"
    " does not mean that none was made.",
)
_SAMPLE = 20


def by(agent: str) -> Sequence[str]:
    """What this agent leaves no record of."""
    return _OF_CLAUDE_CODE if agent == Agent.CLAUDE_CODE else _OF_OTHERS


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting of the client as far as a session shows it. `on` is None where nothing tells."""

    name: str
    on: bool | None
    gives: str


def switches(session: Session) -> list[Switch]:
    """The client's content switches, inferred from what came and what came masked."""
    if session.agent != Agent.CLAUDE_CODE:
        return []
    return [
        Switch("OTEL_LOG_TOOL_DETAILS", _tool_details(session), "commands, paths, names of MCP servers, errors"),
        Switch("OTEL_LOG_USER_PROMPTS", _text_sent(session, Kind.PROMPT, "prompt"), "the text of prompts"),
        Switch("OTEL_LOG_ASSISTANT_RESPONSES", _text_sent(session, Kind.RESPONSE, "response"), "the text of responses"),
        Switch("OTEL_METRICS_INCLUDE_ENTRYPOINT", bool(session.entrypoint), "whether a person sat at it"),
        Switch("OTEL_METRICS_INCLUDE_REPOSITORY", _repository(session), "the repository by its Git remote"),
    ]


def _tool_details(session: Session) -> bool | None:
    uses = ToolUse.objects.filter(session=session.pk)
    if uses.exclude(command=None, path=None, mcp_server=None).exists():
        return True
    if uses.filter(tool_name__in=("Bash", "mcp_tool")).exists() and not _erased(session):
        return False
    return None


def _erased(session: Session) -> bool:
    """Whether content of its tools is gone: then it does not tell what the client sent."""
    tools = events_of(session).filter(kind__in=(Kind.TOOL_DECISION, Kind.TOOL_RESULT))
    return tools.exclude(content_commitment=leaf.ABSENT).filter(content=None).exists()


def _text_sent(session: Session, kind: Kind, key: str) -> bool | None:
    """Whether one of the first texts of that kind was sent; None if there is none to tell by."""
    if not session.kinds.get(kind):
        return None
    first = list(
        events_of(session).filter(kind=kind).order_by("occurred_at", "id").values_list("id", flat=True)[:_SAMPLE]
    )
    told = False
    for data in Content.objects.filter(event_id__in=first).values_list("bytes", flat=True):
        values = parts.values(parts.attributes(data))
        if parts.text_of(values, key):
            return True
        told = told or key in values
    return False if told else None


def _repository(session: Session) -> bool | None:
    """The client names it once a prompt was sent in a checkout that has a remote; without one, nothing tells."""
    if session.origin is None:
        return None
    named = any(key.endswith("@vcs.repository.name") for key, _, _ in parts.attributes(session.origin.bytes))
    return True if named else None
