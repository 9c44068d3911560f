"""The terms of a list's query as chips, and what is said when nothing matches them."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Chip:
    """One term of the query; `without` is the query string that leaves it out. `bad`: it was not understood."""

    label: str
    value: str
    without: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """What leaving out one term would give."""

    term: str
    url: str
    count: str


@dataclass(frozen=True, slots=True)
class Example:
    """A query to learn from."""

    query: str
    url: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Download:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class QueryError:
    """A query that was not run. `start` and `end` delimit the words at fault."""

    query: str
    start: int
    end: int
    message: str
    suggestion: str = ""
    suggestion_url: str = ""
    others: Sequence[str] = ()

    @property
    def position(self) -> int:
        return self.start + 1

    @property
    def before(self) -> str:
        return self.query[: self.start]

    @property
    def word(self) -> str:
        return self.query[self.start : self.end]

    @property
    def after(self) -> str:
        return self.query[self.end :]

    @property
    def caret(self) -> str:
        return " " * self.start + "^"


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty list that teaches: was the evidence complete, what does each term take away, how to ask."""

    heading: str
    evidence: str = ""
    dropped: Sequence[Dropped] = field(default_factory=tuple)
    grammar: str = ""
    examples: Sequence[Example] = field(default_factory=tuple)
