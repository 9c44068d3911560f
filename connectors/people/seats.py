"""The seats of a vendor's organisation, as its list of users says."""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from connectors.models import Connection, Identity, Seat
from connectors.people import identities
from connectors.people.names import LONGEST, is_address, spelled
from connectors.vendors.shape import SeatRow

_TOLD = ("identity_id", "name", "role", "added_at", "last_listed", "gone_at")


def replace(connection: Connection, rows: Sequence[SeatRow]) -> None:
    """Makes the seats of a connection those of the list; who is no longer in it gets `gone_at`. Again: nothing changes.

    A seat is known by the vendor's id; without an e-mail address its identity is that account. Who they are is joined
    later (connectors.people.join).
    """
    now = timezone.now()
    today = now.astimezone(dt.UTC).date()
    listed = {spelled("", row.external_id): row for row in rows}
    with identities.settled():
        known = {seat.external_id: seat for seat in connection.seats.select_for_update().order_by("pk")}
        names = {external_id: _name(external_id, row) for external_id, row in listed.items()}
        found = identities.resolve(names.values(), basis="vendor", day=today)
        told = [
            Seat(
                connection=connection, external_id=external_id, identity=found[names[external_id]],
                name=_text(row.name), role=_text(row.role), added_at=row.added_at,
                first_listed=known[external_id].first_listed if external_id in known else today, last_listed=today,
            )
            for external_id, row in sorted(listed.items())
        ]  # fmt: skip
        Seat.objects.bulk_create(
            told, 1000, update_conflicts=True, unique_fields=["connection", "external_id"], update_fields=_TOLD
        )
        connection.seats.filter(gone_at=None).exclude(external_id__in=listed).update(gone_at=now)


def _name(external_id: str, row: SeatRow) -> identities.Name:
    if is_address(row.email.strip()):
        return Identity.Kind.EMAIL, row.email
    return Identity.Kind.ACCOUNT_ID, external_id


def _text(value: str) -> str:
    return spelled("", value)[:LONGEST]
