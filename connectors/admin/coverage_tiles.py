"""The figures at the head of coverage. Each leads to exactly its rows."""

from collections.abc import Mapping

from audit.listing import words
from audit.listing.tiles import Tile
from connectors.admin.usage_tiles import NO_DATA
from connectors.coverage import figures
from connectors.models import Covered

State = Covered.State
MEANINGS = {
    State.GAP: "A vendor knows of use on days of which no telemetry came",
    State.SILENT: "Reported once, and not for more days than are allowed",
    State.UNKNOWN: "Sends, and is nobody who is known here",
    State.PARTIAL: "Reports, with a switch off that decisions need, or not from every machine",
    State.UNSEATED: "Reports, and no connected vendor lists a seat of theirs",
    State.NEVER: "No telemetry, and no use is known",
    State.UNSEEN: "Cannot be judged, for the reason that stands with it",
    State.REPORTING: "Reports, with all that makes decisions decidable",
}
LOOKS = {
    State.GAP: "bad",
    State.SILENT: "warn",
    State.UNKNOWN: "warn",
    State.PARTIAL: "warn",
    State.UNSEATED: "warn",
    State.NEVER: "off",
    State.UNSEEN: "off",
    State.REPORTING: "ok",
}
"""As the theme's states are called."""

_TILES = {"bad": "bad", "warn": "due"}


def tiles(url: str) -> list[Tile]:
    by_state: Mapping[str, int] = figures.by_state()
    covered, every = figures.expected()
    share = Tile(
        "Coverage",
        "Of all seats that vendors list and devices that were imported, those that report",
        _per_cent(covered, every),
        "%" if every else "",
        f"{url}?expected=covered" if every else "",
        f"{words.number(covered)} of {words.number(every)}" if every else "not enough data: no seat or device is known",
        "due" if covered < every else "",
    )
    return [share, *(_tile(state, by_state.get(state, 0), url) for state in State)]


def _tile(state: State, count: int, url: str) -> Tile:
    look = _TILES.get(LOOKS[state], "") if count else ""
    return Tile(str(state.label), MEANINGS[state], words.number(count), url=f"{url}?state={state}", state=look)


def _per_cent(part: int, whole: int) -> str:
    """Only all is 100, only nothing is 0."""
    if not whole:
        return NO_DATA
    share = min(max(round(part * 100 / whole, 1), 0.1 if part else 0), 99.9 if part < whole else 100)
    return f"{share:g}"
