"""The tables of the usage page: teams, people, models, feeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from connectors.admin.usage_tiles import difference, money, per_cent
from connectors.usage import classes, naming
from connectors.usage.believing import NO_TEAM, Question
from connectors.usage.reading import Habits, Summary, Sums

MOST_PEOPLE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: what it is called, where its name and its rows are, its figures, and how long its bar is."""

    name: str
    url: str
    rows_url: str
    sums: Sums
    share: str
    cost: str
    word: str = ""
    per_commit: str = ""
    cache_share: str = ""
    computed: str = ""
    difference: str = ""


class Linking(Protocol):
    """How a line leads to this page with one more filter, and to the list of its rows."""

    def page(self, **changes: str) -> str: ...

    def rows(self, **lookups: str) -> str: ...


def teams(summary: Summary, halves: Mapping[str, tuple[int, int]], link: Linking) -> list[Line]:
    found = _by_cost(summary.by["team"])
    most = _most(found)
    return [
        Line(
            team or "no team",
            link.page(team=team or NO_TEAM),
            link.page(team=team or NO_TEAM),
            sums,
            _share(sums, most),
            money(sums.cost),
            word=classes.trend(*halves.get(team, (0, 0))),
            per_commit=_per_commit(sums),
        )
        for team, sums in found
    ]


def people(
    summary: Summary, habits: Mapping[str, Habits], question: Question, named: bool, link: Linking
) -> list[Line]:
    found = _by_cost(summary.by["who"])[:MOST_PEOPLE]
    most, names = _most(found), naming.of([who for who, _ in found], named=named)
    return [
        Line(
            names[who],
            link.page(person=who),
            link.rows(**_of_person(who)),
            sums,
            _share(sums, most),
            money(sums.cost),
            word=classes.tier(habits[who], question.days) if who in habits else "",
            per_commit=_per_commit(sums),
        )
        for who, sums in found
    ]


def models(summary: Summary, link: Linking) -> list[Line]:
    found = [(model, sums) for model, sums in _by_cost(summary.by["model"]) if sums.tokens or sums.cost_reported]
    most = _most(found)
    return [
        Line(
            model or "not named",
            link.page(model=model) if model else "",
            link.rows(model=model),
            sums,
            _share(sums, most),
            money(sums.cost_reported),
            cache_share=per_cent(sums.counts["cache_read_tokens"], sums.prompt_tokens),
            computed=money(sums.cost_computed),
            difference=difference(sums),
        )
        for model, sums in found
    ]


def _of_person(who: str) -> dict[str, str]:
    kind, number = naming.split(who)
    return {"identity__person" if kind == "person" else "identity": str(number)}


def _by_cost(by: Mapping[str, Sums]) -> list[tuple[str, Sums]]:
    return sorted(by.items(), key=lambda item: (-(item[1].cost or Decimal()), -item[1].tokens, item[0]))


def _most(found: Sequence[tuple[str, Sums]]) -> tuple[Decimal, int]:
    return (
        max((sums.cost or Decimal() for _, sums in found), default=Decimal()),
        max((sums.tokens for _, sums in found), default=0),
    )


def _share(sums: Sums, most: tuple[Decimal, int]) -> str:
    """The bar's length of 100, by cost; by tokens where nothing costs anything."""
    part, whole = (sums.cost or Decimal(), most[0]) if most[0] else (Decimal(sums.tokens), Decimal(most[1]))
    return f"{part * 100 / whole:.1f}" if whole else "0"


def _per_commit(sums: Sums) -> str:
    commits = sums.counts["commits"]
    return money(sums.cost / commits) if sums.cost is not None and commits else "–"
