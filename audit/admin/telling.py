"""Evidence in words and links, the same on every list and page: people, sessions, tools, grants, completeness."""

import re
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from audit import parts, query
from audit.admin import addresses
from audit.admin.rights import Rights
from audit.listing import markup, words
from audit.models import Event, Session, Subject, ToolUse
from audit.query import Term
from audit.timeline.rows import Row
from audit.vocabulary import Agent, Grade

NOT_KNOWN = mark_safe('<span class="faint">not known</span>')
NONE = mark_safe('<span class="faint">none</span>')
HIDDEN_SERVER = format_html(
    '<span class="quiet" title="{}">name hidden by the client</span>',
    "The client sends names only with OTEL_LOG_TOOL_DETAILS=1",
)
ERASED = format_html(
    '<span class="sealed" title="An event of the portal says so, and the proof still holds">{}erased</span>',
    markup.icon("slash"),
)
SEALED = format_html(
    '<span class="sealed" title="Seen only with the right to see content">{}content sealed</span>', markup.icon("lock")
)

_ABBREVIATION = re.compile(r"\b(?:api|mcp)\b", re.IGNORECASE)

_PLAIN_FACTS = ("list", "format", "object.kind", "object.id", "part")
"""Facts of the portal's acts that need no name to be understood."""

AGENTS = {
    "claude_code": "Claude Code",
    "codex": "Codex CLI",
    "gemini_cli": "Gemini CLI",
    "copilot_cli": "Copilot CLI",
    "qwen_code": "Qwen Code",
    "opencode": "opencode",
    "portal": "Portal",
    "other": "Other agent",
}


def spoken(word: str) -> str:
    """A word of the wire or of the vocabulary as people say it: `mcp_connection` is “MCP connection”."""
    told = word.replace("_", " ").replace(".", " ").capitalize()
    return _ABBREVIATION.sub(lambda match: match[0].upper(), told)


def agent(name: str) -> str:
    return AGENTS.get(name, name)


def person(subject: Subject | None, rights: Rights) -> SafeString:
    """Who the client says it was, as a claim; a pseudonym for those who may not see identities."""
    if subject is None:
        return NOT_KNOWN
    if not rights.identity or subject.label == subject.pseudonym:
        why = "Only an installation is known" if rights.identity else "Identities are seen only with the right to"
        return format_html('<span class="id quiet" title="{}">{}</span>', why, subject.pseudonym)
    told_by = "resource attributes, which a developer can set" if subject.provenance != "client" else "the client"
    return markup.claim(subject.label, told_by)


def person_of_event(event: Event | ToolUse, rights: Rights) -> SafeString:
    """As `person`; of the portal's own acts it is what the portal knows, and no claim."""
    subject = event.subject
    if event.agent == Agent.PORTAL and subject is None:
        return format_html('<span class="quiet">the portal</span>')
    if event.agent == Agent.PORTAL and subject is not None and rights.identity:
        return markup.visible(subject.label)
    return person(subject, rights)


def act(event: Event) -> str:
    """What an act of the portal was about, from its facts: `session 0199a3c2-…`, `sessions csv`, `token.id 3`."""
    facts = parts.values(parts.attributes(event.facts))
    told = {name: value for name, value in facts.items() if name != "event.name" and not isinstance(value, bool)}
    return " ".join(str(value) if name in _PLAIN_FACTS else f"{name} {value}" for name, value in told.items())


def name(subject: Subject | None, rights: Rights) -> str | None:
    """The same without markup, for downloads."""
    if subject is None:
        return None
    return subject.label if rights.identity else subject.pseudonym


def person_of(session: Session, rights: Rights) -> SafeString:
    """As `person`; a headless run of which only the installation is known is called that."""
    subject = session.subject
    if session.session_kind == "sdk" and subject is not None and subject.label == subject.pseudonym:
        return format_html('<span class="quiet" title="{}">headless run</span>', subject.pseudonym)
    return person(subject, rights)


