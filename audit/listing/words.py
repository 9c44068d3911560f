"""How evidence is put into words: decisions, modes, numbers and spans of time. No markup here."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

THIN_SPACE = "\u202f"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Words for a decision and who made it, with the colour and the icon that repeat them."""

    words: str
    colour: str
    icon: str


_AUTHORITIES = {
    "person": ("by person", "person", "person"),
    "policy": ("by policy", "policy", "gear"),
    "hook": ("by hook", "hook", "hook"),
    "reviewer_model": ("by reviewer model", "policy", "gear"),
    "nobody": (", nobody asked", "policy", "gear"),
}


def verdict(decision: str | None, decided_by: str | None) -> Verdict:
    """No record of a decision is said as such: it means neither allowed nor denied."""
    if decision == "cancel":
        return Verdict("Cancelled", "cancelled", "slash")
    if decision not in {"accept", "reject"}:
        return Verdict("No decision recorded", "unknown", "q")
    authority, colour, icon = _AUTHORITIES.get(decided_by or "", (", not known by whom", "unknown", "q"))
    verb = "Accepted" if decision == "accept" else "Rejected"
    words = f"{verb}{authority}" if authority.startswith(",") else f"{verb} {authority}"
    return Verdict(words, "rejected", "x") if decision == "reject" else Verdict(words, colour, icon)


MODES = {
    "plan": "plan",
    "default": "default",
    "dontAsk": "dontask",
    "acceptEdits": "edits",
    "auto": "auto",
    "bypassPermissions": "bypass",
}
"""Permission modes from "reads only" to "asks nobody", each with its class in the theme."""

_RANKS = {mode: rank for rank, mode in enumerate(MODES)}


def mode_class(mode: str | None) -> str:
    return MODES.get(mode or "", "unknown")


def most_permissive(modes: Mapping[str, int]) -> str | None:
    """The mode that asked least among those that were used at all; a mode without a rank counts only when alone."""
    used = [mode for mode, count in modes.items() if count]
    return max(used, key=lambda mode: _RANKS.get(mode, -1), default=None)


UNJUDGED = "An event counts as missing once one with a later number is a minute old"
"""Why a session has no grade yet."""


def number(value: int | Decimal | float) -> str:
    """With thin spaces between thousands."""
    return f"{value:,}".replace(",", THIN_SPACE)


def counted(value: int, singular: str, plural: str = "") -> str:
    """A number with its noun: 1 session, 2 sessions; `plural` where it is not made with an s."""
    return f"{number(value)} {singular if value == 1 else plural or singular + 's'}"


def about(value: int) -> str:
    """An estimate, cut to two digits so that it does not look like a count."""
    digits = max(len(str(value)) - 2, 0)
    return f"about {number(round(value, -digits))}"


def size(count: int) -> str:
    """Bytes in the largest unit that leaves at least one."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB")
    power = min((max(count, 1).bit_length() - 1) // 10, len(units) - 1)
    return f"{number(count)} bytes" if not power else f"{count / 1024**power:.1f} {units[power]}"


def money(amount: Decimal) -> str:
    """Dollars: to the cent, below a cent to two significant digits."""
    if not amount or abs(amount) >= Decimal("0.01"):
        return f"${number(amount.quantize(Decimal('0.01')) if abs(amount) < 1000 else amount.quantize(Decimal(1)))}"
    return f"${amount.normalize():.1g}"


def milliseconds(count: int) -> str:
    """A short span as people say it: 143 ms, 2.5 s, 12 min."""
    return f"{number(count)} ms" if count < 1000 else span(dt.timedelta(milliseconds=count))


def span(duration: dt.timedelta) -> str:
    """A span of time in its largest unit; days at most."""
    seconds = max(duration.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 36 * 3600 else f"{seconds / 86400:.0f} d"
