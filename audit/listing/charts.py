"""Charts as data: bars already measured, so that the template only writes them down (no script, no style attribute)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

HEIGHT = 200
FOOT = 22  # room for the labels under the axis


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the bars: its words, and the theme's `fill-` class."""

    label: str
    fill: str


@dataclass(frozen=True, slots=True)
class Column:
    """One bar: its label on the axis and its name in the table; for each series a value and where it leads."""

    label: str
    name: str
    values: Sequence[int]
    urls: Sequence[str] = ()

    @property
    def cells(self) -> list[tuple[int, str]]:
        return list(zip_longest(self.values, self.urls, fillvalue=""))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Segment:
    fill: str
    x: str
    width: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars over time. `summary` tells in a sentence what the picture shows."""

    title: str
    summary: str
    series: Sequence[Series]
    columns: Sequence[Column]
    height: int = field(default=HEIGHT)

    @property
    def top(self) -> int:
        """The axis' end: the smallest of 1, 2, 3, 4, 5, 6, 8 × 10ⁿ (from 3 up, so that thirds are whole) that fits."""
        highest = max((sum(column.values) for column in self.columns), default=0)
        step = 1
        while True:
            for factor in (3, 6, 9, 12, 15, 24):
                if factor * step >= highest:
                    return factor * step
            step *= 10

    @property
    def ticks(self) -> list[tuple[str, int]]:
        """(y, value) of the lines behind the bars."""
        return [(f"{self._y(value):.1f}", value) for value in (self.top, self.top * 2 // 3, self.top // 3)]

    @property
    def floor(self) -> int:
        return self.height - FOOT

    @property
    def totals(self) -> list[tuple[Series, int]]:
        return [(each, sum(column.values[i] for column in self.columns)) for i, each in enumerate(self.series)]

    @property
    def segments(self) -> list[Segment]:
        """Every rectangle, from the axis upwards; a gap of one pixel keeps neighbours apart."""
        width, parts = 100 / max(len(self.columns), 1), []
        for place, column in enumerate(self.columns):
            below = 0
            for series, value in zip(self.series, column.values, strict=True):
                if value:
                    top, bottom = self._y(below + value), self._y(below)
                    height = f"{max(bottom - top - 1, 0.5):.1f}"
                    left = f"{place * width + width * 0.15:.2f}%"
                    parts.append(Segment(series.fill, left, f"{width * 0.7:.2f}%", f"{top:.1f}", height))
                below += value
        return parts

    @property
    def labels(self) -> list[tuple[str, str]]:
        """(x, text) under the axis, in the middle of each bar."""
        width = 100 / max(len(self.columns), 1)
        return [(f"{(place + 0.5) * width:.2f}%", column.label) for place, column in enumerate(self.columns)]

    def _y(self, value: int) -> float:
        return self.floor - value / self.top * (self.floor - 8)


def sparkline(values: Sequence[float], width: int = 120, height: int = 24) -> str:
    """The path of a line through the values, left to right, its highest at the top; empty for fewer than two."""
    if len(values) < 2:
        return ""
    highest, step = max(max(values), 1e-9), (width - 2) / (len(values) - 1)
    points = (f"{1 + i * step:.1f} {height - 3 - value / highest * (height - 6):.1f}" for i, value in enumerate(values))
    return "M" + "L".join(points)
