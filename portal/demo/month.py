"""Thirty days of ordinary sessions: who works when, in which repository and mode, for how long."""

import datetime as dt
import itertools
import random
from collections.abc import Iterator

from portal.demo.cast import OLD, PEOPLE, Person
from portal.demo.claude import Claude
from portal.demo.judgement import Judgement
from portal.demo.work import jobs

DAYS = 29  # what is older than 30 days when it arrives is flagged
_MODES = (("default", 60), ("acceptEdits", 22), ("auto", 12), ("plan", 6))


def ordinary(end: dt.datetime, count: int, rng: random.Random) -> Iterator[Claude]:
    """`count` processes that ended before `end`, the oldest first."""
    starts = sorted(_start(end, rng) for _ in range(count - 1))
    for at in starts:
        (person,) = rng.choices(PEOPLE, [each.weight for each in PEOPLE])
        yield session(person, at, rng, prompts=rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 9)))
    yield session(PEOPLE[0], end - dt.timedelta(minutes=9), rng, prompts=2, until=end - dt.timedelta(seconds=40))


def _start(end: dt.datetime, rng: random.Random) -> dt.datetime:
    """Mostly in working hours of working days; in the last weeks more than before."""
    while True:
        day = end - dt.timedelta(days=min(rng.triangular(0, DAYS, 8), DAYS))
        at = day.replace(hour=rng.choice((7, 8, 9, 9, 10, 10, 11, 13, 14, 14, 15, 16, 19)), minute=rng.randrange(60))
        if (
            at < end - dt.timedelta(hours=4)
            and at > end - dt.timedelta(days=DAYS)
            and (at.weekday() < 5 or rng.random() < 0.15)
        ):
            return at + dt.timedelta(seconds=rng.randrange(60), milliseconds=rng.randrange(1000))


def session(
    person: Person, at: dt.datetime, rng: random.Random, *, prompts: int, until: dt.datetime | None = None
) -> Claude:
    """One process from its start to its end."""
    repository = rng.choice(person.repositories)
    claude = Claude(person, repository, at, rng, mode=_first_mode(person, rng), model=_model(rng))
    servers = [server for server in repository.servers if rng.random() < 0.8]
    claude.start(tuple(servers))
    judgement = Judgement(claude)
    for job in itertools.islice(jobs(repository, rng), 1 if person.headless else prompts):
        if until and claude.at > until:
            break
        claude.prompted(job.prompt)
        for call in job.calls:
            claude.use(judgement.of(call))
        claude.responded(job.answer)
        _between_prompts(claude)
    for server in servers:
        claude.connected(server, "disconnected", took=(claude.at - claude.started_at).total_seconds())
    return claude


def _first_mode(person: Person, rng: random.Random) -> str:
    if person.headless or person.version == OLD:
        return "default"
    (mode,) = rng.choices([name for name, _ in _MODES], [weight for _, weight in _MODES])
    return mode


def _model(rng: random.Random) -> str:
    return rng.choice(("claude-opus-5-5", "claude-opus-5-5", "claude-sonnet-5-5"))


def _between_prompts(claude: Claude) -> None:
    """People read, and sometimes change the mode before they go on."""
    if claude.person.headless:
        return
    claude.wait(claude.rng.choice((8, 20, 45, 120, 300)))
    if claude.modern and claude.rng.random() < 0.12:
        others = [mode for mode in ("default", "acceptEdits", "plan") if mode != claude.mode]
        claude.switched(claude.rng.choice(others))
