"""What needs me?"""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Min, QuerySet

from audit.listing import counting
from audit.models import McpServer, Session, ToolUse
from connectors.models import ApiToken, IngestToken
from portal.dashboard.lists import Lists
from portal.dashboard.parts import Item

BYPASS = "bypassPermissions"
WEEK = dt.timedelta(days=7)
EXPIRY = dt.timedelta(days=14)


def items(lists: Lists, since: dt.datetime, now: dt.datetime) -> list[Item]:
    """All kinds this person may look after; those with nothing to do come last."""
    found = [*_sessions(lists, since), *_rejections(lists, now), *_servers(lists, now), *_tokens(lists, now)]
    return sorted(found, key=lambda item: item.count == "0")


def _sessions(lists: Lists, since: dt.datetime) -> Iterator[Item]:
    if not lists.may_open("audit.session"):
        return
    bypassing = Session.objects.filter(first_at__gte=since, modes_seen__contains=[BYPASS])
    sums = bypassing.aggregate(sessions=Count("pk"), people=Count("subject", distinct=True), oldest=Min("first_at"))
    yield Item(
        "Sessions that asked nobody",
        str(sums["sessions"]),
        lists.url("audit.session", modes_seen__contains=BYPASS, first_at__gte=since),
        f"{sums['people']} {'person' if sums['people'] == 1 else 'people'} used {BYPASS}" if sums["sessions"] else "",
        sums["oldest"],
        "See what ran, and whether a rule would have done",
    )


def _rejections(lists: Lists, now: dt.datetime) -> Iterator[Item]:
    if not lists.may_open("audit.tooluse"):
        return
    since = now - WEEK
    rejected = ToolUse.objects.filter(session__first_at__gte=since, decision="reject")
    by_person = {"decision": "reject", "decided_by": "person", "session__first_at__gte": since}
    yield _item(
        "Refused by a person this week",
        rejected.filter(decided_by="person"),
        lists.url("audit.tooluse", **by_person),
        "at",
        "What people keep refusing may want a rule",
    )


def _servers(lists: Lists, now: dt.datetime) -> Iterator[Item]:
    if not lists.may_open("audit.mcpserver"):
        return
    since = now - WEEK
    yield _item(
        "MCP servers that failed to connect",
        McpServer.objects.filter(failures__gt=0, last_at__gte=since),
        lists.url("audit.mcpserver", failures__gt=0, last_at__gte=since),
        "first_at",
        "Misconfigured, or gone",
    )
    yield _item(
        "MCP servers first seen this week",
        McpServer.objects.filter(first_at__gte=since),
        lists.url("audit.mcpserver", first_at__gte=since),
        "first_at",
        "Is each one known and wanted?",
    )


def _tokens(lists: Lists, now: dt.datetime) -> Iterator[Item]:
    until = now + EXPIRY
    for model, name, label in (
        (IngestToken, "connectors.ingesttoken", "Ingestion tokens that expire within 14 days"),
        (ApiToken, "connectors.apitoken", "API tokens that expire within 14 days"),
    ):
        if lists.may_open(name):
            lookups = {"revoked_at__isnull": True, "expires_at__gt": now, "expires_at__lte": until}
            url = lists.url(name, **lookups)
            yield _item(label, model.objects.filter(**lookups), url, "expires_at", "Rotate with an overlap")


def _item(label: str, rows: QuerySet, url: str, oldest: str, advice: str) -> Item:
    count = counting.capped(rows)
    first = rows.aggregate(at=Min(oldest))["at"] if count.number else None
    return Item(label, count.words, url, oldest=first, advice=advice)
