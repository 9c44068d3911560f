"""What the receivers have booked, for pages and receipts of this app, which knows of no receiver.

The app that has the receivers registers its books when it starts (ingest.apps).
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sighted:
    """When something was last seen, by the database's clock, and from where."""

    at: dt.datetime
    address: str


@dataclass(frozen=True, slots=True)
class Hour:
    """What came with some tokens in one hour. `refused` counts requests."""

    hour: dt.datetime
    requests: int = 0
    records: int = 0
    refused: int = 0
    bytes: int = 0


class Books(Protocol):
    def last_stored(self, token_id: int) -> Sighted | None:
        """The last request of a token that was answered with success, as far as it is booked (every second)."""

    def hours(self, token_ids: Collection[int], since: dt.datetime) -> Sequence[Hour]:
        """The hours from `since` on in which anything came, in order."""

    def addresses(self, token_id: int, since: dt.datetime) -> Sequence[Sighted]:
        """The last address of each hour and kind of answer, newest first: not every one that was ever used."""

    def source_left(self, source_id: int) -> float | None:
        """What is left at this moment of a source's records a minute; None if none were taken so far."""


_kept: list[Books] = []


def register(books: Books) -> None:
    _kept[:] = [books]


def kept() -> Books:
    """The books of the receivers."""
    return _kept[0]
