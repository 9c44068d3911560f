"""What the overview is put together from."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of work that waits for a person."""

    label: str
    count: str
    url: str
    detail: str = ""
    oldest: dt.datetime | None = None
    advice: str = ""


def per_cent(part: int, whole: int) -> str:
    """To one decimal, without rounding a remainder away: only all is 100, only nothing is 0."""
    if not whole:
        return "–"
    share = min(max(round(part * 100 / whole, 1), 0.1 if part else 0), 99.9 if part < whole else 100)
    return f"{share:g}" if share in (0, 100) else f"{share:.1f}"
