"""User-days as they are believed, added up by what is asked for."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from connectors.usage import naming
from connectors.usage.believing import COUNTS, PEOPLE, Question, query

DIMENSIONS = ("team", "who", "model", "agent")
"""What everything is added up by, besides the day."""

_PAIRED = "cost_reported IS NOT NULL AND cost_computed IS NOT NULL"
SUMS = f"""
    {", ".join(f"sum({name})::bigint" for name in COUNTS)}, sum(cost_reported), sum(cost_computed),
    sum(cost_reported) FILTER (WHERE {_PAIRED}), sum(cost_computed) FILTER (WHERE {_PAIRED}),
    {PEOPLE}
"""
"""The columns of a query over `believed` that `sums_of` reads."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What some user-days come to. Costs are None where nobody states one, or no price is known.

    `paired_*`: of the rows that have both, so that they may be compared.
    """

    counts: Mapping[str, int]
    cost_reported: Decimal | None = None
    cost_computed: Decimal | None = None
    paired_reported: Decimal | None = None
    paired_computed: Decimal | None = None
    people: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.counts["output_tokens"]

    @property
    def prompt_tokens(self) -> int:
        return sum(self.counts[name] for name in ("input_tokens", "cache_read_tokens", "cache_creation_tokens"))

    @property
    def cost(self) -> Decimal | None:
        """What is reported; what was computed where nothing is."""
        return self.cost_computed if self.cost_reported is None else self.cost_reported


def sums_of(values: Sequence[Any]) -> Sums:
    counts = {name: int(value or 0) for name, value in zip(COUNTS, values, strict=False)}
    *costs, people = values[len(COUNTS) :]
    reported, computed, paired_reported, paired_computed = (None if cost is None else Decimal(cost) for cost in costs)
    return Sums(counts, reported, computed, paired_reported, paired_computed, people)


NOTHING = Sums(dict.fromkeys(COUNTS, 0))


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody works with agents: over the whole time, and on how many days."""

    sessions: int
    commits: int
    active_days: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Tokens of a model that no price is known for on those days."""

    model: str
    agent: str
    tokens: int
    first_day: dt.date
    last_day: dt.date


@dataclass(frozen=True, slots=True)
class FeedSums:
    """What one feed says of the user-days that two or more feeds speak of, and how much of it is left out."""

    connection: str
    endpoint: str
    user_days: int
    sessions: int
    tokens: int
    cost: Decimal
    sessions_left_out: int
    tokens_left_out: int
    cost_left_out: Decimal


@dataclass(frozen=True, slots=True)
class Overlap:
    """People and user-days that more than one feed speaks of."""

    people: int = 0
    user_days: int = 0
    feeds: Sequence[FeedSums] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """All of it, and by each dimension; accepts and rejects by tool.

    `halves`: by team the days on which somebody was active, in the first and in the second half of the time (an odd
    day in the middle belongs to neither). `habits`: by person.
    """

    total: Sums = NOTHING
    by: Mapping[str, Mapping[Any, Sums]] = field(default_factory=lambda: {name: {} for name in ("day", *DIMENSIONS)})
    tools: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    halves: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    habits: Mapping[str, Habits] = field(default_factory=dict)
    unpriced: Sequence[Unpriced] = ()
    overlap: Overlap = Overlap()


_TOKENS = "input_tokens + output_tokens + cache_read_tokens + cache_creation_tokens"
_MONEY = ("cost_reported", "cost_computed", "paired_reported", "paired_computed")
_PARTS = f"""
    , cube AS (
        SELECT day, team, who, model, agent, {", ".join(f"sum({name}) AS {name}" for name in COUNTS)},
            sum(cost_reported) AS cost_reported, sum(cost_computed) AS cost_computed,
            sum(cost_reported) FILTER (WHERE {_PAIRED}) AS paired_reported,
            sum(cost_computed) FILTER (WHERE {_PAIRED}) AS paired_computed
        FROM believed GROUP BY GROUPING SETS ((day), (team, who, model, agent))
    ), days AS (
        SELECT day, team, who, bool_or(sessions > 0 OR commits > 0 OR tools <> '{{}}') AS active
        FROM believed GROUP BY 1, 2, 3
    ), decisions AS (
        SELECT who, t.key AS tool, sum((t.value->>0)::bigint) AS accepted, sum((t.value->>1)::bigint) AS rejected
        FROM believed, jsonb_each(tools) AS t WHERE tools <> '{{}}' GROUP BY 1, 2
    ), doubled AS (
        SELECT DISTINCT day, who, agent, rank FROM ranked WHERE first_rank <> last_rank
    ), left_out AS (
        SELECT rank, sum(sessions) AS sessions, sum({_TOKENS}) AS tokens, sum(cost_reported) AS cost,
            sum(sessions) FILTER (WHERE rank <> activity_rank) AS sessions_left_out,
            sum({_TOKENS}) FILTER (WHERE rank <> tokens_rank) AS tokens_left_out,
            sum(cost_reported) FILTER (WHERE rank <> cost_rank) AS cost_left_out
        FROM ranked WHERE first_rank <> last_rank GROUP BY 1
    )
