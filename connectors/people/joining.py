"""Whose a name is, from all that is known of it: a pure function, so the order in which things came does not matter.

An e-mail address is one person. An account, an installation and a Git author belong to whom they were seen with:

* to one person: theirs, on all days;
* to several, one after the other (a laptop that was handed on): each one's from the day they were first seen with it;
* to several at a time (a shared machine): nobody's. Two people are never made one by what they share.

What a vendor's list of users says goes before what clients claim.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

DAY = dt.timedelta(days=1)


class Use(NamedTuple):
    """Somebody was seen with a name, from one day to another (both inclusive)."""

    person: int
    first: dt.date
    last: dt.date
    by_vendor: bool = False


class Piece(NamedTuple):
    """Whose a name is from one day to another (both inclusive; None: open). No person: shared, or nobody's."""

    first: dt.date | None
    last: dt.date | None
    person: int | None
    basis: str


SHARED = "shared"


def pieces(uses: Iterable[Use]) -> list[Piece]:
    """The name's whole time, cut where it went from one person to the next; empty if nobody was seen with it."""
    known = list(uses)
    told_by_vendor = [use for use in known if use.by_vendor]
    basis = "vendor" if told_by_vendor else "telemetry"
    spans = _spans(told_by_vendor or known)
    if not spans:
        return []
    if any(later.first <= earlier.last for earlier, later in pairwise(spans)):
        return [Piece(None, None, None, SHARED)]
    starts: list[dt.date | None] = [None, *(span.first for span in spans[1:])]
    ends = [span.first - DAY for span in spans[1:]] + [None]
    return [Piece(start, end, span.person, basis) for start, end, span in zip(starts, ends, spans, strict=True)]


def _spans(uses: Sequence[Use]) -> list[Use]:
    """One use a person, from their first day to their last, the first of them first."""
    first: dict[int, dt.date] = {}
    last: dict[int, dt.date] = {}
    for use in uses:
        first[use.person] = min(use.first, first.get(use.person, use.first))
        last[use.person] = max(use.last, last.get(use.person, use.last))
    return sorted(
        (Use(person, first[person], last[person]) for person in first), key=lambda use: (use.first, use.person)
    )


def on(known: Iterable[Piece], day: dt.date) -> Piece | None:
    """The piece that holds on that day."""
    return next((piece for piece in known if (piece.first or day) <= day <= (piece.last or day)), None)


def within(known: Iterable[Piece], first: dt.date, last: dt.date, *, by_vendor: bool = False) -> list[Use]:
    """Who had the name in that time, and on which of its days."""
    return [
        Use(piece.person, max(first, piece.first or first), min(last, piece.last or last), by_vendor)
        for piece in known
        if piece.person is not None and (piece.first or first) <= last and (piece.last or last) >= first
    ]
