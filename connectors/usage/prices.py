"""What tokens cost: from a dated table with bands, by the model's name as agents and clouds spell it. Pure.

A model that the table does not know has no price; nothing is guessed from a similar name.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

BANDS = (100_000, 200_000, 272_000)
"""Prompt lengths above which vendors charge more. Telemetry is added up by them, so that it can be priced anew."""

MILLION = Decimal(1_000_000)
_REGIONS = re.compile(r"^(?:[a-z]{2,6}(?:-[a-z]+)?\.)?anthropic\.")
_ENDS = re.compile(r"(?:\[[0-9a-z]+\]|@[0-9a-z-]+|-v\d+(?::\d+)?(?::\d+k)?|-\d{8}|-\d{4}-\d{2}-\d{2}|-latest)$")


def plain(model: str) -> str:
    """The vendor's short name, lower case: without cloud, region, date, revision and size of the window.

    `us.anthropic.claude-opus-4-5-20251101-v1:0`, `claude-opus-4-5@20251101` and `claude-opus-4-5[1m]` are all
    `claude-opus-4-5`.
    """
    name = model.lower().rpartition("/")[2].strip()
    while (shorter := _ENDS.sub("", _REGIONS.sub("", name)).strip()) != name:
        name = shorter
    return name


@dataclass(frozen=True, slots=True)
class Rate:
    """Dollars for a million tokens. `model` is a name as `plain` makes it, or its beginning followed by `*`."""

    model: str
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    above: int = 0
    fast: bool = False

    def holds_on(self, day: dt.date) -> bool:
        return (self.first_day is None or self.first_day <= day) and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class Tokens:
    """`above`: the band of their prompts, 0 also where it is not known."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    fast: bool = False
    above: int = 0


class Table:
    """Prices by model, day, band and speed."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._exact: dict[str, list[Rate]] = {}
        self._beginnings: dict[str, list[Rate]] = {}
        for rate in rates:
            name = rate.model.strip().lower()
            if name.endswith("*"):
                self._beginnings.setdefault(name[:-1], []).append(rate)
            else:
                self._exact.setdefault(plain(name), []).append(rate)

    def knows(self, model: str, day: dt.date) -> bool:
        return any(rate.holds_on(day) for rate in self._of(plain(model)))

    def cost(self, model: str, day: dt.date, tokens: Iterable[Tokens]) -> Decimal | None:
        """Dollars; None if any of the tokens has no price."""
        rates = [rate for rate in self._of(plain(model)) if rate.holds_on(day)]
        total = Decimal()
        for each in tokens:
            rate = _fitting(rates, each)
            cost = _priced(rate, each) if rate else None
            if cost is None:
                return None
            total += cost
        return total

    def _of(self, name: str) -> Sequence[Rate]:
        """Those of the exact name, else of the longest beginning."""
        if name in self._exact:
            return self._exact[name]
        fitting = [beginning for beginning in self._beginnings if name.startswith(beginning)]
        return self._beginnings[max(fitting, key=len)] if fitting else ()


def _fitting(rates: Sequence[Rate], tokens: Tokens) -> Rate | None:
    """The rate of the highest band they are above; of two that hold on the day, the one that began later."""
    fitting = [rate for rate in rates if rate.fast == tokens.fast and rate.above <= tokens.above]
    return max(fitting, key=lambda rate: (rate.above, rate.first_day or dt.date.min), default=None)


def _priced(rate: Rate, tokens: Tokens) -> Decimal | None:
    amounts = [
        (tokens.input, rate.input),
        (tokens.output, rate.output),
        (tokens.cache_read, rate.cache_read),
        (tokens.cache_creation, rate.cache_write),
    ]
    if any(count and price is None for count, price in amounts):
        return None
    return sum((count * price for count, price in amounts if price is not None), Decimal()) / MILLION
