"""Posture: who let the agents do what they did."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q

from audit.listing import words
from audit.listing.charts import Chart, Column, Series
from audit.listing.tiles import Tile
from audit.models import Session, ToolUse
from portal.dashboard.lists import Lists
from portal.dashboard.parts import per_cent

DAY = dt.timedelta(days=1)
BYPASS = "bypassPermissions"
BY_DAY = """
SELECT (at AT TIME ZONE 'UTC')::date, decision, decided_by, count(*)
FROM audit_tooluse WHERE decisions > 0 AND at >= %s GROUP BY 1, 2, 3
"""
DECISIONS = "audit.tooluse"

Terms = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One colour of the chart: the terms by which its decisions are found. No authority means any."""

    label: str
    fill: str
    decision: str
    decided_by: str = ""

    def covers(self, decision: str, decided_by: str) -> bool:
        return decision == self.decision and self.decided_by in ("", decided_by)

    @property
    def terms(self) -> Terms:
        found = (("decision", self.decision), ("decided_by", self.decided_by))
        return tuple(term for term in found if term[1])


BY_PERSON = Kind("Accepted by person", "person", "accept", "person")
UNKNOWN = Kind("Accepted, not known by whom", "unknown", "accept", "unknown")
REJECTED = Kind("Rejected", "rejected", "reject")
KINDS = (
    Kind("Accepted by policy", "policy", "accept", "policy"),
    Kind("Accepted by reviewer model", "quiet", "accept", "reviewer_model"),
    Kind("Accepted, nobody asked", "dontask", "accept", "nobody"),
    Kind("Accepted by hook", "hook", "accept", "hook"),
    BY_PERSON,
    REJECTED,
    Kind("Cancelled", "cancelled", "cancel"),
    UNKNOWN,
)

Counts = Counter[tuple[dt.date, Kind]]


@dataclass(frozen=True, slots=True)
class Posture:
    chart: Chart
    total: str
    url: str
    tiles: list[Tile]
    rejected: list[tuple[str, str, str, str]]


def picture(lists: Lists, since: dt.datetime, now: dt.datetime) -> Posture | None:
    if not lists.may_open(DECISIONS):
        return None
    counts = _counts(since)
    totals = Counter[Kind]()
    for (_, kind), number in counts.items():
        totals[kind] += number
    tiles = [*_tiles(lists, since, totals), _asked_nobody(lists, since)]
    url = lists.asking(DECISIONS, ("after", since))
    return Posture(
        _chart(lists, since, now, counts, totals),
        words.counted(totals.total(), "decision"),
        url,
        tiles,
        _rejected(lists, since),
    )


def _counts(since: dt.datetime) -> Counts:
    found: Counts = Counter()
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, [since])
        for day, decision, decided_by, number in cursor.fetchall():
            kind = next((kind for kind in KINDS if kind.covers(decision, decided_by)), UNKNOWN)
            found[day, kind] += number
    return found


def _chart(lists: Lists, since: dt.datetime, now: dt.datetime, counts: Counts, totals: Counter[Kind]) -> Chart:
    days = [since + DAY * place for place in range((now - since).days + 1)]
    kinds = [kind for kind in KINDS if totals[kind]] or list(KINDS[:1])
    summary = "; ".join(f"{kind.label} {words.number(totals[kind])}" for kind in kinds)
    return Chart(
        "Decisions by authority",
        f"Decisions a day over {len(days)} days: {summary}",
        [Series(kind.label, kind.fill) for kind in kinds],
        [_column(lists, day, kinds, counts) for day in days],
    )


def _column(lists: Lists, day: dt.datetime, kinds: list[Kind], counts: Counts) -> Column:
    within = (("after", day), ("before", day + DAY))
    return Column(
        f"{day.day} {day:%b}" if day.day == 1 else str(day.day),
        f"{day.day} {day:%b}",
        [counts[day.date(), kind] for kind in kinds],
        [lists.asking(DECISIONS, *kind.terms, *within) for kind in kinds],
    )


def _tiles(lists: Lists, since: dt.datetime, totals: Counter[Kind]) -> list[Tile]:
    accepted = sum(number for kind, number in totals.items() if kind.decision == "accept")

    def url(kind: Kind) -> str:
        return lists.asking(DECISIONS, *kind.terms, ("after", since))

    return [
        Tile(
            "Human oversight",
            "Of what was accepted, the share a person accepted",
            per_cent(totals[BY_PERSON], accepted),
            "%" if accepted else "",
            url(BY_PERSON),
            "of what was accepted" if accepted else "not enough data",
        ),
        Tile(
            "Rejected",
            "Of all decisions, the share that anyone or anything refused",
            per_cent(totals[REJECTED], totals.total()),
            "%" if totals else "",
            url(REJECTED),
            words.counted(totals[REJECTED], "tool use"),
        ),
        Tile(
            "Not known by whom",
            "Accepted, but the client does not say by whom",
            words.number(totals[UNKNOWN]),
            "",
            url(UNKNOWN),
            "clients that say too little",
        ),
    ]


def _asked_nobody(lists: Lists, since: dt.datetime) -> Tile:
    sums = Session.objects.filter(last_at__gte=since).aggregate(
        sessions=Count("pk"), bypassing=Count("pk", filter=Q(modes_seen__contains=[BYPASS]))
    )
    return Tile(
        "Asked nobody",
        f"Sessions in which something ran under {BYPASS}",
        per_cent(sums["bypassing"], sums["sessions"]),
        "%" if sums["sessions"] else "",
        lists.asking("audit.session", ("mode", BYPASS), ("after", since)),
        words.counted(sums["bypassing"], "session"),
    )


def _rejected(lists: Lists, since: dt.datetime) -> list[tuple[str, str, str, str]]:
    """(tool, number, share of all rejections, link), most first: the same decisions that the chart calls rejected."""
    uses = ToolUse.objects.filter(decision="reject", at__gte=since, decisions__gt=0)
    rows = list(uses.values_list("tool_name").annotate(number=Count("pk")).order_by("-number", "tool_name"))
    total = sum(number for _, number in rows)
    return [
        (
            tool or "not named",
            words.number(number),
            f"{per_cent(number, total)} %",
            lists.asking(DECISIONS, ("decision", "reject"), ("tool", tool), ("after", since)) if tool else "",
        )
        for tool, number in rows[:5]
    ]