def sessions_of(subject: Subject | None, rights: Rights) -> str:
    """The address of all sessions of that person; "" if nobody is known."""
    if subject is None:
        return ""
    known = subject.email or subject.account_uuid or subject.account_id or subject.install_id
    asked = Term("person", known if rights.identity and known else subject.pseudonym)
    return f"{reverse('admin:audit_session_changelist')}?{urlencode({'q': query.spell([asked])})}"


def claimed(text: str | None) -> SafeString:
    return markup.claim(text, "resource attributes, which a developer can set") if text else NOT_KNOWN


def repository(name: str | None) -> SafeString:
    """A repository by its own name, in full on hover: lists have no room for addresses."""
    if not name:
        return NOT_KNOWN
    shown = markup.visible(name.rstrip("/").rpartition("/")[2] or name)
    title = f"{markup.visible_plain(name)} · a claim from resource attributes, which a developer can set"
    return format_html('<span class="claim" title="{}">{}</span>', title, shown)


def session_url(session_key: object) -> str:
    return addresses.of("admin:audit_session_change", session_key)


def session_link(session_key: object, vendor_id: str | None) -> SafeString:
    """The vendor's id, shortened to what tells sessions apart in a list."""
    if session_key is None:
        return NONE
    shown = markup.visible((vendor_id or "")[:8] or "no id")
    title = markup.visible_plain(vendor_id or "")
    return format_html('<a class="id" href="{}" title="{}">{}</a>', session_url(session_key), title, shown)


def event_url(event_id: object) -> str:
    return addresses.of("admin:audit_event_change", event_id)


def tool(row: Row | ToolUse | Event) -> SafeString:
    """`server › tool` for MCP, as far as the client names them; else the tool's name."""
    if row.mcp_server or row.mcp_server_provenance or row.tool_source == "mcp":
        server = markup.visible(row.mcp_server) if row.mcp_server else mark_safe("MCP, name hidden")
        return format_html("{} › {}", server, markup.visible(row.mcp_tool)) if row.mcp_tool else server
    return markup.visible(row.tool_name) if row.tool_name else NOT_KNOWN


def with_input(what: str, told: str) -> SafeString:
    """A tool or event (safe to show) with what it was to do, in two lines of a list; more of it on hover."""
    if not told:
        return format_html("<b>{}</b>", what)
    title, shown = markup.visible_plain(told[:1000]), markup.visible(told[:200])
    return format_html(
        '<span class="two-lines" title="{}"><b>{}</b> <code class="quiet">{}</code></span>', title, what, shown
    )


def server(of: Row | ToolUse | Event) -> SafeString:
    return markup.visible(of.mcp_server) if of.mcp_server else HIDDEN_SERVER


def grant(value: str | None, waited_ms: int | None = None) -> SafeString:
    """`once · 2.5 s`: how far a permission reaches, and how long the person took, which is inferred."""
    waited = ""
    if waited_ms is not None:
        waited = format_html(
            '<span title="Inferred: from the model’s request to the decision">{}</span>', words.milliseconds(waited_ms)
        )
    told = [(part,) for part in (markup.visible(value) if value else "", waited) if part]
    return format_html('<span class="grant">{}</span>', format_html_join(" · ", "{}", told)) if told else SafeString()


def grade(session: Session) -> SafeString:
    """How complete a session is, with the reason; not judged yet is no grade, but what is missing so far is told."""
    missing = f"{words.number(session.missing)} missing"
    if session.grade == Grade.UNJUDGED:
        return markup.unjudged(f"{missing} so far" if session.missing else "")
    reason = {
        Grade.COMPLETE: "no number is missing",
        Grade.SMALL_GAPS: missing,
        Grade.NO_NUMBERS: "cannot be judged: this client sends no numbers",
        Grade.FRAGMENTS: f"in fragments: {missing}",
    }[session.grade]
    return markup.grade(session.grade, reason, told=session.grade != Grade.COMPLETE)
