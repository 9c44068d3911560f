"""The same precedence in SQL: a query's beginning, in which each row has only what is believed of it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from connectors.usage import naming
from connectors.usage.precedence import GROUPS, Feed
from connectors.vendors.registry import VENDORS

COUNTS = (
    "sessions", "prompts", "lines_added", "lines_removed", "commits", "pull_requests", "requests", "input_tokens",
    "output_tokens", "cache_read_tokens", "cache_creation_tokens",
)  # fmt: skip
COSTS = ("cost_reported", "cost_computed")
NO_TEAM = "-"
"""What a filter calls user-days without a team."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which user-days: days inclusive, UTC. "" and None narrow nothing.

    person      as `who` spells one: `person-7`, `identity-12`
    feed        only what this feed says, believed or not
    """

    first_day: dt.date
    last_day: dt.date
    team: str = ""
    person: str = ""
    agent: str = ""
    model: str = ""
    feed: Feed | None = field(default=None)

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1


_SAYS = {
    "activity": "sessions <> 0 OR lines_added <> 0 OR lines_removed <> 0 OR commits <> 0 OR pull_requests <> 0"
    " OR tools <> '{}'",
    "prompts": "prompts <> 0",
    "requests": "requests <> 0",
    "tokens": "input_tokens <> 0 OR output_tokens <> 0 OR cache_read_tokens <> 0 OR cache_creation_tokens <> 0",
    "cost": "cost_reported IS NOT NULL",
}
_GROUP_OF = {column: group for group, columns in GROUPS.items() for column in columns}

WHO = "CASE WHEN who > 0 THEN 'person-' || who ELSE 'identity-' || -who END"
"""`who` of a row as it is spelled outside: inside it is a person's number, or an identity's with a minus."""

_PLACED = """
    SELECT m.person_id, t.name, t.cost_center, coalesce(m.first_day, '-infinity') AS first_day,
        coalesce(m.last_day, 'infinity') AS last_day
    FROM connectors_membership m JOIN connectors_team t ON t.id = m.team_id
    WHERE NOT EXISTS (
        SELECT FROM connectors_membership o
        WHERE o.person_id = m.person_id AND o.id < m.id
            AND daterange(o.first_day, o.last_day, '[]') && daterange(m.first_day, m.last_day, '[]')
    )
"""
"""Where people are mapped to: one team a day, or a user-day would be counted once for each."""

_FEEDS = """
    (
        SELECT connection_id, endpoint FROM connectors_usageday WHERE connection_id IS NOT NULL
        ORDER BY connection_id, endpoint LIMIT 1
    )
    UNION ALL
    SELECT further.* FROM feeds CROSS JOIN LATERAL (
        SELECT u.connection_id, u.endpoint FROM connectors_usageday u
        WHERE (u.connection_id, u.endpoint) > (feeds.connection_id, feeds.endpoint)
        ORDER BY u.connection_id, u.endpoint LIMIT 1
    ) AS further
"""
"""Every feed of vendors', each found by one step in an index (connectors_usageday_feed) from the one before."""

