"""The price table as it is kept, and the computed costs that follow from it."""

import datetime as dt
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Max, Min

from connectors.models import Price, StaleDay, UsageDay
from connectors.usage.prices import Rate, Table, Tokens

PLACES = Decimal("0.000000001")
"""What a user-day's cost is kept to: a billionth of a dollar."""


def table() -> Table:
    """All prices. Writes to a cache are priced as those for five minutes: clients and vendors give one number."""
    return Table(
        Rate(
            price.model,
            price.input,
            price.output,
            price.cache_read,
            price.cache_write_5m,
            price.first_day,
            price.last_day,
            price.above_tokens,
            price.fast,
        )
        for price in Price.objects.order_by("pk")
    )


def of_row(known: Table, row: UsageDay) -> Decimal | None:
    """What a vendor's row comes to; None without tokens or without a price. Its prompts' lengths are not known."""
    tokens = Tokens(row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_creation_tokens)
    return of_tokens(known, row.model, row.day, [tokens])


def of_tokens(known: Table, model: str, day: dt.date, tokens: list[Tokens]) -> Decimal | None:
    if not any(each.input or each.output or each.cache_read or each.cache_creation for each in tokens):
        return None
    cost = known.cost(model, day, tokens)
    return None if cost is None else cost.quantize(PLACES)


def compute_again(price: Price) -> None:
    """Notes that the days on which that price holds are to be computed again, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO connectors_staleday (day, source_id) SELECT DISTINCT day, source_id FROM connectors_usageday"
            " WHERE day >= coalesce(%s, '-infinity'::date) AND day <= coalesce(%s, 'infinity'::date)"
            " ON CONFLICT DO NOTHING",
            [price.first_day, price.last_day],
        )


def waiting() -> tuple[int, dt.date | None, dt.date | None]:
    """How many days of sources are to be put together or computed again, and between which days they lie."""
    found = StaleDay.objects.aggregate(first=Min("day"), last=Max("day"))
    return StaleDay.objects.count(), found["first"], found["last"]


def reprice_vendors(day: dt.date) -> None:
    """Computes the costs of all that vendors said of the day."""
    known = table()
    with transaction.atomic():
        changed = []
        for row in UsageDay.objects.filter(day=day, connection__isnull=False).select_for_update():
            cost = of_row(known, row)
            if cost != row.cost_computed:
                row.cost_computed = cost
                changed.append(row)
        UsageDay.objects.bulk_update(changed, ["cost_computed"], batch_size=500)
