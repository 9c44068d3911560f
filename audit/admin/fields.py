"""The fields of an event or a tool use as labelled values, in the order a reviewer asks for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from audit import absences
from audit.admin import telling
from audit.admin.rights import Rights
from audit.listing import markup, words
from audit.models import Event, ToolUse
from audit.timeline.rows import Row
from audit.vocabulary import Kind

Pair = tuple[str, str]
NOT_SENT = mark_safe('<span class="faint">not sent</span>')
NOBODY_ASKED = mark_safe('<span class="faint">nobody was asked</span>')


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    pairs: Sequence[Pair]


def of_use(use: ToolUse, row: Row | None, rights: Rights) -> list[Section]:
    """`row` is the same use on the timeline, which knows how long a person took."""
    return [
        Section("Decision", _decision(use, row)),
        Section("Result", _result(use)),
        Section("Context", [*_tool(use), *_context(use, rights, use.session_id, use.session_vendor_id)]),
    ]


def of_event(event: Event, rights: Rights) -> list[Section]:
    sections = [Section("Event", _event(event))]
    if event.kind in (Kind.TOOL_DECISION, Kind.TOOL_RESULT):
        sections.append(Section("Tool", _tool(event)))
    if event.kind == Kind.TOOL_DECISION:
        sections.append(Section("Decision", _decision(event, None)))
    result = _result(event) if event.outcome or event.error or event.duration_ms is not None else []
    if result:
        sections.append(Section("Result", result))
    special = _SPECIAL.get(event.kind)
    if special:
        sections.append(Section(*special(event)))
    return [*sections, Section("Context", _context(event, rights, event.session, event.session_id))]


def _event(event: Event) -> list[Pair]:
    return [
        ("Kind", markup.visible(event.kind.replace("_", " "))),
        ("Vendor’s name", _code(event.event_name)),
        ("Happened", markup.time(event.occurred_at, "precise")),
        ("Received", markup.time(event.received_at, "precise")),
        ("Number of its process", markup.number(event.sequence) if event.sequence is not None else NOT_SENT),
        ("Noticed", _tags([*event.flags, *absences.erased_parts(event)])),
    ]


def _decision(of: ToolUse | Event, row: Row | None) -> list[Pair]:
    asked = of.decided_by == "person"
    waited = markup.milliseconds(row.waited_ms) if row and row.waited_ms is not None else ""
    pairs: list[Pair] = [
        ("Decision", markup.visible(of.decision) if of.decision else _faint("no decision recorded")),
        ("Decided by", _with_tag(of.decided_by, of.basis)),
        ("Vendor’s words", _code(of.decision_raw)),
        ("Mode", format_html("{} {}", markup.mode(of.mode, of.mode_provenance), markup.tag(_provenance(of)))),
        ("Grant", markup.visible(of.grant) if of.grant else telling.NONE),
    ]
    if row:
        inferred = format_html("{} {}", waited, markup.tag("inferred")) if waited else _faint("not known")
        pairs.append(("Waited", inferred if asked else NOBODY_ASKED))
    if isinstance(of, ToolUse) and of.decisions > 1:
        pairs.append(("Decision records", markup.number(of.decisions)))
    return pairs


def _provenance(of: ToolUse | Event) -> str:
    return of.mode_provenance or "unknown"


def _result(of: ToolUse | Event) -> list[Pair]:
    return [
        ("Outcome", markup.outcome(of.outcome)),
        ("Error", markup.visible(of.error) if of.error else telling.NONE),
        ("Ran", words.milliseconds(of.duration_ms) if of.duration_ms is not None else NOT_SENT),
    ]


def _tool(of: ToolUse | Event) -> list[Pair]:
    pairs: list[Pair] = [
        ("Tool", telling.tool(of)),
        ("Source", markup.visible(of.tool_source) if of.tool_source else NOT_SENT),
    ]
    if of.mcp_server_provenance or of.mcp_server:
        pairs.append(("Server", _server(of)))
    if of.tool_use_id:
        pairs.append(("Tool use", _id(of.tool_use_id)))
    return pairs


def _server(of: ToolUse | Event) -> SafeString:
    if not of.mcp_server:
        return telling.HIDDEN_SERVER
    url = f"{reverse('admin:audit_mcpserver_changelist')}?{urlencode({'q': of.mcp_server})}"
    named = {"stated": "named by the client", "derived": "read from the tool’s name"}
    how = named.get(of.mcp_server_provenance or "", "not known how")
    return format_html('<a href="{}">{}</a> {}', url, markup.visible(of.mcp_server), markup.tag(how))


def _context(of: ToolUse | Event, rights: Rights, session: Any, vendor_id: str | None) -> list[Pair]:
    pairs: list[Pair] = [
        ("Session", telling.session_link(session, vendor_id)),
        ("Agent", markup.visible(telling.agent(of.agent))),
        ("Person", telling.person_of_event(of, rights)),
        ("Team", telling.claimed(of.origin.team if of.origin else None)),
        ("Repository", telling.claimed(of.origin.repository if of.origin else None)),
    ]
    for label, value in (("Prompt", of.prompt_id), ("Request", of.request_id), ("Subagent", of.agent_id)):
        if value:
            pairs.append((label, _id(value)))
    return pairs


def _mode_change(event: Event) -> tuple[str, list[Pair]]:
    return "Mode", [
        ("From", markup.mode(event.from_mode)),
        ("To", markup.mode(event.to_mode)),
        ("Trigger", _code(event.trigger)),
    ]


def _connection(event: Event) -> tuple[str, list[Pair]]:
    return "Connection", [
        ("Server", _server(event)),
        ("Status", _code(event.mcp_status)),
        ("Transport", _code(event.mcp_transport)),
        ("Scope", _code(event.mcp_scope)),
    ]


def _model(event: Event) -> tuple[str, list[Pair]]:
    tokens = {
        "Input": event.input_tokens,
        "Output": event.output_tokens,
        "Read from cache": event.cache_read_tokens,
        "Written to cache": event.cache_creation_tokens,
    }
    counted = [(f"{label} tokens", markup.number(count)) for label, count in tokens.items() if count is not None]
    return "Model", [
        ("Model", _code(event.model)),
        ("Asked by", _code(event.query_source)),
        *counted,
        ("Cost", words.money(event.cost_usd) if event.cost_usd is not None else NOT_SENT),
    ]


_SPECIAL: dict[str, Callable[[Event], tuple[str, list[Pair]]]] = {
    Kind.MODE_CHANGE: _mode_change,
    Kind.MCP_CONNECTION: _connection,
    Kind.API_REQUEST: _model,
    Kind.API_ERROR: _model,
}


def _code(text: str | None) -> SafeString:
    return format_html("<code>{}</code>", markup.visible(text)) if text else NOT_SENT


def _id(text: str) -> SafeString:
    return format_html('<span class="id">{}</span>', markup.visible(text))


def _faint(text: str) -> SafeString:
    return format_html('<span class="faint">{}</span>', text)


def _with_tag(text: str | None, basis: str | None) -> SafeString:
    if not text:
        return _faint("not recorded")
    said = markup.visible(text.replace("_", " "))
    return format_html("{} {}", said, markup.tag(basis)) if basis else said


def _tags(flags: Sequence[str]) -> SafeString:
    return (
        format_html_join(" ", "{}", ((markup.tag(flag.replace("_", " ")),) for flag in flags))
        if flags
        else telling.NONE
    )
