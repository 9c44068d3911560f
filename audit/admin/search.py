"""The search box of the whole portal: any id, number, hash, address, path or word. One hit is opened at once."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from audit import search
from audit.admin import recording, rights, rows, telling
from audit.admin.changelist import link
from audit.admin.rights import Rights
from audit.listing import counting, markup
from audit.listing.keyset import Keyset
from audit.models import Event, McpServer, Seal, Session, ToolUse
from audit.query import Term
from audit.search import lookups
from audit.vocabulary import Agent

LONGEST = 500
SHOWN = 5
PATIENCE_MS = 700
EXACT_PATIENCE_MS = 3000
"""For what is looked up without an index: a leaf hash, a request."""

_NUMBER = re.compile(r"#?\s?([\d\s\u00a0\u2009\u202f]{1,25})")
_HASH = re.compile(r"[0-9a-f]{64}")
_IDENTIFIER = re.compile(r"[\w.-]{4,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where it leads, and what it is called: both texts are safe to show."""

    url: str
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind, and the list that has all of them ("" if these are all)."""

    title: str
    hits: Sequence[Hit]
    url: str = ""
    stopped: bool = False


def view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("audit.view_event"):
        raise PermissionDenied
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    if text:
        recording.listed(request, "search")
    found = _found(text, rights.of(request)) if text else []
    hits = [hit for group in found for hit in group.hits]
    if len({hit.url for hit in hits}) == 1 and not any(group.stopped or group.url for group in found):
        return HttpResponseRedirect(hits[0].url)
    context = {
        **admin.site.each_context(request),
        "title": "Search",
        "text": text,
        "groups": [group for group in found if group.hits or group.stopped],
        "found": bool(hits),
        "rights": rights.of(request),
    }
    return TemplateResponse(request, "admin/audit/search.html", context)


def _found(text: str, held: Rights) -> list[Group]:
    """By identifier first; only what names nothing is searched for as a word."""
    exact = [group for group in _identified(text, held) if group.hits or group.stopped]
    return exact if any(group.hits for group in exact) else [*exact, *_said(text, held)]


def _identified(text: str, held: Rights) -> Iterator[Group]:
    number = _NUMBER.fullmatch(text)
    if number:
        yield Group("Number in the ledger", _by_number(re.sub(r"\D", "", number[1])))
    if _HASH.fullmatch(text.lower()):
        yield _patient("Leaf hash", lambda: _by_leaf(bytes.fromhex(text)), patience_ms=EXACT_PATIENCE_MS)
    identifier = _uuid(text)
    if identifier:
        yield Group("Event", [_event(event) for event in _events().filter(pk=identifier)])
        yield Group("Session", [_session(each) for each in Session.objects.filter(pk=identifier)])
    if _IDENTIFIER.fullmatch(text):
        yield Group("Session", [_session(each) for each in Session.objects.filter(session_id=text)[:SHOWN]])
        yield Group("Tool use", [_use(each, held) for each in ToolUse.objects.filter(tool_use_id=text)[:SHOWN]])
        yield Group("Prompt", [_event(each) for each in _events().filter(kind="prompt", prompt_id=text)[:SHOWN]])
    if text.startswith("req_"):
        yield _patient("Request", lambda: [_event(each) for each in _of_request(text)], patience_ms=EXACT_PATIENCE_MS)
    if search.is_pseudonym(text) or (held.identity and "@" in text):
        yield _people(text)


def _said(text: str, held: Rights) -> Iterator[Group]:
    servers = McpServer.objects.filter(name__icontains=text).order_by("-last_at")[:SHOWN]
    yield Group("MCP servers", [_server(server) for server in servers])
    words = Term("", text)
    sought = search.Sought(text, with_content=held.content)
    for title, every, keyset, shown, url in (
        ("Sessions", search.sessions(), Keyset("-first_at", "-id"), _session, "admin:audit_session_changelist"),
        (
            "Tool uses",
            search.tool_uses(),
            Keyset("-position"),
            lambda use: _use(use, held),
            "admin:audit_tooluse_changelist",
        ),
        ("Events", _of_agents(), Keyset("-id"), _event, "admin:audit_event_changelist"),
    ):
        yield _patient(title, lambda: _hits(sought.among(every), keyset, shown), link(reverse(url), words))  # noqa: B023


def _of_agents() -> QuerySet[Event]:
    """Events but the portal's own acts, which say what was searched for before."""
    return search.events().exclude(agent=Agent.PORTAL).select_related("origin")


def _hits(alternatives: Sequence[QuerySet], keyset: Keyset, shown: Callable[[Any], Hit]) -> list[Hit]:
    return [shown(row) for row in keyset.page(alternatives, SHOWN).rows]


def _patient(title: str, find: Callable[[], list[Hit]], url: str = "", patience_ms: int = PATIENCE_MS) -> Group:
    """A search that may take long is stopped, and the reader is told so."""
    try:
        with counting.deadline(patience_ms):
            hits = find()
    except counting.TooSlow:
        return Group(title, [], url, stopped=True)
    return Group(title, hits, url if len(hits) == SHOWN else "")


def _by_number(digits: str) -> list[Hit]:
    if not digits or int(digits) >= 2**63:
        return []
    return [_event(seal.event) for seal in Seal.objects.filter(pk=int(digits)).select_related("event")]


def _by_leaf(leaf_hash: bytes) -> list[Hit]:
    return [_event(seal.event) for seal in Seal.objects.filter(leaf_hash=leaf_hash).select_related("event")[:SHOWN]]


def _of_request(request_id: str) -> QuerySet[Event]:
    return _events().filter(kind="api_request", request_id=request_id)[:SHOWN]


def _people(text: str) -> Group:
    sessions = Session.objects.filter(subject__in=lookups.people(text)).order_by("-first_at", "-id")
    url = link(reverse("admin:audit_session_changelist"), Term("person", text))
    hits = [_session(session) for session in sessions[:SHOWN]]
    return Group("Sessions of this person", hits, url if len(hits) == SHOWN else "")


def _events() -> QuerySet[Event]:
    return Event.objects.order_by("-id")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _session(session: Session) -> Hit:
    note = format_html("{}, {}", telling.agent(session.agent), markup.time(session.first_at))
    return Hit(telling.session_url(session.pk), format_html("Session {}", markup.visible(session.session_id)), note)


def _event(event: Event) -> Hit:
    return Hit(telling.event_url(event.pk), rows.name(event), markup.time(event.received_at))


def _use(use: ToolUse, held: Rights) -> Hit:
    event = use.decision_event or use.result_event or use.position
    told = (use.command or use.path or use.host or "")[:120] if held.content else ""
    label = format_html("{} {}", telling.tool(use), markup.visible(told)) if told else telling.tool(use)
    return Hit(telling.event_url(event), label, markup.time(use.at))


def _server(server: McpServer) -> Hit:
    url = reverse("admin:audit_mcpserver_change", args=[server.pk])
    return Hit(url, markup.visible(server.name), markup.time(server.last_at))
