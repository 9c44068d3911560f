"""What vendors report that is nobody's user-day, a day's rows replaced as a whole."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now

from connectors.models import Connection, Reported
from connectors.vendors.shape import ReportRow


@dataclass(frozen=True, slots=True)
class Replaced:
    """`restated`: rows that changed, came or went since the last time."""

    rows: int
    restated: int


def replace(connection: Connection, endpoint: str, day: dt.date | None, rows: Sequence[ReportRow]) -> Replaced:
    """In the caller's transaction. Rows that are as they were are left alone: when they were first told stays known."""
    of_day = connection.reports.filter(endpoint=endpoint)
    of_day = of_day.filter(day=day) if day else of_day.filter(day=None)
    known = {each.key: each for each in of_day}
    told: Mapping[str, Any] = {storable(row.key): storable(row.data) for row in rows}
    changed = [key for key, data in told.items() if key in known and known[key].data != data]
    new = [key for key in told if key not in known]
    gone = [each.pk for key, each in known.items() if key not in told]
    of_day.filter(pk__in=gone).delete()
    for key in changed:
        of_day.filter(pk=known[key].pk).update(data=told[key], pulled_at=Now())
    Reported.objects.bulk_create(
        [Reported(connection=connection, endpoint=endpoint, day=day, key=key, data=told[key]) for key in new]
    )
    return Replaced(len(told), len(changed) + len(gone) + (len(new) if known else 0))


def storable(value: Any) -> Any:
    """The value as PostgreSQL's jsonb takes it: without NUL and lone surrogates, whatever a vendor's names hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    return value
