"""What needs me?"""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Min, QuerySet

from audit.listing import counting, words
from audit.models import McpServer, Session
from connectors.canary import sender
from connectors.connections import health
from connectors.models import ApiToken, Connection, IngestToken, in_state
from portal.dashboard.lists import Lists
from portal.dashboard.parts import Item
from portal.dashboard.posture import BYPASS

LONGEST_DETAIL = 200


def items(lists: Lists, since: dt.datetime, now: dt.datetime) -> list[Item]:
    """All kinds this person may look after; those with nothing to do come last."""
    found = [
        *_connections(lists, now),
        *_endpoint(lists, now),
        *_sessions(lists, since),
        *_servers(lists, since),
        *_tokens(lists, now),
    ]
    return sorted(found, key=lambda item: item.count == "0")


def failing(lists: Lists, now: dt.datetime) -> list[Item]:
    """What the portal itself cannot do: told even before the first event."""
    return [item for item in (*_connections(lists, now), *_endpoint(lists, now)) if item.count != "0"]


def _connections(lists: Lists, now: dt.datetime) -> Iterator[Item]:
    if not lists.may_open("connectors.connection"):
        return
    found = list(Connection.objects.filter(health.in_state("failing")).defer("secret").order_by("name"))
    known = [health.of(each, now) for each in found]
    told = f"{found[0]}: {next(iter(known[0].told), '')}" if found else ""
    yield Item(
        "Connections that fail",
        str(len(found)),
        lists.url("connectors.connection", state="failing"),
        told if len(told) <= LONGEST_DETAIL else f"{told[:LONGEST_DETAIL]}…",
        min(filter(None, (each.since for each in known)), default=None),
        "Its page says why, and what to do",
    )


def _sessions(lists: Lists, since: dt.datetime) -> Iterator[Item]:
    if not lists.may_open("audit.session"):
        return
    bypassing = Session.objects.filter(last_at__gte=since, modes_seen__contains=[BYPASS])
    sums = bypassing.aggregate(sessions=Count("pk"), people=Count("subject", distinct=True), oldest=Min("last_at"))
    yield Item(
        "Sessions that asked nobody",
        str(sums["sessions"]),
        lists.asking("audit.session", ("mode", BYPASS), ("after", since)),
        f"{words.counted(sums['people'], 'person', 'people')} used {BYPASS}" if sums["sessions"] else "",
        sums["oldest"],
        "See what ran, and whether a rule would have done",
    )
    yield _item(
        "Sessions in which a person refused",
        Session.objects.filter(last_at__gte=since, decisions_seen__overlap=["reject:person"]),
        lists.asking("audit.session", ("decision", "reject"), ("decided_by", "person"), ("after", since)),
        "last_at",
        "What people keep refusing may want a rule",
    )


def _servers(lists: Lists, since: dt.datetime) -> Iterator[Item]:
    if not lists.may_open("audit.mcpserver"):
        return
    yield _item(
        "MCP servers in use that have failed to connect",
        McpServer.objects.filter(failures__gt=0, last_at__gte=since),
        lists.url("audit.mcpserver", failures__gt=0, last_at__gte=since),
        "first_at",
        "Misconfigured, or gone",
    )
    yield _item(
        "MCP servers first seen",
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


def _endpoint(lists: Lists, now: dt.datetime) -> Iterator[Item]:
    """What the portal sends itself and does not get, or no longer sends."""
    if not lists.may_open("connectors.canaryrun"):
        return
    standing = sender.standing(now)
    if standing.state == "failing":
        label, count = "Public endpoint: tests that did not arrive", words.number(standing.failed)
    elif standing.state == "silent":
        label, count = "Public endpoint: no test is sent any more", "1"
    else:
        return
    yield Item(
        label,
        count,
        lists.url("connectors.canaryrun", cause="schedule"),
        standing.reason,
        standing.failing_since or standing.at,
        "What agents send there may not arrive either",
    )


def _item(label: str, rows: QuerySet, url: str, oldest: str, advice: str) -> Item:
    count = counting.capped(rows)
    first = rows.aggregate(at=Min(oldest))["at"] if count.number else None
    return Item(label, count.short, url, oldest=first, advice=advice)
