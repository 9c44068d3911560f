"""The query bar: `tool:Bash -decision:accept path:"payments/" after:-7d rounding`. Pure: from text to terms and back.

Words narrow, in any order. A value with a space goes in quotes, a quote inside quotes is written `\\"`. `-` before a
term means “not”. What cannot be read becomes an error that names the characters at fault; the other terms stay.
"""

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WORDS = ""
"""The name of a term that is words to search for."""

LONGEST = 2000
_FIELD = re.compile(r"(-?)([a-z][a-z_]*):(?![/\\]{2})")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\s\"]\S*")
_SPAN = re.compile(r"([+-]?)(\d{1,6})(m|h|d|w)", re.ASCII)
_PERSON = re.compile(r"(?:^|[\s-])(?:person|actor):|[^\s@]@[^\s@]|\bp-[0-9a-f]{8}\b", re.IGNORECASE)
_UNITS = {"m": ("minute", 60), "h": ("hour", 3600), "d": ("day", 86_400), "w": ("week", 604_800)}
TIME_EXAMPLES = ("-7d", "-12h", "2026-11-21", "2026-11-21T06:30")


@dataclass(frozen=True, slots=True)
class Field:
    """What may stand behind a field's colon.

    `choices`: the values there are (any other is an error, with the nearest as a suggestion); `open`: others may exist
    that nobody has told us of, so only a near miss is an error. `aliases`: short ways to say a choice. `time`: a
    moment. `refused`: why this reader may not ask by it. `meaning` is for the reader.
    """

    meaning: str
    choices: Sequence[str] = ()
    open: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    time: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """One narrowing. `start` and `end` delimit it in the query; they do not count when terms are compared."""

    name: str
    value: str
    negated: bool = False
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    @property
    def spelled(self) -> str:
        value = self.value if _is_plain(self) else '"' + re.sub(r'(["\\])', r"\\\1", self.value) + '"'
        return f"{'-' if self.negated else ''}{self.name}{':' if self.name else ''}{value}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What could not be read, where, and what may have been meant: `suggestion` replaces those characters."""

    start: int
    end: int
    message: str
    suggestion: str = ""
    others: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """`terms` are those that were understood, `faults` those that were not; both in order."""

    text: str
    terms: Sequence[Term] = ()
    faults: Sequence[Fault] = ()

    @property
    def words(self) -> str:
        """What is searched for in texts: the bare words and phrases, in order."""
        return " ".join(term.value for term in self.terms if term.name == WORDS and not term.negated)

    def values(self, name: str) -> list[str]:
        return [term.value for term in self.terms if term.name == name and not term.negated]


def parse(text: str, fields: Mapping[str, Field]) -> Query:
    """Reads a query. Never raises."""
    terms: list[Term] = []
    faults: list[Fault] = []
    place, text = 0, text[:LONGEST]
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        found, place = _read(text, place, fields)
        if isinstance(found, Term):
            terms.append(found)
        else:
            faults.append(found)
    return Query(text, terms, faults)


def _read(text: str, place: int, fields: Mapping[str, Field]) -> tuple[Term | Fault, int]:
    """The term or fault that begins at `place`, and where the next may begin."""
    named = _FIELD.match(text, place)
    start = named.end() if named else place + (text[place : place + 2] == '-"')
    value, end, fault = _value(text, start)
    if fault:
        return fault, end
    if not named:
        return Term(WORDS, value, start > place, place, end), end
    name, negated = named[2], named[1] == "-"
    first = place + len(named[1])
    if name not in fields:
        return _unknown_field(name, first, fields), end
    if fields[name].refused:
        return Fault(first, first + len(name), fields[name].refused), end
    if not value:
        return Fault(place, end, f"{name} needs a value.", others=fields[name].choices[:8]), end
    wrong = _check(name, value, start, end, fields[name])
    return wrong or Term(name, fields[name].aliases.get(value, value), negated, place, end), end


def _value(text: str, start: int) -> tuple[str, int, Fault | None]:
    if text[start : start + 1] == '"':
        quoted = _QUOTED.match(text, start)
        if quoted is None:
            return "", len(text), Fault(start, len(text), "The quotation mark is not closed.", text[start:] + '"')
        return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), quoted.end(), None
    bare = _BARE.match(text, start)
    return (bare[0], bare.end(), None) if bare else ("", start, None)


def _unknown_field(name: str, start: int, fields: Mapping[str, Field]) -> Fault:
    near = difflib.get_close_matches(name, fields, 1, 0.6)
    others = [other for other in fields if other not in near]
    return Fault(start, start + len(name), f"There is no field “{name}”.", "".join(near), others)


def _check(name: str, value: str, start: int, end: int, expected: Field) -> Fault | None:
    if expected.time:
        if moment(value, dt.datetime.now(dt.UTC)) is None:
            return Fault(start, end, f"“{value}” is no time.", others=TIME_EXAMPLES)
        return None
    if not expected.choices or value in expected.choices or value in expected.aliases:
        return None
    by_lower = {choice.lower(): choice for choice in [*expected.choices, *expected.aliases]}
    near = difflib.get_close_matches(value.lower(), by_lower, 1, 0.6)
    if expected.open and not near:
        return None
    suggestion = by_lower[near[0]] if near else ""
    suggestion = expected.aliases.get(suggestion, suggestion)
    others = [choice for choice in expected.choices if choice != suggestion]
    return Fault(start, end, f"{name} has no value “{value}”.", suggestion, others)


def spell(terms: Iterable[Term]) -> str:
    """The inverse of `parse`, for terms that it gave."""
    return " ".join(term.spelled for term in terms)


def without(query: Query, term: Term) -> str:
    return spell(other for other in query.terms if other is not term)


def with_value(query: Query, name: str, value: str | None) -> str:
    """The query with `name` having that one value (None: no term of that name)."""
    kept = [term for term in query.terms if term.name != name]
    return spell([*kept, Term(name, value)] if value is not None else kept)


def moment(text: str, now: dt.datetime) -> dt.datetime | None:
    """A moment as people write it: `-7d` (before now), a date (its beginning, UTC) or a time; None if it is none."""
    span = _SPAN.fullmatch(text)
    if span:
        seconds = int(span[2]) * _UNITS[span[3]][1]
        try:
            return now + dt.timedelta(seconds=seconds if span[1] == "+" else -seconds)
        except OverflowError:
            return None
    try:
        read = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.replace(tzinfo=dt.UTC) if read.tzinfo is None else read


def names_person(text: str) -> bool:
    """Whether it asks for somebody: by the field for it, by pseudonym, or by what reads like an e-mail address.

    Too much rather than too little: such a query is recorded by itself (`audit.acts`).
    """
    return _PERSON.search(text) is not None


def told(value: str) -> str:
    """A value of a time as a chip says it: `-7d` is `-7 days`."""
    span = _SPAN.fullmatch(value)
    if span is None:
        return value
    unit = _UNITS[span[3]][0]
    return f"{span[1] or '-'}{int(span[2])} {unit}{'' if int(span[2]) == 1 else 's'}"


def _is_plain(term: Term) -> bool:
    """Whether the value reads the same without quotes."""
    bare = _BARE.fullmatch(term.value)
    if bare is None:
        return False
    return bool(term.name) or not (term.negated or _FIELD.match(term.value))
