"""Events and points into tallies and levels: each counted once, however late it comes and however often this runs.

Events are read in the order of their numbers in the ledger, which is the order of visibility: nothing below a number
that was read is ever missed. Points have no numbers; they are read by the time they were received, reaching OVERLAP
back each time, and the ids counted within the overlap are remembered. Progress moves in the transaction that counts.

What a client says of numbers is bounded: no single record can overflow a sum.
"""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from audit import identifiers, parts
from connectors.models import Counted, CountedPoint
from connectors.usage import measures
from connectors.usage.prices import BANDS

ADVISORY_LOCK = 0x6167705F75736167  # "agp_usag"
EVENTS_AT_ONCE = 20_000
POINTS_AT_ONCE = 20_000
OVERLAP = dt.timedelta(hours=1)
"""Longer than any transaction of a receiver can stay open."""

MOST_TOKENS, MOST_DOLLARS, MOST = 10**9, 10**4, 10**9
"""More than these in one record is not counted."""

_DIMENSIONS = "day, source_id, agent, subject_id, origin_id, session, basis, model, tool, fast, above"
_SUMS = (
    "records", "prompts", "requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens",
    "cost", "costs", "sessions", "interfaces", "lines_added", "lines_removed", "commits", "pull_requests", "accepted",
    "rejected",
)  # fmt: skip
_ADDED = f"""
    ON CONFLICT ({_DIMENSIONS}) DO UPDATE SET {", ".join(f"{name} = t.{name} + excluded.{name}" for name in _SUMS)}
    RETURNING day, source_id
"""
_RECEIVED = "to_timestamp(('x' || left(replace(e.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)"


def _tokens(column: str) -> str:
    return f"CASE WHEN {column} BETWEEN 0 AND {MOST_TOKENS} THEN {column} ELSE 0 END"


_BANDS = " ".join(f"WHEN is_request AND prompt_length > {band} THEN {band}" for band in reversed(BANDS))
_EDITS = "kind = 'tool_decision' AND tool_name = ANY(%(edit_tools)s)"
_EVENTS = f"""
    WITH e AS (
        SELECT (CASE WHEN e.occurred_at IS NULL OR e.flags @> '{{skew}}' THEN {_RECEIVED} ELSE e.occurred_at END
                AT TIME ZONE 'UTC')::date AS day,
            e.source_id, e.agent, e.subject_id, e.origin_id, e.session, e.kind, e.decision,
            e.input_tokens IS NOT NULL OR e.output_tokens IS NOT NULL AS is_request,
            left(e.model, {measures.LONGEST}) AS model, e.tool_name, e.facts,
            {_tokens("e.input_tokens")} AS input_tokens, {_tokens("e.output_tokens")} AS output_tokens,
            {_tokens("e.cache_read_tokens")} AS cache_read_tokens,
            {_tokens("e.cache_creation_tokens")} AS cache_creation_tokens,
            CASE WHEN e.cost_usd BETWEEN 0 AND {MOST_DOLLARS} THEN e.cost_usd END AS cost
        FROM audit_seal s JOIN audit_event e ON e.id = s.event_id
        WHERE s.seq >= %(first)s AND s.seq < %(end)s AND e.agent <> 'portal'
    ), priced AS (
        SELECT e.*, input_tokens + cache_read_tokens + cache_creation_tokens AS prompt_length FROM e
    )
    INSERT INTO connectors_tally AS t ({_DIMENSIONS}, {", ".join(_SUMS)})
    SELECT day, source_id, agent, subject_id, origin_id, session, 'events',
        CASE WHEN is_request THEN coalesce(model, '') ELSE '' END,
        CASE WHEN {_EDITS} THEN tool_name ELSE '' END,
        is_request AND position('["@speed","string","fast"]'::bytea IN coalesce(facts, '')) > 0,
        CASE {_BANDS} ELSE 0 END,
        count(*), count(*) FILTER (WHERE kind = 'prompt'), count(*) FILTER (WHERE is_request),
        sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_creation_tokens),
        coalesce(sum(cost) FILTER (WHERE is_request), 0), count(cost) FILTER (WHERE is_request), 0, 0, 0, 0, 0, 0,
        count(*) FILTER (WHERE {_EDITS} AND decision = 'accept'),
        count(*) FILTER (WHERE {_EDITS} AND decision = 'reject')
    FROM priced GROUP BY 1, 2, 3, 4, 5, 6, 8, 9, 10, 11
    {_ADDED}
"""  # noqa: S608 - made of our own words, as all here

_NEW_POINTS = """
    INSERT INTO connectors_countedpoint (id)
    SELECT p.id FROM audit_metric_point p
    WHERE p.id >= %(floor)s AND NOT EXISTS (SELECT FROM connectors_countedpoint c WHERE c.id = p.id)
    ORDER BY p.id LIMIT %(limit)s RETURNING id
"""
_POINTS = f"""
    SELECT (CASE WHEN e.occurred_at BETWEEN {_RECEIVED} - interval '30 days' AND {_RECEIVED} + interval '10 minutes'
                THEN e.occurred_at ELSE {_RECEIVED} END AT TIME ZONE 'UTC')::date AS day,
        e.source_id, e.agent, e.subject_id, e.origin_id, e.session, e.name, e.temporality = 'cumulative',
        CASE WHEN e.temporality = 'cumulative' THEN e.started_at END, e.attributes,
        count(*), sum(e.value::numeric), max(e.value::numeric)
    FROM audit_metric_point e
    WHERE e.id >= %(floor)s AND e.id <= %(last)s AND e.id = ANY(%(ids)s) AND e.name = ANY(%(names)s)
        AND e.value BETWEEN 0 AND {MOST}
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""  # noqa: S608
_LEVEL_COLUMNS = "series, day, source_id, agent, subject_id, origin_id, session, measure, model, tool, fast, value"
_RISEN = f"""
    INSERT INTO connectors_level AS l ({_LEVEL_COLUMNS}) VALUES ({", ".join(["%s"] * 12)})
    ON CONFLICT (series, day) DO UPDATE SET value = greatest(l.value, excluded.value)
