"""Figures as tiles: templates/portal/dashboard/tile.html draws them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure. `definition` says what it is, `state` is "", due or bad, `note` one short line below.

    `window`: what it is counted over, where that is not the time of the whole page.
    """

    label: str
    definition: str
    value: str
    unit: str = ""
    url: str = ""
    note: str = ""
    state: str = ""
    spark: str = ""
    window: str = ""
