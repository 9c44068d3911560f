"""Posture: who let the agents do what they did.

Decisions are counted by the day their session began: sessions carry the sums, so that 14 days of half a million
decisions are read from ten thousand rows.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from audit import identifiers
from audit.listing import words
from audit.listing.charts import Chart, Column, Series
from audit.models import Session, ToolUse
from audit.vocabulary import DecidedBy
from portal.dashboard.lists import Lists
from portal.dashboard.parts import Tile, per_cent

DAY = dt.timedelta(days=1)
NONE = "none"
BYPASS = "bypassPermissions"
BY_DAY = """
SELECT (s.first_at AT TIME ZONE 'UTC')::date, decided.key, sum(decided.value::bigint)
FROM audit_session s, jsonb_each_text(s.decisions) decided WHERE s.first_at >= %s GROUP BY 1, 2
UNION ALL
SELECT (first_at AT TIME ZONE 'UTC')::date, 'none', sum(tool_uses) FROM audit_session WHERE first_at >= %s GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One colour of the chart: which of `decision:decided_by` it adds up, and how its rows are found."""

    label: str
    fill: str
    keys: tuple[str, ...]
    lookups: dict[str, Any]


KINDS = (
    Kind("By policy", "policy", ("accept:policy",), {"decision": "accept", "decided_by": "policy"}),
    Kind(
        "By reviewer model, or nobody asked",
        "quiet",
        ("accept:reviewer_model", "accept:nobody"),
        {"decision": "accept", "decided_by__in": "reviewer_model,nobody"},
    ),
    Kind("By hook", "hook", ("accept:hook",), {"decision": "accept", "decided_by": "hook"}),
    Kind("By person", "person", ("accept:person",), {"decision": "accept", "decided_by": "person"}),
    Kind("Rejected", "rejected", ("reject:*",), {"decision": "reject"}),
    Kind("Cancelled", "cancelled", ("cancel:*",), {"decision": "cancel"}),
    Kind("Not known by whom", "unknown", ("accept:unknown",), {"decision": "accept", "decided_by": "unknown"}),
    Kind("No decision recorded", "none", (NONE,), {"decision__isnull": True}),
)


@dataclass(frozen=True, slots=True)
class Posture:
    chart: Chart
    total: str
    url: str
    tiles: list[Tile]
    rejected: list[tuple[str, str, str, str]]


def picture(lists: Lists, since: dt.datetime, now: dt.datetime) -> Posture | None:
    if not lists.may_open("audit.tooluse"):
        return None
    days = [since + DAY * place for place in range((now - since).days + 1)]
    counts = _counts(since)
    totals = [sum(counts[day.date(), kind.label] for day in days) for kind in KINDS]
    kinds = [kind for kind, total in zip(KINDS, totals, strict=True) if total] or list(KINDS[:1])
    columns = [_column(lists, day, kinds, counts) for day in days]
    total = sum(totals)
    summary = "; ".join(f"{kind.label} {words.number(n)}" for kind, n in zip(KINDS, totals, strict=True) if n)
    chart = Chart(
        "Decisions by authority",
        f"Decisions a day over {len(days)} days: {summary or 'none'}",
        [Series(kind.label, kind.fill) for kind in kinds],
        columns,
    )
    url = lists.url("audit.tooluse", session__first_at__gte=since)
    by_label = dict(zip((kind.label for kind in KINDS), totals, strict=True))
    tiles = [*_tiles(lists, since, by_label), _asked_nobody(lists, since)]
    return Posture(chart, words.number(total), url, tiles, _rejected(lists, now))


def _counts(since: dt.datetime) -> Counter[tuple[dt.date, str]]:
    """By (day, kind). What has no decision is what remains of a day's tool uses."""
    found: Counter[tuple[dt.date, str]] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, [since, since])
        for day, key, number in cursor.fetchall():
            found[day, _kind(key).label] += int(number)
            if key != NONE:
                found[day, KINDS[-1].label] -= int(number)
    return found


def _kind(key: str) -> Kind:
    decision = key.partition(":")[0]
    for kind in KINDS:
        if key in kind.keys or f"{decision}:*" in kind.keys:
            return kind
    return next(kind for kind in KINDS if kind.fill == "unknown")


def _column(lists: Lists, day: dt.datetime, kinds: list[Kind], counts: Counter[tuple[dt.date, str]]) -> Column:
    within = {"session__first_at__gte": day, "session__first_at__lt": day + DAY}
    return Column(
        f"{day.day} {day:%b}" if day.day == 1 else str(day.day),
        f"{day.day} {day:%b}",
        [max(counts[day.date(), kind.label], 0) for kind in kinds],
        [lists.url("audit.tooluse", **within, **kind.lookups) for kind in kinds],
    )


def _tiles(lists: Lists, since: dt.datetime, totals: dict[str, int]) -> list[Tile]:
    accepted = sum(totals[kind.label] for kind in KINDS if kind.lookups.get("decision") == "accept")
    all_told = sum(totals.values())
    window = {"session__first_at__gte": since}
    return [
        Tile(
            "Human oversight",
            "Of what was accepted, the share a person accepted",
            per_cent(totals["By person"], accepted),
            "%" if accepted else "",
            lists.url("audit.tooluse", decision="accept", decided_by="person", **window),
            "of accepted tool uses" if accepted else "not enough data",
        ),
        Tile(
            "Rejected",
            "Of all tool uses, the share that anyone or anything refused",
            per_cent(totals["Rejected"], all_told),
            "%" if all_told else "",
            lists.url("audit.tooluse", decision="reject", **window),
            f"{words.number(totals['Rejected'])} tool uses",
        ),
        Tile(
            "Without a decision",
            "Tool uses of which no decision was recorded: neither allowed nor denied",
            words.number(totals["No decision recorded"]),
            "",
            lists.url("audit.tooluse", decision__isnull=True, **window),
            "clients that say too little, or records lost",
        ),
    ]


def _asked_nobody(lists: Lists, since: dt.datetime) -> Tile:
    sums = Session.objects.filter(first_at__gte=since).aggregate(
        sessions=Count("pk"), bypassing=Count("pk", filter=Q(modes_seen__contains=[BYPASS]))
    )
    return Tile(
        "Asked nobody",
        f"Sessions in which something ran under {BYPASS}",
        per_cent(sums["bypassing"], sums["sessions"]),
        "%" if sums["sessions"] else "",
        lists.url("audit.session", modes_seen__contains=BYPASS, first_at__gte=since),
        f"{words.number(sums['bypassing'])} sessions",
    )


def _rejected(lists: Lists, now: dt.datetime) -> list[tuple[str, str, str, str]]:
    """(tool, number, share of all rejections, link) of what arrived in the last day, most first.

    By position, that is by receive time, as this is what the index over decisions is sorted by.
    """
    window = {"decision": "reject", "position__gte": identifiers.lower_bound(now - DAY)}
    uses = ToolUse.objects.filter(decided_by__in=list(DecidedBy), **window)
    rows = list(uses.values_list("tool_name").annotate(number=Count("pk")).order_by("-number", "tool_name"))
    total = sum(number for _, number in rows)
    return [
        (
            tool or "not named",
            words.number(number),
            f"{per_cent(number, total)} %",
            lists.url("audit.tooluse", **window, **_named(tool)),
        )
        for tool, number in rows[:5]
    ]


def _named(tool: str | None) -> dict[str, Any]:
    return {"tool_name": tool} if tool else {"tool_name__isnull": True}
