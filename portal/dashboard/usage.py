"""Use and cost, as telemetry tells it."""

import datetime as dt
from decimal import Decimal

from django.db.models import Count, Q, Sum

from audit.listing import words
from audit.listing.tiles import Tile
from audit.models import Session
from portal.dashboard.lists import Lists
from portal.dashboard.parts import per_cent


def tiles(lists: Lists, since: dt.datetime, now: dt.datetime) -> list[Tile]:
    if not lists.may_open("audit.session"):
        return []
    before = since - (now - since)
    this = Q(last_at__gte=since)
    sums = Session.objects.filter(last_at__gte=before).aggregate(
        sessions=Count("pk", filter=this),
        earlier=Count("pk", filter=~this),
        people=Count("subject", distinct=True, filter=this),
        cost=Sum("cost_usd", filter=this),
        **{name: Sum(f"{name}_tokens", filter=this) for name in ("input", "output", "cache_read", "cache_creation")},
    )
    url = lists.asking("audit.session", ("after", since))
    read = sums["cache_read"] or 0
    given = read + (sums["input"] or 0) + (sums["cache_creation"] or 0)
    tokens = given + (sums["output"] or 0)
    return [
        Tile("Active people", "Distinct identities that clients claimed", words.number(sums["people"])),
        Tile("Sessions", "", words.number(sums["sessions"]), url=url, note=_change(sums["sessions"], sums["earlier"])),
        Tile(
            "Cost",
            "What clients reckoned, not what is billed",
            words.money(sums["cost"] or Decimal()),
            url=url,
            note="as clients reckon it",
        ),
        Tile("Tokens", "In and out, with what was read from the cache", _short(tokens), url=url),
        Tile("Cache share", "", per_cent(read, given), "%" if given else "", url, "of input tokens"),
    ]


def _change(now: int, before: int) -> str:
    if not before:
        return "none in the 14 days before"
    return f"{(now - before) * 100 / before:+.0f} % on the 14 days before".replace("-", "−")


def _short(count: int) -> str:
    """A count too long for a tile, in millions."""
    return words.number(count) if count < 1_000_000 else f"{words.number(round(count / 1_000_000, 1))} M"
