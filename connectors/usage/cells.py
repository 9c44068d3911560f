"""One source's day, from tallies and levels to user-days.

A client that sends events and metrics says its tokens twice. Of a session that stated tokens in events, on that day or
the day before (a metric comes up to a minute after what it counts), tokens and cost are taken from events; of any other
from points. Likewise accepts and rejects, if it sent decisions. Prompts and requests come from events alone; lines,
commits and pull requests from points alone.

A session counts once on each day on which it sent something, with who sent most of it; one that is only a user
interface (`agents_view`) does not. Points without a session are judged by whoever sent them.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from connectors.models import Identity, UsageDay
from connectors.people import identities
from connectors.usage import pricing, rows
from connectors.usage.prices import Table, Tokens

Kind = Identity.Kind
MOST_TELLING = (Kind.EMAIL, Kind.ACCOUNT_ID, Kind.ACCOUNT_UUID, Kind.INSTALL)
LONGEST = 200

_COUNTS = (
    "records", "prompts", "requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens",
    "cost", "costs", "sessions", "interfaces", "lines_added", "lines_removed", "commits", "pull_requests", "accepted",
    "rejected",
)  # fmt: skip
_NAMES = "t.subject_id, k.kind, k.id, u.email, u.account_id, u.account_uuid, u.install_id"
_WHO = f"{_NAMES}, o.terminal, o.team, o.cost_center"
_SUBJECTS = """
    LEFT JOIN audit_subject u ON u.id = t.subject_id LEFT JOIN connectors_knownsubject s ON s.subject_id = t.subject_id
    LEFT JOIN connectors_identity k ON k.id = s.identity_id
"""
_JOINS = f"{_SUBJECTS} LEFT JOIN audit_origin o ON o.id = t.origin_id"
_TALLIES = f"""
    SELECT t.agent, t.session, t.basis = 'events', t.model, t.tool, t.fast, t.above, {_WHO},
        {", ".join(f"t.{name}" for name in _COUNTS)}
    FROM connectors_tally t {_JOINS} WHERE t.day = %s AND t.source_id = %s
"""  # noqa: S608 - made of our own words
_LEVELS = f"""
    SELECT t.agent, t.session, t.model, t.tool, t.fast, {_WHO}, t.measure,
        t.value - coalesce((SELECT max(value) FROM connectors_level e WHERE e.series = t.series AND e.day < t.day), 0)
    FROM connectors_level t {_JOINS} WHERE t.day = %s AND t.source_id = %s
"""  # noqa: S608
_SPOKE = f"""
    SELECT t.agent, t.session, {_NAMES}, sum(t.requests) > 0, sum(t.accepted + t.rejected) > 0
    FROM connectors_tally t {_SUBJECTS} WHERE t.day BETWEEN %s AND %s AND t.source_id = %s AND t.basis = 'events'
    GROUP BY t.agent, t.session, {_NAMES} HAVING sum(t.requests) > 0 OR sum(t.accepted + t.rejected) > 0
"""  # noqa: S608
_KNOWN = """
    INSERT INTO connectors_knownsubject (subject_id, identity_id) SELECT * FROM unnest(%s::uuid[], %s::bigint[])
    ON CONFLICT (subject_id) DO UPDATE SET identity_id = excluded.identity_id
    WHERE connectors_knownsubject.identity_id <> excluded.identity_id
