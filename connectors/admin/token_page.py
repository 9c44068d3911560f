"""What a token's page tells of its use: what came by the hour, from which installations, and who was left behind."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from connectors import books
from connectors.admin.installations import named
from connectors.books import Hour
from connectors.models import Installation, Token
from connectors.roster import clients

DAY = dt.timedelta(days=1)
SHOWN = 10
SHOWN_ON = "ingestion-token"


def of_ingestion(request: HttpRequest, token: Token) -> dict[str, Any]:
    """The context of an ingestion token's page."""
    rows = Installation.objects.filter(token_id=token.pk)
    newest = list(clients.described(rows).order_by("-last_at", "-id")[:SHOWN])
    return {
        "day": day_of([token.pk]),
        "installations": named(request, newest, SHOWN_ON, token.pk),
        "installations_url": listed(token_id__exact=token.pk),
        "rotation": _rotation(request, token),
    }


def day_of(token_ids: Sequence[int]) -> dict[str, Any]:
    """The last 24 hours, hour by hour, with their sums; hours in which nothing came are there, too."""
    now = timezone.now()
    first = (now - DAY + dt.timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    came = {hour.hour: hour for hour in books.kept().hours(token_ids, first)}
    hours = [came.get(first + dt.timedelta(hours=n), Hour(first + dt.timedelta(hours=n))) for n in range(24)]
    return {
        "hours": hours,
        "requests": sum(hour.requests for hour in hours),
        "records": sum(hour.records for hour in hours),
        "refused": sum(hour.refused for hour in hours),
    }


def listed(**lookups: Any) -> str:
    """The list of installations, narrowed."""
    return f"{reverse('admin:connectors_installation_changelist')}?{urlencode(lookups)}"


def _rotation(request: HttpRequest, token: Token) -> dict[str, Any] | None:
    """Of a token that was rotated: how many moved, went silent or still use it, and who those are."""
    if not hasattr(token, "replaced_by"):
        return None
    rows = clients.after_rotation(clients.described(Installation.objects.filter(token_id=token.pk)))
    counts = dict(rows.order_by().values_list("rotation").annotate(count=Count("pk")))
    urls = {
        state: listed(token_id__exact=token.pk, rotation=state)
        for state in (clients.STILL, clients.SILENT, clients.MOVED)
    }
    still = rows.filter(rotation=clients.STILL).order_by("-last_at", "-id")
    return {
        "successor": token.replaced_by,
        "counts": {state: (counts.get(state, 0), url) for state, url in urls.items()},
        "still": named(request, still[:SHOWN], SHOWN_ON, token.pk),
        "download": urls[clients.STILL].replace("?", "download.csv?"),
    }
