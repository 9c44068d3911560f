"""Checks that were asked for by a person, done by a worker. Twice is no harm; a lost one is asked again."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from connectors import credentials
from connectors.connections import health
from connectors.connections.checking import check
from connectors.models import Connection
from connectors.pulls import backfills
from connectors.pulls.work import UNOPENED
from connectors.vendors import registry
from connectors.vendors.shape import VendorError
from connectors.vendors.telling import without_key

UNASKED = "Not asked: the key was refused."


def do_asked() -> int:
    """Checks every connection for which that was asked; how many those were."""
    asked = list(Connection.objects.exclude(check_asked_at=None))
    for connection in asked:
        recheck(connection)
        _settle(connection, connection.check_asked_at)
    return len(asked)


@sensitive_variables("key")
def recheck(connection: Connection) -> None:
    """Writes what every endpoint answers. A key that is refused, or does not open, is the connection's trouble."""
    now = timezone.now()
    try:
        vendor = registry.vendor(connection.vendor)
        key = credentials.unseal(connection, "secret")
    except (credentials.Unreadable, credentials.NoKey, registry.UnknownVendor) as error:
        health.refused(connection, UNOPENED if isinstance(error, credentials.Unreadable) else str(error), now)
        return
    try:
        checked = check(vendor, key)
    except VendorError as error:
        if error.refused or error.status == 401:
            health.refused(connection, without_key(error.told, key), now)
            connection.capabilities.update(allowed=None, status=error.status, told=UNASKED, checked_at=now)
        else:  # it says nothing of the key, nor of what that may read
            health.unreachable(connection, f"Could not be asked. {without_key(error.told, key)}", error.status, now)
        return
    with transaction.atomic():
        health.checked(connection, checked.answers, now)
        backfills.revive(connection)


def _settle(connection: Connection, asked_at: dt.datetime | None) -> None:
    """Unless it was asked for again meanwhile."""
    Connection.objects.filter(pk=connection.pk, check_asked_at=asked_at).update(check_asked_at=None)
