"""What follows from an answer that is none: wait, begin again, leave the endpoint or the key alone, or give up."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from connectors.vendors.shape import VendorError

MOST_FAILURES, MOST_RESTARTS = 10, 5
FIRST_WAIT, LONGEST_WAIT = dt.timedelta(seconds=30), dt.timedelta(hours=1)
LONGEST_ASKED = dt.timedelta(days=1)
NOT_THERE_YET = dt.timedelta(hours=3)
RECENT = dt.timedelta(days=3)
"""A refused day that is not older than that is taken for one whose figures have not come yet."""

Act = Literal["wait", "restart", "key", "endpoint", "fail"]


@dataclass(frozen=True, slots=True)
class Next:
    """`wait` tries again after `delay`; `counted`: as one more failure in a row. `restart` begins with the first page,
    now. `key`, `endpoint`: nothing more is asked with this key, or at this endpoint, before something was changed."""

    act: Act
    delay: dt.timedelta = dt.timedelta(0)
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a pull so far: failures in a row, and how often it began again."""

    failures: int
    restarts: int


def following(error: VendorError, past: Past, day: dt.date | None, now: dt.datetime, chance: float) -> Next:
    """`chance`, 0 to 1, spreads out those who wait for the same vendor."""
    if error.status == 401:
        return Next("key")
    if error.status in {402, 403}:
        return Next("endpoint")
    if error.status == 400 and day is not None and now.date() - day <= RECENT:
        return Next("wait", _asked(error) or NOT_THERE_YET)
    if error.status == 429 and (asked := _asked(error)):
        return Next("wait", asked)
    if error.restart or error.status == 410:
        return Next("restart") if past.restarts < MOST_RESTARTS else Next("fail")
    if not _passes(error) or past.failures + 1 >= MOST_FAILURES:
        return Next("fail")
    return Next("wait", _asked(error) or _backoff(past.failures, chance), counted=True)


def _passes(error: VendorError) -> bool:
    """Whether asking again can help."""
    if error.refused:
        return False
    if error.status is None or error.status < 400:  # no answer, or a good one that broke off
        return True
    return error.status in {408, 409, 425, 429} or error.status >= 500


def _asked(error: VendorError) -> dt.timedelta | None:
    """How long the vendor asks to wait, if it says something that can be."""
    if error.retry_after is None or not 0 < error.retry_after < 1e9:
        return None
    return min(dt.timedelta(seconds=error.retry_after), LONGEST_ASKED)


def _backoff(failures: int, chance: float) -> dt.timedelta:
    longest: dt.timedelta = min(FIRST_WAIT * 2**failures, LONGEST_WAIT)
    return longest * (0.5 + chance / 2)
