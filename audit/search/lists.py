"""Lists narrowed by what people know: who, which agent, team, repository, tool, server, decision, mode, when.

A look-up comes first wherever the big table has only a key: identities, sessions and emitters are few.
"""

import datetime as dt
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db.models import Q, QuerySet

from audit import identifiers
from audit.models import Event, McpServer, Session, ToolUse
from audit.search import lookups, times
from audit.vocabulary import DecidedBy, Decision, Kind


class Narrowing(TypedDict, total=False):
    """What may be known of an event or of a tool use. Times are half-open intervals; `session` is the vendor's id."""

    kind: str | None
    agent: str | None
    session: str | None
    prompt: str | None
    tool: str | None
    tool_use_id: str | None
    mcp_server: str | None
    mcp_tool: str | None
    decision: str | None
    decided_by: str | None
    grant: str | None
    mode: str | None
    actor: str | None
    team: str | None
    repository: str | None
    outcome: str | None
    occurred_after: dt.datetime | None
    occurred_before: dt.datetime | None
    received_after: dt.datetime | None
    received_before: dt.datetime | None


_SAME = {
    "agent": "agent",
    "tool": "tool_name",
    "tool_use_id": "tool_use_id",
    "mcp_server": "mcp_server",
    "decision": "decision",
    "decided_by": "decided_by",
    "grant": "grant",
    "mode": "mode",
    "outcome": "outcome",
}


def events(**known: Unpack[Narrowing]) -> QuerySet[Event]:
    """Events as they were recorded."""
    when = times.happened(known.get("occurred_after"), known.get("occurred_before"))
    found = Event.objects.filter(_plain(known) & _received("id", known) & when)
    if kind := known.get("kind"):
        found = found.filter(kind=kind)
    if any(known.get(name) for name in ("decision", "decided_by", "grant")):
        found = found.filter(kind=Kind.TOOL_DECISION)
    if actor := known.get("actor"):
        found = found.filter(subject__in=lookups.people(actor))
    if session := known.get("session"):
        found = found.filter(session__in=lookups.session_keys(session))
    if known.get("team") or known.get("repository"):
        emitters = lookups.emitters(team=known.get("team"), repository=known.get("repository"))
        found = found.filter(origin__in=emitters)
    if prompt := known.get("prompt"):
        found = _of_prompt(found, prompt)
    return _with_mcp_tool(found, known)


def tool_uses(**known: Unpack[Narrowing]) -> QuerySet[ToolUse]:
    """Tool uses by what is known of them now; `received` counts from the first event heard of one."""
    found = ToolUse.objects.filter(_plain(known) & _received("position", known) & _happened(known))
    if actor := known.get("actor"):
        found = found.filter(subject__in=lookups.people(actor))
    if session := known.get("session"):
        found = found.filter(session__in=lookups.session_keys(session))
    if prompt := known.get("prompt"):
        found = found.filter(prompt_id=prompt)
    return _with_mcp_tool(_of_team(found, known.get("team"), known.get("repository")), known)


def decisions(**known: Unpack[Narrowing]) -> QuerySet[ToolUse]:
    """Tool uses on which a decision was recorded."""
    return tool_uses(**known).filter(decisions__gt=0)


def sessions(
    *,
    agent: str | None = None,
    session: str | None = None,
    actor: str | None = None,
    team: str | None = None,
    repository: str | None = None,
    tool: str | None = None,
    mcp_server: str | None = None,
    decision: str | None = None,
    decided_by: str | None = None,
    mode: str | None = None,
    occurred_after: dt.datetime | None = None,
    occurred_before: dt.datetime | None = None,
) -> QuerySet[Session]:
    """Sessions in which there was such a thing; the interval is one that they reach into."""
    conditions: dict[str, Any] = {
        "agent": agent,
        "session_id": session,
        "tools__contains": [tool] if tool else None,
        "mcp_servers__contains": [mcp_server] if mcp_server else None,
        "modes_seen__contains": [mode] if mode else None,
        "decisions_seen__overlap": _verdicts(decision, decided_by) if decision or decided_by else None,
        "last_at__gte": occurred_after,
        "first_at__lt": occurred_before,
    }
    found = Session.objects.filter(**{name: value for name, value in conditions.items() if value is not None})
    if actor:
        found = found.filter(subject__in=lookups.people(actor))
    return _of_team(found, team, repository)


def mcp_servers(*, name: str | None = None, transport: str | None = None, scope: str | None = None) -> QuerySet:
    """MCP servers by a part of their name, and by how they were reached."""
    found = McpServer.objects.all()
    if name:
        found = found.filter(name__icontains=name)
    if transport:
        found = found.filter(transports__contains=[transport])
    return found.filter(scopes__contains=[scope]) if scope else found


def _plain(known: Narrowing) -> Q:
    return Q(**{column: known[name] for name, column in _SAME.items() if known.get(name)})  # type: ignore[literal-required]


def _received(column: str, known: Narrowing) -> Q:
    """An event's id begins with the time it was received."""
    bounds = {"gte": known.get("received_after"), "lt": known.get("received_before")}
    moments = {name: max(moment, identifiers.EPOCH) for name, moment in bounds.items() if moment}
    return Q(**{f"{column}__{name}": identifiers.lower_bound(moment) for name, moment in moments.items()})


def _happened(known: Narrowing) -> Q:
    bounds = {"at__gte": known.get("occurred_after"), "at__lt": known.get("occurred_before")}
    return Q(**{name: moment for name, moment in bounds.items() if moment})


def _of_team(found: QuerySet, team: str | None, repository: str | None) -> QuerySet:
    if team:
        found = found.filter(team=team)
    return found.filter(repository__in=lookups.repositories(repository)) if repository else found


def _with_mcp_tool(found: QuerySet, known: Narrowing) -> QuerySet:
    tool = known.get("mcp_tool")
    if not tool:
        return found
    servers = lookups.servers_with(tool)
    named = Q(mcp_server__in=[name for name in servers if name])
    return found.filter(named | Q(mcp_server=None) if "" in servers else named, mcp_tool=tool)


def _of_prompt(found: QuerySet[Event], prompt: str) -> QuerySet[Event]:
    """Only prompts themselves are indexed by their id; what followed from one is in the same sessions.

    What came next in the same process after `/clear` carries the id into a session that has another prompt of its own.
    """
    keys = set(Event.objects.filter(kind=Kind.PROMPT, prompt_id=prompt).values_list("session", flat=True))
    sessions: set[UUID] = {key for key in keys if key}
    return found.filter(prompt_id=prompt, session__in=sessions) if sessions else found.filter(prompt_id=prompt)


def _verdicts(decision: str | None, decided_by: str | None) -> list[str]:
    """Sessions count decisions under `decision:decided_by`."""
    decisions = [decision] if decision else [*Decision, None]
    authorities = [decided_by] if decided_by else [*DecidedBy, None]
    return [f"{each}:{authority}" for each in decisions for authority in authorities]
