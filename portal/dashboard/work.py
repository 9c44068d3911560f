"""What needs me?"""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Min, QuerySet

from audit.listing import counting
from audit.models import McpServer, Session
from connectors.models import ApiToken, IngestToken, in_state
from portal.dashboard.lists import Lists
from portal.dashboard.parts import Item
from portal.dashboard.posture import BYPASS

WEEK = dt.timedelta(days=7)


def items(lists: Lists, since: dt.datetime, now: dt.datetime) -> list[Item]:
    """All kinds this person may look after; those with nothing to do come last."""
    found = [*_sessions(lists, since, now), *_servers(lists, now), *_tokens(lists, now)]
    return sorted(found, key=lambda item: item.count == "0")


def _sessions(lists: Lists, since: dt.datetime, now: dt.datetime) -> Iterator[Item]:
    if not lists.may_open("audit.session"):
        return
    bypassing = Session.objects.filter(last_at__gte=since, modes_seen__contains=[BYPASS])
    sums = bypassing.aggregate(sessions=Count("pk"), people=Count("subject", distinct=True), oldest=Min("last_at"))
    yield Item(
        "Sessions that asked nobody",
        str(sums["sessions"]),
        lists.asking("audit.session", ("mode", BYPASS), ("after", since)),
        f"{sums['people']} {'person' if sums['people'] == 1 else 'people'} used {BYPASS}" if sums["sessions"] else "",
        sums["oldest"],
        "See what ran, and whether a rule would have done",
    )
    yield _item(
        "Sessions this week in which a person refused",
        Session.objects.filter(last_at__gte=now - WEEK, decisions_seen__overlap=["reject:person"]),
        lists.asking("audit.session", ("decision", "reject"), ("decided_by", "person"), ("after", now - WEEK)),
        "last_at",
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
    for model, name, label in (
        (IngestToken, "connectors.ingesttoken", "Ingestion tokens that expire soon"),
        (ApiToken, "connectors.apitoken", "API tokens that expire soon"),
    ):
        if lists.may_open(name):
            soon = model.objects.filter(in_state("expiring", now))
            yield _item(label, soon, lists.url(name, state="expiring"), "expires_at", "Rotate with an overlap")


def _item(label: str, rows: QuerySet, url: str, oldest: str, advice: str) -> Item:
    count = counting.capped(rows)
    first = rows.aggregate(at=Min(oldest))["at"] if count.number else None
    return Item(label, count.short, url, oldest=first, advice=advice)
