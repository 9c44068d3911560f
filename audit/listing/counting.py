"""Counts that cannot take long: exact up to a limit, estimated beyond it, and never longer than a deadline."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connections, transaction
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

from audit.listing import words

LIMIT = 10_000
PATIENCE_MS = 100
EXACT_PATIENCE_MS = 15_000


class TooSlow(Exception):
    """A query was stopped at its deadline."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are. Unless `exact`, `number` is what is certain and `estimate` the planner's guess."""

    number: int
    exact: bool = True
    estimate: int | None = None

    @property
    def words(self) -> str:
        if self.exact:
            return words.number(self.number)
        if self.estimate is not None and self.estimate > self.number:
            return words.about(self.estimate)
        return f"more than {words.number(self.number)}" if self.number else "not counted:"

    @property
    def short(self) -> str:
        """For a table: `10 000+`."""
        return words.number(self.number) + ("" if self.exact else "+")

    @property
    def may_be_counted(self) -> bool:
        return not self.exact


@contextmanager
def deadline(milliseconds: int, using: str = "default") -> Iterator[None]:
    """Let no statement inside take longer. Raises TooSlow; the surrounding transaction, if any, goes on."""
    try:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()[0]
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlow from error
        raise


def capped(queryset: QuerySet, limit: int = LIMIT, milliseconds: int = PATIENCE_MS) -> Count:
    """Exact up to `limit` rows; beyond it, or where counting so many takes too long, with the planner's estimate."""
    unordered = queryset.order_by()
    try:
        with deadline(milliseconds, queryset.db):
            number = unordered[: limit + 1].count()
    except TooSlow:
        return Count(0, exact=False, estimate=estimate(unordered))
    return Count(number) if number <= limit else Count(limit, exact=False, estimate=estimate(unordered))


def exact(queryset: QuerySet, milliseconds: int = EXACT_PATIENCE_MS) -> Count:
    """All rows, however long it takes up to the deadline; then what `capped` knows."""
    try:
        with deadline(milliseconds, queryset.db):
            return Count(queryset.order_by().count())
    except TooSlow:
        return capped(queryset)


def estimate(queryset: QuerySet) -> int | None:
    """How many rows the planner expects; None when there is nothing to plan."""
    try:
        sql, parameters = queryset.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return None
    with connections[queryset.db].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        plan = cursor.fetchone()[0]
    return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])
