"""Keyset paging: a page begins where the last one ended, not after so-and-so many rows.

Ten million rows open like ten, and rows that arrive meanwhile shift nothing. The order must be total: the last field is
unique, so that rows of the same time are neither shown twice nor left out.
"""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import Model, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan


class BadCursor(ValueError):
    """A cursor that this list did not give out."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the list's order, and the cursors of its neighbours: rows before the first, rows after the last."""

    rows: list[Any]
    previous: str | None
    next: str | None


class Keyset:
    """An order by fields that are never null, all ascending or all descending (`-name`), together unique."""

    def __init__(self, *fields: str) -> None:
        if len({field.startswith("-") for field in fields}) != 1:
            raise ImproperlyConfigured(f"A keyset has one direction, not {fields}")
        self.ordering = fields
        self.names = [field.removeprefix("-") for field in fields]
        self.descending = fields[0].startswith("-")

    def page(self, found: QuerySet | Sequence[QuerySet], size: int, *, after: str = "", before: str = "") -> Page:
        """At most `size` rows after (or before) the row a cursor names; the first ones without a cursor.

        Of several querysets of a model: the rows of any of them, each once (audit.search). Raises BadCursor. Fewer than
        `size` rows before a cursor make the first page.
        """
        if before:
            rows = self._rows(found, before, size + 1, forwards=False)
            if len(rows) > size:
                kept = rows[:size][::-1]
                return Page(kept, self.cursor(kept[0]), self.cursor(kept[-1]))
        beyond = "" if before else after
        rows = self._rows(found, beyond, size + 1)
        kept = rows[:size]
        return Page(
            kept,
            self.cursor(kept[0]) if kept and beyond else None,
            self.cursor(kept[-1]) if len(rows) > size else None,
        )

    def _rows(
        self, found: QuerySet | Sequence[QuerySet], cursor: str, limit: int, *, forwards: bool = True
    ) -> list[Any]:
        """The rows nearest beyond a cursor, nearest first; each queryset is read in the order of its own index."""
        querysets = [found] if isinstance(found, QuerySet) else found
        read = [list(self._beyond(queryset, cursor, forwards=forwards)[:limit]) for queryset in querysets]
        if len(read) == 1:
            return read[0]
        rows = {row.pk: row for alternative in read for row in alternative}.values()
        backwards = self.descending == forwards
        return sorted(rows, key=lambda row: [getattr(row, name) for name in self.names], reverse=backwards)[:limit]

    def cursor(self, row: Model) -> str:
        """Where that row stands, as text that may stand in a URL."""
        values = [_text(getattr(row, name)) for name in self.names]
        return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")

    def _beyond(self, queryset: QuerySet, cursor: str, *, forwards: bool = True) -> QuerySet:
        if cursor:
            comparison = TupleLessThan if self.descending == forwards else TupleGreaterThan
            queryset = queryset.filter(comparison(Tuple(*self.names), self._values(queryset, cursor)))
        ordered = queryset.order_by(*self.ordering)
        return ordered if forwards else ordered.reverse()

    def _values(self, queryset: QuerySet, cursor: str) -> Sequence[Any]:
        try:
            values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if not isinstance(values, list) or any(type(value) not in (str, int) for value in values):
                raise BadCursor(cursor)
            fields = [queryset.model._meta.get_field(name) for name in self.names]
            read = tuple(field.to_python(value) for field, value in zip(fields, values, strict=True))
        except (ValueError, TypeError, OverflowError, ValidationError, binascii.Error, RecursionError) as error:
            raise BadCursor(cursor) from error
        if not all(map(_storable, read)):
            raise BadCursor(cursor)
        return read


def _storable(value: Any) -> bool:
    """Whether PostgreSQL can compare it with a row; a time must say its zone."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, str):
        return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, dt.datetime) or value.tzinfo is not None


def _text(value: Any) -> str | int:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise ImproperlyConfigured(
        f"A keyset orders by times, days, identifiers, numbers and texts, not by {type(value).__name__}"
    )