"""  # noqa: S608
_STALE = """
    INSERT INTO connectors_staleday (day, source_id)
    SELECT day, source_id FROM unnest(%s::date[], %s::bigint[]) AS t (day, source_id) ON CONFLICT DO NOTHING
"""
_LATER_LEVELS = """
    INSERT INTO connectors_staleday (day, source_id)
    SELECT DISTINCT day, source_id FROM connectors_level WHERE series = ANY(%s) ON CONFLICT DO NOTHING
"""

Cell = tuple[dt.date, int]


def count_events() -> int:
    """Counts the next events that have a number; how many numbers that were."""
    with transaction.atomic():
        counted = progress()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT max(seq) FROM (SELECT seq FROM audit_seal WHERE seq >= %s ORDER BY seq LIMIT %s) AS s",
                [counted.next_seq, EVENTS_AT_ONCE],
            )
            (last,) = cursor.fetchone()
            if last is None:
                return 0
            values = {"first": counted.next_seq, "end": last + 1, "edit_tools": sorted(measures.EDIT_TOOLS)}
            cursor.execute(_EVENTS, values)
            mark_stale(cursor.fetchall())
        done = last + 1 - counted.next_seq
        counted.next_seq = last + 1
        counted.save(update_fields=["next_seq"])
    return int(done)


def count_points() -> int:
    """Counts the next points; how many those were."""
    with transaction.atomic():
        counted = progress()
        floor = identifiers.lower_bound(counted.points_from)
        with connection.cursor() as cursor:
            cursor.execute(_NEW_POINTS, {"floor": floor, "limit": POINTS_AT_ONCE})
            ids = [point for (point,) in cursor]
            if ids:
                values = {"floor": min(ids), "last": max(ids), "ids": ids, "names": list(measures.NAMES)}
                cursor.execute(_POINTS, values)
                _add(cursor.fetchall())
        is_rest = len(ids) < POINTS_AT_ONCE
        reached = timezone.now() if is_rest else identifiers.received_at(max(ids))
        counted.points_from = max(counted.points_from, reached - OVERLAP)
        counted.save(update_fields=["points_from"])
        CountedPoint.objects.filter(pk__lt=identifiers.lower_bound(counted.points_from)).delete()
    return len(ids)


def progress() -> Counted:
    """How far telemetry is counted, for the one who counts: others wait for the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
    return Counted.objects.get_or_create(pk=1, defaults={"points_from": identifiers.EPOCH})[0]


def mark_stale(cells: Iterable[Cell]) -> None:
    """These days, and the day after each: what a session said with events on the day before counts there, too."""
    day = dt.timedelta(days=1)
    stale = sorted({cell for each in cells for cell in (each, (min(each[0], dt.date.max - day) + day, each[1]))})
    with connection.cursor() as cursor:
        cursor.execute(_STALE, [[day for day, _ in stale], [source for _, source in stale]])


def _add(groups: Sequence[tuple[Any, ...]]) -> None:
    """Groups of points that differ in nothing but time and value."""
    tallies: dict[tuple[Any, ...], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    levels: list[tuple[Any, ...]] = []
    for *sender, name, is_cumulative, started_at, attributes, points, total, highest in groups:
        measure = measures.of(name, parts.values(parts.attributes(attributes)))
        if is_cumulative and measure.column:
            series = _series(*sender[1:], name, started_at, bytes(attributes))
            dimensions = (measure.column, measure.model, measure.tool, measure.fast)
            levels.append((series, *sender, *dimensions, highest))
        tally = tallies[(*sender, "points", measure.model, measure.tool, measure.fast, 0)]
        tally["records"] += points
        if measure.column and not is_cumulative:
            tally[measure.column] += total
            tally["costs"] += points * (measure.column == "cost")
    columns = f"{_DIMENSIONS}, {', '.join(_SUMS)}"
    with connection.cursor() as cursor:
        placeholders = ", ".join(["%s"] * (11 + len(_SUMS)))
        for dimensions, sums in sorted(tallies.items(), key=lambda item: [str(each) for each in item[0]]):
            values = [sums[name] if name == "cost" else int(sums[name].to_integral_value()) for name in _SUMS]
            cursor.execute(
                f"INSERT INTO connectors_tally AS t ({columns}) VALUES ({placeholders}) {_ADDED}",  # noqa: S608 - ours
                [*dimensions, *values],
            )
        cursor.executemany(_RISEN, _in_order(levels))
        cursor.execute(_LATER_LEVELS, [sorted({level[0] for level in levels})])
    mark_stale({(day, source) for day, source, *_ in tallies})


def _series(*parts_of_it: Any) -> str:
    digest = hashlib.sha256(repr(parts_of_it).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def _in_order(levels: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """So that two who write them cannot wait for each other."""
    return sorted(levels, key=lambda level: (level[0], level[1]))
