"""Requests to an organisation whose vendor counts them, evenly spaced over all workers."""

import datetime as dt
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection

from connectors.models import Connection
from connectors.vendors import registry

_SLOT = """
INSERT INTO connectors_pace AS pace (organization, next_at) VALUES (%(who)s, clock_timestamp() + %(apart)s::interval)
ON CONFLICT (organization) DO UPDATE SET next_at = greatest(pace.next_at, clock_timestamp()) + %(apart)s::interval
RETURNING extract(epoch FROM next_at - %(apart)s::interval - clock_timestamp())
"""


def wait(reader: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
    """Takes the next free moment for a request and waits until it has come."""
    apart = spacing(reader.vendor)
    if not apart:
        return
    who = f"{reader.vendor} {reader.organization_id or reader.pk}"
    with connection.cursor() as cursor:
        cursor.execute(_SLOT, {"who": who, "apart": str(apart)})
        (seconds,) = cursor.fetchone() or (0,)
    if seconds > 0:
        sleep(float(seconds))


def spacing(vendor: str) -> dt.timedelta:
    """The least time between two requests; none where the vendor states no limit."""
    if vendor not in registry.LIMITED:
        return dt.timedelta(0)
    return dt.timedelta(minutes=1) / settings.CONNECTORS_REQUESTS_PER_MINUTE
