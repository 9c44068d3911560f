"""Charts of usage by day."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from audit.listing import words
from audit.listing.charts import Chart, Column, Series
from connectors.usage.believing import Question
from connectors.usage.reading import NOTHING, Sums

LABELS = 5
_TOKENS = (
    ("Read from cache", "cache_read_tokens", "quiet"),
    ("Written to cache", "cache_creation_tokens", "default"),
    ("Input", "input_tokens", "edits"),
    ("Output", "output_tokens", "plan"),
)

Days = Mapping[dt.date, Sums]
Link = Callable[[dt.date], str]


def people(question: Question, by_day: Days, link: Link) -> Chart:
    told = max((sums.people for sums in by_day.values()), default=0)
    summary = f"Active people on each day; {words.number(told)} on the busiest."
    columns = [_column(day, [sums.people], link(day), question) for day, sums in _days(question, by_day)]
    return Chart("Active people by day", summary, [Series("People (days added up)", "person")], columns)


def tokens(question: Question, by_day: Days, link: Link) -> Chart:
    """In thousands, so that the axis stays readable; in tokens where there are few."""
    scale = 1000 if max((sums.tokens for sums in by_day.values()), default=0) >= 10_000 else 1
    unit = "thousands of tokens" if scale > 1 else "tokens"
    columns = [
        _column(day, [round(sums.counts[name] / scale) for _, name, _ in _TOKENS], link(day), question)
        for day, sums in _days(question, by_day)
    ]
    series = [Series(label, fill) for label, _, fill in _TOKENS]
    return Chart(f"Tokens by day, {unit}", f"Tokens on each day by kind, in {unit}.", series, columns)


def cost(question: Question, by_day: Days, link: Link) -> Chart:
    """In dollars; in cents where no day comes to thirty dollars."""
    in_cents = max((sums.cost or 0 for sums in by_day.values()), default=0) < 30
    unit = "US cents" if in_cents else "US dollars"
    columns = [
        _column(day, [round((sums.cost or 0) * (100 if in_cents else 1))], link(day), question)
        for day, sums in _days(question, by_day)
    ]
    return Chart(f"Cost by day, {unit}", f"Cost on each day in {unit}.", [Series(f"Cost, {unit}", "hook")], columns)


def _days(question: Question, by_day: Days) -> Sequence[tuple[dt.date, Sums]]:
    days = (question.first_day + dt.timedelta(days=n) for n in range(question.days))
    return [(day, by_day.get(day, NOTHING)) for day in days]


def _column(day: dt.date, values: Sequence[int], url: str, question: Question) -> Column:
    every = -(-question.days // LABELS)
    labelled = (day - question.first_day).days % every == 0
    return Column(f"{day.day} {day:%b}" if labelled else "", day.isoformat(), values, [url] * len(values))