"""  # noqa: S608 - made of our own words
"""What several answers are made of: the rows are gone through once for each, and what comes of it is small."""
_ADDED = ", ".join((*(f"sum({name})::bigint" for name in COUNTS), *(f"sum({name})" for name in _MONEY)))
_ANSWERS = {
    "days": f"""
        SELECT day, {", ".join(f"{name}::bigint" for name in COUNTS)}, {", ".join(_MONEY)}, people
        FROM cube JOIN (SELECT day, {PEOPLE} AS people FROM days GROUP BY 1) AS each USING (day) WHERE who IS NULL
    """,  # noqa: S608
    "sums": f"""
        SELECT GROUPING({", ".join(DIMENSIONS)}), {", ".join(DIMENSIONS)}, {_ADDED}, {PEOPLE}
        FROM cube WHERE who IS NOT NULL
        GROUP BY GROUPING SETS ((), {", ".join(f"({name})" for name in DIMENSIONS)})
    """,  # noqa: S608
    "tools": "SELECT tool, sum(accepted)::bigint, sum(rejected)::bigint FROM decisions GROUP BY 1",
    "halves": """
        SELECT team, count(*) FILTER (WHERE day < %(first_end)s), count(*) FILTER (WHERE day >= %(second_start)s)
        FROM days GROUP BY 1
    """,
    "habits": """
        SELECT who, sessions::bigint, commits::bigint, active_days,
            coalesce(accepted, 0)::bigint, coalesce(rejected, 0)::bigint
        FROM (
            SELECT who, count(*) AS active_days FROM days WHERE active AND who NOT IN (SELECT who FROM keys) GROUP BY 1
        ) AS active
            JOIN (SELECT who, sum(sessions) AS sessions, sum(commits) AS commits FROM cube GROUP BY 1) AS d USING (who)
            LEFT JOIN (SELECT who, sum(accepted) AS accepted, sum(rejected) AS rejected FROM decisions GROUP BY 1)
                AS decided USING (who)
    """,
    "unpriced": f"""
        SELECT model, agent, sum({_TOKENS})::bigint AS tokens, min(day), max(day)
        FROM believed WHERE cost_computed IS NULL AND {_TOKENS} > 0 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 50
    """,  # noqa: S608
    "overlap": """
        SELECT coalesce(connection_id::text, ''), coalesce(endpoint, ''), sum(user_days)::bigint,
            sum(sessions)::bigint, sum(tokens)::bigint, coalesce(sum(cost), 0)::text,
            coalesce(sum(sessions_left_out), 0)::bigint, coalesce(sum(tokens_left_out), 0)::bigint,
            coalesce(sum(cost_left_out), 0)::text
        FROM left_out JOIN (SELECT rank, count(*) AS user_days FROM doubled GROUP BY 1) AS counted USING (rank)
            LEFT JOIN places ON place = rank %% 1000000 GROUP BY connection_id, endpoint
    """,
    "shared": "SELECT count(DISTINCT who), count(*) FROM (SELECT DISTINCT day, who, agent FROM doubled) AS each",
}
"""Each as rows of JSON, so that all can be asked in one statement: what is believed is then found out once."""
_STATEMENT = " UNION ALL ".join(
    f"SELECT '{name}', (SELECT json_agg(row_to_json(r)) FROM ({answer}) AS r)::text"  # noqa: S608
    for name, answer in _ANSWERS.items()
)


def summary(question: Question) -> Summary:
    """Everything that the page tells."""
    start, values = query(question, detailed=False)
    half = question.days // 2
    values |= {
        "first_end": question.first_day + dt.timedelta(days=half),
        "second_start": question.last_day - dt.timedelta(days=max(half - 1, 0)),
    }
    with connection.cursor() as cursor:
        cursor.execute(f"{start} {_PARTS} {_STATEMENT}", values)
        found = {name: _rows(text) for name, text in cursor}
    total, by = _dimensions(found["sums"])
    by["day"] = {_day(day): sums_of(sums) for day, *sums in found["days"]}
    ((people, user_days),) = found["shared"]
    overlapping = sorted(map(_feed, found["overlap"]), key=lambda feed: (feed.connection, feed.endpoint))
    return Summary(
        total,
        by,
        {name: (accepted, rejected) for name, accepted, rejected in sorted(found["tools"])},
        {team: (first, second) for team, first, second in found["halves"]},
        {naming.spelled(who): Habits(*rest) for who, *rest in found["habits"]},
        [
            Unpriced(model, agent, tokens, _day(first), _day(last))
            for model, agent, tokens, first, last in found["unpriced"]
        ],
        Overlap(people, user_days, overlapping),
    )


def _rows(text: str | None) -> list[list[Any]]:
    """Each row's values in the order of its columns; columns without a name of their own share one."""
    pairs = json.loads(text or "[]", parse_float=Decimal, object_pairs_hook=list)
    return [[value for _, value in row] for row in pairs]


def _dimensions(rows: Sequence[Sequence[Any]]) -> tuple[Sums, dict[str, Mapping[Any, Sums]]]:
    by: dict[str, dict[Any, Sums]] = {name: {} for name in DIMENSIONS}
    total = NOTHING
    for grouping, *rest in rows:
        names, sums = rest[: len(DIMENSIONS)], sums_of(rest[len(DIMENSIONS) :])
        present = [at for at in range(len(DIMENSIONS)) if not grouping >> (len(DIMENSIONS) - 1 - at) & 1]
        if present:
            name, value = DIMENSIONS[present[0]], names[present[0]]
            by[name][naming.spelled(value) if name == "who" else value] = sums
        else:
            total = sums
    return total, dict(by)


def _feed(row: Sequence[Any]) -> FeedSums:
    connection_id, endpoint, user_days, sessions, tokens, cost, sessions_left_out, tokens_left_out, cost_left_out = row
    return FeedSums(
        connection_id,
        endpoint,
        user_days,
        sessions,
        tokens,
        Decimal(cost),
        sessions_left_out,
        tokens_left_out,
        Decimal(cost_left_out),
    )


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
