"""The life of a connection. Its key is checked before it is kept, kept sealed, and comes out only for a worker."""

from collections.abc import Mapping
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit import acts
from connectors import credentials
from connectors.connections import health, keys
from connectors.connections.checking import Checked, check
from connectors.models import Connection, Page, Pull
from connectors.pulls import backfills, claims, planning
from connectors.vendors import registry
from connectors.vendors.shape import KeyKind, VendorError
from connectors.vendors.telling import without_key


class NotConnected(Exception):
    """A connection that cannot be made or changed like that; the message says why, to whoever asked."""


@sensitive_variables("key")
def connect(vendor: str, name: str, key: str, *, by: acts.Who) -> Connection:
    """A new connection, whose key was recognised and answered by the vendor. Raises keys.WrongKey and NotConnected."""
    kind, checked = _examined(vendor, key)
    connection = Connection(vendor=vendor, name=name, created_by=str(by))
    now = timezone.now()
    with transaction.atomic():
        _one_at_a_time()
        _refuse_twice(connection, checked)
        _take(connection, key, kind, checked, by)
        connection.save(force_insert=True)
        health.checked(connection, checked.answers, now)
        connection.refresh_from_db()
        planning.plan_one(connection, now)
        _told("connection.connected", connection, by)
    return connection


@sensitive_variables("key")
def change_key(connection: Connection, key: str, *, by: acts.Who) -> Connection:
    """Another key of the same organisation. What waited for it goes on. Raises keys.WrongKey and NotConnected."""
    kind, checked = _examined(connection.vendor, key)
    if connection.organization_id and checked.organization.id != connection.organization_id:
        raise NotConnected(
            f"This key belongs to another organisation ({checked.organization.name or checked.organization.id}). "
            "Connect that one by itself: figures of two organisations must not become one."
        )
    with transaction.atomic():
        current = Connection.objects.select_for_update().get(pk=connection.pk)
        _take(current, key, kind, checked, by)
        current.save()
        health.checked(current, checked.answers, timezone.now())
        backfills.revive(current)
        _told("connection.key_changed", current, by)
    current.refresh_from_db()
    return current


@sensitive_variables("key")
def _examined(slug: str, key: str) -> tuple[KeyKind, Checked]:
    vendor = registry.vendor(slug)
    kind = keys.recognised(vendor, key)
    try:
        checked = check(vendor, key)
    except VendorError as error:
        told = without_key(error.told, key)
        lead = "The vendor refuses this key." if error.refused else "The key could not be checked, so it is not kept."
        raise NotConnected(f"{lead} {told}") from None
    if not checked.opens_anything:
        raise NotConnected(f"This key opens nothing of {vendor.title}. {checked.answers[0].told}")
    return kind, checked


def _one_at_a_time() -> None:
    """Until the transaction ends, nobody else makes or renames a connection: what was looked up stays true."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('connectors.connection', 0))")


def _refuse_twice(connection: Connection, checked: Checked) -> None:
    """One organisation read twice would be counted twice, and two of a name could not be told apart."""
    if Connection.objects.filter(name__iexact=connection.name).exists():
        raise NotConnected("There is a connection of this name already.")
    same = Connection.objects.filter(vendor=connection.vendor, organization_id=checked.organization.id)
    if checked.organization.id and (known := same.first()):
        raise NotConnected(
            f"{checked.organization.name or checked.organization.id} is connected already, as “{known.name}”. "
            "To read it with this key, change the key there."
        )


@sensitive_variables("key")
def _take(connection: Connection, key: str, kind: KeyKind, checked: Checked, by: acts.Who) -> None:
    connection.organization_id = checked.organization.id
    connection.organization_name = checked.organization.name
    connection.key_kind = kind.slug
    connection.fingerprint, connection.last_four = keys.fingerprint(key), keys.last_four(key)
    connection.key_set_at, connection.key_set_by = timezone.now(), str(by)
    connection.trouble, connection.trouble_at, connection.check_asked_at = "", None, None
    credentials.seal(connection, "secret", key)


def rename(connection: Connection, name: str, *, by: acts.Who) -> None:
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(name=name)
        connection.name = name
        _told("connection.renamed", connection, by)


def pause(connection: Connection, *, by: acts.Who) -> None:
    """Nothing is read from now on; what is under way is left at its page. Again: nothing changes."""
    with transaction.atomic():
        now = timezone.now()
        paused = Connection.objects.filter(pk=connection.pk, paused_at=None).update(paused_at=now, paused_by=str(by))
        if paused:
            claims.let_go(connection.pulls.filter(state=Pull.State.RUNNING), Pull.State.QUEUED)
            _told("connection.paused", connection, by)


def resume(connection: Connection, *, by: acts.Who) -> None:
    with transaction.atomic():
        resumed = Connection.objects.filter(pk=connection.pk).exclude(paused_at=None)
        if resumed.update(paused_at=None, paused_by=""):
            _told("connection.resumed", connection, by)


def ask_check(connection: Connection, *, by: acts.Who) -> None:
    """Has a worker ask every endpoint again: only workers open keys."""
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(check_asked_at=timezone.now())
        _told("connection.check_asked", connection, by)


def effect_of_deleting(connection: Connection) -> dict[str, int]:
    """What goes with it, by what it is called."""
    pulls = connection.pulls.aggregate(pulls=Count("pk"))["pulls"]
    return {
        "user-days": connection.usage.count(),
        "seats": connection.seats.count(),
        "reported figures": connection.reports.count(),
        "runs": pulls,
        "raw pages": Page.objects.filter(pull__connection=connection).count(),
        "backfills": connection.backfills.count(),
    }


def delete(connection: Connection, *, by: acts.Who) -> None:
    """With everything that was read through it. Workers at its pulls find that these are not theirs any more."""
    with transaction.atomic():
        current = Connection.objects.select_for_update().filter(pk=connection.pk).first()
        if current is None:
            return
        list(current.pulls.select_for_update().values_list("pk", flat=True))  # no page can be added from here on
        _told("connection.deleted", current, by, effect_of_deleting(current))
        Page.objects.filter(pull__connection=current).delete()
        current.delete()


def _told(act: str, connection: Connection, by: acts.Who, facts: Mapping[str, Any] = {}) -> None:
    """Leaves an act of the portal, in the transaction that does it. The key is in no part of it."""
    about = {
        "connection.id": str(connection.pk),
        "connection.vendor": connection.vendor,
        "connection.key_kind": connection.key_kind,
        "connection.key_fingerprint": connection.fingerprint,
    }
    counts = {f"deleted.{name.replace(' ', '_').replace('-', '_')}": count for name, count in facts.items()}
    content = {"connection.name": connection.name, "organization.name": connection.organization_name}
    acts.require(act, by=by, facts={**about, **counts}, content=content)