"""
_IDENTITY = "\0"
"""Before the number of an identity whose name is erased: no name begins so."""

Who = tuple[str, str]
Sender = tuple[str, UUID | Who]
"""The agent, with the session or, without one, who it was."""


class Said(NamedTuple):
    """A row of tallies, or what a level rose by."""

    agent: str
    session: UUID | None
    from_events: bool
    model: str
    tool: str
    fast: bool
    above: int
    subject: UUID | None
    who: Who
    place: tuple[str, str, str]
    """Terminal, team, cost centre."""
    counts: Mapping[str, Any]


class Key(NamedTuple):
    who: Who
    agent: str
    surface: str
    team: str
    cost_center: str


@dataclass(slots=True)
class Spoken:
    """Who stated tokens in events, and who decisions."""

    tokens: set[Sender] = field(default_factory=set)
    decisions: set[Sender] = field(default_factory=set)


@dataclass(slots=True)
class Activity:
    counts: Counter[str] = field(default_factory=Counter)
    tools: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Consumption:
    requests: int = 0
    cost: Decimal | None = None
    tokens: dict[tuple[bool, int], Counter[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Sums:
    """A cell, added up: activity by key, tokens and cost by key and model."""

    activity: dict[Key, Activity] = field(default_factory=lambda: defaultdict(Activity))
    models: dict[tuple[Key, str], Consumption] = field(default_factory=lambda: defaultdict(Consumption))


def put_together(day: dt.date, source_id: int) -> int:
    """Replaces the user-days of telemetry of that day and source, in one transaction; how many there are now."""
    with transaction.atomic():
        said = _named(list(_read(day, source_id)))
        sums = add_up(said, _spoken(day, source_id))
        known = _identities(said, day)
        table = pricing.table()
        made = _merged(_made(day, source_id, sums, known, table))
        before = UsageDay.objects.filter(connection=None, endpoint="", day=day, source_id=source_id)
        rows.write(before, made)
    return len(made)


def _identities(said: Iterable[Said], day: dt.date) -> dict[Who, Identity]:
    """Whose each name is; remembers for each subject whose it was."""
    named = {row.who for row in said if not row.who[1].startswith(_IDENTITY)}
    known = identities.resolve(sorted(named), basis="telemetry", day=day)
    subjects = {row.subject: known[row.who].pk for row in said if row.subject and row.who in known}
    erased = {row.who: int(row.who[1].removeprefix(_IDENTITY)) for row in said if row.who not in known}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [list(subjects), list(subjects.values())])
    return {**known, **{who: Identity(pk=number) for who, number in erased.items()}}


def add_up(said: Iterable[Said], spoken: Spoken) -> Sums:
    """Everything once, from events or from points."""
    sums = Sums()
    sessions: dict[tuple[str, UUID], Counter[Key]] = defaultdict(Counter)
    interfaces: set[tuple[str, UUID]] = set()
    at_work: set[tuple[str, UUID]] = set()
    for row in said:
        key, counts = Key(row.who, row.agent, *row.place), row.counts
        sender = row.agent, row.session or row.who
        activity = sums.activity[key]
        activity.counts.update({name: counts.get(name, 0) for name in _ACTIVITY})
        if row.session is None:
            activity.counts["sessions"] += counts.get("sessions", 0)
        else:
            sessions[row.agent, row.session][key] += counts.get("records", 0)
            if counts.get("interfaces", 0):
                interfaces.add((row.agent, row.session))
            if counts.get("prompts", 0) or counts.get("requests", 0):
                at_work.add((row.agent, row.session))
        if row.tool and (row.from_events or sender not in spoken.decisions):
            tool = activity.tools.setdefault(row.tool[:LONGEST], [0, 0])
            tool[0] += counts.get("accepted", 0)
            tool[1] += counts.get("rejected", 0)
        if row.from_events or sender not in spoken.tokens:
            _consume(sums, key, row)
    for session, keys in sessions.items():
        if session not in interfaces or session in at_work:
            sums.activity[max(keys, key=lambda key: (keys[key], key))].counts["sessions"] += 1
    return sums


_ACTIVITY = ("prompts", "lines_added", "lines_removed", "commits", "pull_requests")
_SHORT = {name: f"{name}_tokens" for name in ("input", "output", "cache_read", "cache_creation")}
_TOKENS = tuple(_SHORT.values())


def _consume(sums: Sums, key: Key, row: Said) -> None:
    counts = row.counts
    if not (counts.get("requests", 0) or counts.get("costs", 0) or any(counts.get(name, 0) for name in _TOKENS)):
        return
    consumption = sums.models[key, row.model]
    consumption.requests += counts.get("requests", 0)
    if counts.get("costs", 0):
        consumption.cost = (consumption.cost or Decimal()) + counts["cost"]
    tokens = consumption.tokens.setdefault((row.fast, row.above), Counter())
    tokens.update({name: counts.get(name, 0) for name in _TOKENS})


def _read(day: dt.date, source_id: int) -> Iterator[Said]:
    with connection.cursor() as cursor:
        cursor.execute(_TALLIES, [day, source_id])
        for agent, session, from_events, model, tool, fast, above, *rest in cursor.fetchall():
            counts = dict(zip(_COUNTS, rest[10:], strict=True))
            yield Said(agent, session, from_events, model, tool, fast, above, *_sender(rest[:10]), counts)
        cursor.execute(_LEVELS, [day, source_id])
        for agent, session, model, tool, fast, *rest in cursor.fetchall():
            measure, rise = rest[10:]
            if rise > 0:
                whole = rise if measure == "cost" else int(rise.to_integral_value())
                counts = {measure: whole, "costs": int(measure == "cost")}
                yield Said(agent, session, False, model, tool, fast, 0, *_sender(rest[:10]), counts)


def _sender(columns: Sequence[Any]) -> tuple[UUID | None, Who, tuple[str, str, str]]:
    return columns[0], _who(*columns[:7]), _place(*columns[7:])


def _who(subject: UUID | None, known_kind: str | None, known_id: int | None, *names: str | None) -> Who:
    """The most telling name; of somebody erased whoever they were known as, without it, and of somebody who never was
    named a pseudonym in place of an installation."""
    for kind, value in zip(MOST_TELLING, names, strict=True):
        if value:
            return kind.value, value
    if known_kind:
        return known_kind, f"{_IDENTITY}{known_id}"
    return Kind.INSTALL.value, f"p-{subject.hex[:8]}" if subject else "not named"


def _place(*texts: str | None) -> tuple[str, str, str]:
    surface, team, cost_center = ((text or "")[:LONGEST] for text in texts)
    return surface, team, cost_center


def _named(said: list[Said]) -> list[Said]:
    """Who sent a part of a session without saying who they are is the one who said it in the rest of it."""
    named: dict[tuple[str, UUID], set[Who]] = defaultdict(set)
    for row in said:
        if row.session:
            named[row.agent, row.session].add(row.who)
    best = {session: _only_best(names) for session, names in named.items()}
    return [
        row._replace(who=told)
        if row.session and (told := best[row.agent, row.session]) and _rank(row.who) > _rank(told)
        else row
        for row in said
    ]


def _only_best(names: set[Who]) -> Who | None:
    rank = min(map(_rank, names))
    best = [name for name in names if _rank(name) == rank]
    return best[0] if len(best) == 1 else None


_KINDS = [kind.value for kind in MOST_TELLING]


def _rank(who: Who) -> int:
    return _KINDS.index(who[0])


def _spoken(day: dt.date, source_id: int) -> Spoken:
    spoken = Spoken()
    with connection.cursor() as cursor:
        cursor.execute(_SPOKE, [day - dt.timedelta(days=1) if day > dt.date.min else day, day, source_id])
        for agent, session, *names, tokens, decisions in cursor:
            for sender in {(agent, session or _who(*names)), (agent, _who(*names))}:
                spoken.tokens.update({sender} if tokens else ())
                spoken.decisions.update({sender} if decisions else ())
    return spoken


def _made(day: dt.date, source_id: int, sums: Sums, known: Mapping[Who, Identity], table: Table) -> Iterator[UsageDay]:
    for key, activity in sums.activity.items():
        tools = {name: counts for name, counts in sorted(activity.tools.items()) if any(counts)}
        if tools or any(activity.counts.values()):
            yield _row(day, source_id, key, known, tools=tools, **activity.counts)
    for (key, model), consumption in sums.models.items():
        tokens = sum(consumption.tokens.values(), Counter())
        priced = [
            Tokens(**{short: counts[name] for short, name in _SHORT.items()}, fast=fast, above=above)
            for (fast, above), counts in consumption.tokens.items()
        ]
        yield _row(
            day, source_id, key, known, model=model, requests=consumption.requests,
            **{name: tokens[name] for name in _TOKENS},
            cost_reported=None if consumption.cost is None else consumption.cost.quantize(pricing.PLACES),
            cost_computed=pricing.of_tokens(table, model, day, priced),
        )  # fmt: skip


def _row(day: dt.date, source_id: int, key: Key, known: Mapping[Who, Identity], **said: Any) -> UsageDay:
    return UsageDay(
        day=day, source_id=source_id, identity_id=known[key.who].pk, agent=key.agent, surface=key.surface,
        team=key.team, cost_center=key.cost_center, **said,
    )  # fmt: skip


def _merged(made: Iterable[UsageDay]) -> list[UsageDay]:
    """Names that are spelled differently may be one identity: their rows are one, too. A row without model and one of
    a model that was not named are one."""
    found: dict[tuple[Any, ...], UsageDay] = {}
    for row in made:
        key = row.identity_id, row.agent, row.model, row.surface, row.team, row.cost_center
        other = found.setdefault(key, row)
        if other is not row:
            _add(other, row)
    return list(found.values())


def _add(one: UsageDay, other: UsageDay) -> None:
    for name in rows.VALUES:
        mine, its = getattr(one, name), getattr(other, name)
        if name == "tools":
            for tool, counts in its.items():
                mine[tool] = [a + b for a, b in zip(mine.get(tool, [0, 0]), counts, strict=True)]
        elif mine is None or its is None:
            setattr(one, name, its if mine is None else mine)
        else:
            setattr(one, name, mine + its)
