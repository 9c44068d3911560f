"""The list of devices that an organisation imports, such as its MDM's."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import transaction

from audit import acts
from connectors.models import Device, Identity
from connectors.people import listing
from connectors.people.identities import settled
from connectors.people.listing import BadLine, Fault, Listed
from connectors.people.names import LONGEST, is_address, spelled

COLUMNS = {
    "serial": ("serial number", "device id", "asset"),
    "host": ("host name", "hostname", "device name", "computer name", "name"),
    "email": ("e-mail", "mail", "user", "owner", "email address", "primary user"),
    "platform": ("os", "operating system"),
}
MOST_TOLD = 500


class Entry(NamedTuple):
    serial: str
    host: str
    email: str
    platform: str


@dataclass(slots=True)
class Outcome:
    """What an import changes, or would: sentences with their line, the first MOST_TOLD of them."""

    changes: int = 0
    told: list[tuple[int, str]] = field(default_factory=list)

    def change(self, line: int, told: str) -> None:
        self.changes += 1
        if len(self.told) < MOST_TOLD:
            self.told.append((line, told))


def read(text: str) -> Listed[Entry]:
    listed = listing.read(text, COLUMNS, "serial", _entry)
    rows: list[tuple[int, Entry]] = []
    faults = list(listed.faults)
    lines: dict[str, int] = {}
    for line, entry in listed.rows:
        before = lines.setdefault(entry.serial, line)
        if before == line:
            rows.append((line, entry))
        else:
            faults.append(Fault(line, f"The serial number “{entry.serial}” is in line {before} already."))
    return Listed(rows, sorted(faults, key=lambda fault: fault.line))


def _entry(cells: Mapping[str, str]) -> Entry:
    if any(len(cell) > LONGEST for cell in cells.values()):
        raise BadLine(f"A cell has more than {LONGEST} characters.")
    serial = spelled("", cells.get("serial", ""))
    if not serial:
        raise BadLine("The serial number is missing.")
    email = spelled(Identity.Kind.EMAIL, cells.get("email", ""))
    if email and not is_address(email):
        raise BadLine(f"“{email}” is no e-mail address. Leave it empty if nobody is known to have it.")
    return Entry(serial, spelled("", cells.get("host", "")).lower(), email, spelled("", cells.get("platform", "")))


def preview(rows: Sequence[tuple[int, Entry]], *, complete: bool) -> Outcome:
    """What `apply` would change."""
    with settled():
        outcome = _apply(rows, complete)
        transaction.set_rollback(True)
    return outcome


def apply(rows: Sequence[tuple[int, Entry]], *, complete: bool, by: acts.Who, text: str) -> Outcome:
    """Makes the devices those of the list. `complete`: devices that it does not have go."""
    with settled():
        outcome = _apply(rows, complete)
        if outcome.changes:
            digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
            facts = {"list.lines": len(rows), "list.sha256": digest, "devices.changed": outcome.changes}
            acts.require("devices.imported", by=by, facts=facts)
    return outcome


def _apply(rows: Sequence[tuple[int, Entry]], complete: bool) -> Outcome:
    outcome = Outcome()
    known = {device.serial: device for device in Device.objects.order_by("pk")}
    written: list[Device] = []
    for line, entry in rows:
        device = known.pop(entry.serial, None)
        if device is None:
            outcome.change(line, f"{_called(entry)} is new.")
        elif (device.host, device.email, device.platform) != entry[1:]:
            before = Entry(device.serial, device.host, device.email, device.platform)
            outcome.change(line, f"{_called(before)} becomes {_called(entry)}.")
        else:
            continue
        written.append(Device(serial=entry.serial, host=entry.host, email=entry.email, platform=entry.platform))
    Device.objects.bulk_create(
        written, 1000, update_conflicts=True, unique_fields=["serial"], update_fields=["host", "email", "platform"]
    )
    if complete and rows:
        for device in known.values():
            outcome.change(0, f"{device.host or device.serial} goes: the list does not have it.")
        Device.objects.filter(pk__in=[device.pk for device in known.values()]).delete()
    return outcome


def _called(entry: Entry) -> str:
    return " ".join(filter(None, (entry.host or entry.serial, entry.email and f"of {entry.email}", entry.platform)))