_SETTLED = """
    SELECT DISTINCT pull.connection_id, pull.endpoint, pull.day
    FROM connectors_pull pull JOIN connectors_connection c ON c.id = pull.connection_id
        LEFT JOIN unnest(%(vendors)s::text[], %(endpoints)s::text[], %(settled_after)s::interval[])
            AS known (vendor, endpoint, settled_after) ON known.vendor = c.vendor AND known.endpoint = pull.endpoint
    WHERE pull.state = 'done' AND pull.day BETWEEN %(first_day)s AND %(last_day)s
        AND pull.finished_at - coalesce(known.settled_after, '0') >= (pull.day + 1)::timestamp AT TIME ZONE 'UTC'
"""
_PLACES = """
    SELECT connection_id, endpoint,
        row_number() OVER (ORDER BY endpoint COLLATE "C", connection_id::text COLLATE "C") AS place
    FROM feeds
"""
_PLACES_BY_DAY = """
    SELECT f.connection_id, f.endpoint, d.day, CASE WHEN s.day IS NULL THEN 2 ELSE 0 END * 1000000 + f.place AS rank
    FROM places f CROSS JOIN (SELECT %(first_day)s::date + n AS day FROM generate_series(0, %(days)s - 1) AS n) AS d
        LEFT JOIN settled s ON s.connection_id = f.connection_id AND s.endpoint = f.endpoint AND s.day = d.day
"""
_SAID = """
    SELECT u.*, i.who, m.name AS mapped_team, m.cost_center AS mapped_cost_center,
        CASE WHEN u.connection_id IS NULL THEN 1000000 ELSE r.rank END AS rank
    FROM connectors_usageday u JOIN whose i ON i.identity_id = u.identity_id
        LEFT JOIN placed m ON m.person_id = i.who AND u.day BETWEEN m.first_day AND m.last_day
        LEFT JOIN ranks r ON r.connection_id = u.connection_id AND r.endpoint = u.endpoint AND r.day = u.day
    WHERE u.day BETWEEN %(first_day)s AND %(last_day)s
"""
_WHOSE = """
    SELECT i.id AS identity_id, coalesce(p.merged_into_id, p.id, -i.id) AS who
    FROM connectors_identity i LEFT JOIN connectors_person p ON p.id = i.person_id
"""
_KEYS = "SELECT -id AS who FROM connectors_identity WHERE kind = 'api_key' AND person_id IS NULL"
PEOPLE = "count(DISTINCT who) FILTER (WHERE who NOT IN (SELECT who FROM keys))"
"""How many people there are among `who`: an API key that is nobody's is none, though it used what it used."""
_RANKS = ", ".join(f"min(rank) FILTER (WHERE {says}) OVER w AS {group}_rank" for group, says in _SAYS.items())
_RANKED = f"""
    SELECT day, who, agent, model, rank, {", ".join(COUNTS)}, {", ".join(COSTS)}, tools,
        {_RANKS}, min(rank) OVER w AS first_rank, max(rank) OVER w AS last_rank,
        coalesce(mapped_team, max(nullif(team, '')) OVER d, '') AS team
        %s
    FROM said WINDOW d AS (PARTITION BY day, who), w AS (PARTITION BY day, who, agent)
"""  # noqa: S608 - made of our own words
_DETAILS = """,
    connection_id, endpoint,
    coalesce(nullif(mapped_cost_center, ''), max(nullif(cost_center, '')) OVER d, '') AS cost_center
"""
_BELIEVED = f"""
    SELECT day, who, agent, model, team,
        {", ".join(f"CASE WHEN rank = {_GROUP_OF[name]}_rank THEN {name} ELSE 0 END AS {name}" for name in COUNTS)},
        {", ".join(f"CASE WHEN rank = {_GROUP_OF[name]}_rank THEN {name} END AS {name}" for name in COSTS)},
        CASE WHEN rank = activity_rank THEN tools ELSE '{{}}' END AS tools
        %s
    FROM ranked WHERE rank IN ({", ".join(f"{group}_rank" for group in GROUPS)})
"""  # noqa: S608


_ONCE = frozenset({"keys", "ranks", "whose"})
"""Small parts that are put together before the rows are gone through, so that each row is looked up once in each."""


def query(question: Question, *, detailed: bool) -> tuple[str, dict[str, Any]]:
    """The beginning of a query, `WITH … believed AS (…)`, and its parameters.

    `believed` has a row for each row of a feed that is believed in anything; in it stands what is, and 0 or NULL where
    another feed is. Team, model: asked of what is believed; person, agent, feed: of what is looked at at all.

    `ranked`, before it, has every row with the ranks that are believed of its user-day; `places` tells which feed a
    rank is of. What each column more costs is paid for every row: feeds by name and cost centres are `detailed`.
    """
    known = [(slug, each) for slug, vendor in VENDORS.items() for each in vendor.endpoints]
    values: dict[str, Any] = {
        "first_day": question.first_day,
        "last_day": question.last_day,
        "days": question.days,
        "vendors": [slug for slug, _ in known],
        "endpoints": [each.name for _, each in known],
        "settled_after": [each.settled_after for _, each in known],
    }
    said, asked = _SAID, []
    if question.agent:
        said += " AND u.agent = %(agent)s"
        values["agent"] = question.agent
    if question.person:
        said += " AND i.who = %(person)s"
        values["person"] = naming.number(question.person)
    if question.feed is not None:
        said += " AND coalesce(u.connection_id::text, '') = %(connection)s AND u.endpoint = %(endpoint)s"
        values |= {"connection": question.feed.connection, "endpoint": question.feed.endpoint}
    if question.team:
        asked.append("team = %(team)s")
        values["team"] = "" if question.team == NO_TEAM else question.team
    if question.model:
        asked.append("model = %(model)s")
        values["model"] = question.model
    parts = {
        "keys": _KEYS,
        "feeds": _FEEDS,
        "places": _PLACES,
        "settled": _SETTLED,
        "ranks": _PLACES_BY_DAY,
        "whose": _WHOSE,
        "placed": _PLACED,
        "said": said,
        "ranked": _RANKED % (_DETAILS if detailed else ""),
    }
    believed = _BELIEVED % (", connection_id, endpoint, cost_center" if detailed else "") + "".join(
        f" AND {each}" for each in asked
    )
    told = ", ".join(f"{name} AS {'MATERIALIZED ' if name in _ONCE else ''}({part})" for name, part in parts.items())
    return f"WITH RECURSIVE {told}, believed AS NOT MATERIALIZED ({believed})", values
