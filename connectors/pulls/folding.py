"""What a pull's pages say, as rows: usage, seats, and what is nobody's user-day. Who keeps what is known here only."""

from dataclasses import dataclass

from connectors.models import Connection, Pull
from connectors.people import seats
from connectors.pulls import reports
from connectors.usage import store
from connectors.vendors.shape import Reading


@dataclass(frozen=True, slots=True)
class Folded:
    """`rows`: how many the vendor gave; `restated`: how many of them differ from what it said before."""

    rows: int
    restated: int


def fold(pull: Pull, reading: Reading) -> Folded:
    """Replaces what was known of that day, or list, by the reading; in the caller's transaction."""
    connection: Connection = pull.connection
    rows = restated = 0
    if pull.day is not None:
        usage = store.replace(connection, pull.endpoint, pull.day, reading.usage)
        rows, restated = rows + usage.rows, restated + usage.restated
    told = reports.replace(connection, pull.endpoint, pull.day, reading.reports)
    rows, restated = rows + told.rows, restated + told.restated
    if reading.seats is not None:
        seats.replace(connection, reading.seats)
        rows += len(reading.seats)
    return Folded(rows, restated)
