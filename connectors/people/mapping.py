"""The list of people that an organisation imports: who they are, what else they are called, in which team when."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import NamedTuple

from connectors.models import NAME_LENGTH, Identity
from connectors.people import listing
from connectors.people.identities import Name
from connectors.people.listing import BadLine, Fault, Listed
from connectors.people.names import LONGEST, account_kind, is_address, spelled

COLUMNS = {
    "email": ("e-mail", "mail", "email address"),
    "name": ("full name", "display name"),
    "aliases": ("alias", "other e-mails", "other emails"),
    "git": ("git identities", "git authors"),
    "accounts": ("account", "account ids", "account id"),
    "team": ("department", "group"),
    "cost center": ("cost centre",),
    "from": ("first day", "since"),
    "to": ("last day", "until"),
}
_SEPARATOR = re.compile(r"[;|\n]")
_LONGEST_NAME = 200


class Entry(NamedTuple):
    """One line. Dates are inclusive; None: open."""

    email: str
    name: str
    names: tuple[Name, ...]
    team: str
    cost_center: str
    first: dt.date | None
    last: dt.date | None


def read(text: str) -> Listed[Entry]:
    """The lines of a mapping; those of one person with overlapping times in teams are faults."""
    listed = listing.read(text, COLUMNS, "email", _entry)
    rows: list[tuple[int, Entry]] = []
    faults = list(listed.faults)
    owners: dict[Name, tuple[int, str]] = {}
    times: dict[str, list[tuple[int, Entry]]] = {}
    for line, entry in listed.rows:
        if told := _clash(line, entry, owners, times):
            faults.append(Fault(line, told))
        else:
            rows.append((line, entry))
    return Listed(rows, sorted(faults, key=lambda fault: fault.line))


def _clash(
    line: int, entry: Entry, owners: dict[Name, tuple[int, str]], times: dict[str, list[tuple[int, Entry]]]
) -> str:
    """Why a line cannot stand beside the lines before; "" if it can."""
    own = ((Identity.Kind.EMAIL.value, entry.email), *entry.names)
    for name in own:
        before, owner = owners.get(name, (line, entry.email))
        if owner != entry.email:
            return f"“{name[1]}” is {owner}’s already, by line {before}."
    if entry.team:
        for before, other in times.get(entry.email, ()):
            if _overlap(entry, other):
                return f"The time in “{entry.team}” overlaps with that in “{other.team}” of line {before}."
        times.setdefault(entry.email, []).append((line, entry))
    for name in own:
        owners.setdefault(name, (line, entry.email))
    return ""


def _overlap(one: Entry, other: Entry) -> bool:
    return (one.first or dt.date.min) <= (other.last or dt.date.max) and (other.first or dt.date.min) <= (
        one.last or dt.date.max
    )


def _entry(cells: Mapping[str, str]) -> Entry:
    email = spelled(Identity.Kind.EMAIL, cells.get("email", ""))
    if not is_address(email):
        raise BadLine(f"“{email}” is no e-mail address." if email else "The e-mail address is missing.")
    names: list[Name] = []
    for alias in _many(cells, "aliases"):
        spelt = spelled(Identity.Kind.EMAIL, alias)
        if not is_address(spelt):
            raise BadLine(f"The alias “{alias}” is no e-mail address.")
        if spelt != email:
            names.append((Identity.Kind.EMAIL.value, spelt))
    names += [(Identity.Kind.GIT.value, spelled(Identity.Kind.GIT, author)) for author in _many(cells, "git")]
    accounts = _many(cells, "accounts")
    names += [(str(account_kind(account)), spelled("", account)) for account in accounts]
    first, last = _day(cells, "from"), _day(cells, "to")
    if first and last and last < first:
        raise BadLine(f"It ends on {last} before it begins on {first}.")
    team, cost_center = cells.get("team", ""), cells.get("cost center", "")
    if (first or last or cost_center) and not team:
        raise BadLine("There are days or a cost centre, but no team that they are about.")
    if max(len(team), len(cost_center)) > NAME_LENGTH or len(cells.get("name", "")) > _LONGEST_NAME:
        raise BadLine(f"A team or cost centre has at most {NAME_LENGTH} characters, a name {_LONGEST_NAME}.")
    return Entry(email, cells.get("name", ""), tuple(dict.fromkeys(names)), team, cost_center, first, last)


def _many(cells: Mapping[str, str], column: str) -> list[str]:
    found = [part.strip() for part in _SEPARATOR.split(cells.get(column, "")) if part.strip()]
    if any(len(part) > LONGEST for part in found):
        raise BadLine(f"One of the {column} has more than {LONGEST} characters.")
    return found


def _day(cells: Mapping[str, str], column: str) -> dt.date | None:
    text = cells.get(column, "")
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadLine(f"“{text}” is no day: “{column}” is spelled 2026-11-29.") from error
