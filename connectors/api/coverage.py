"""`/api/v1/coverage/`: who should report and does not."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import django_filters
import msgspec
from django.db.models import QuerySet
from rest_framework.request import Request

from audit.api.rows import moment
from audit.api.views import EvidenceList
from connectors.api.usage_rows import UsagePerson
from connectors.coverage import looking
from connectors.models import Covered, Device, Identity, Person, Seat


class CoverageSeat(msgspec.Struct, frozen=True):
    """`external_id` is the vendor's; it needs `identity:read`."""

    id: str
    connection_id: str
    connection: str
    external_id: str | None


class CoverageDevice(msgspec.Struct, frozen=True):
    """`serial` and `host` need `identity:read`."""

    id: str
    serial: str | None
    host: str | None
    platform: str


class CoverageIdentity(msgspec.Struct, frozen=True):
    """A name that is nobody's; `value` needs `identity:read`."""

    id: str
    kind: str
    value: str | None


class CoverageRow(msgspec.Struct, frozen=True):
    """One seat, device, person without a seat, sender nobody knows, or API key.

    `since`: from which day on it is so, where that can be told. `last_seen`: the newest day of telemetry. `usage_days`:
    on how many days of the window a vendor knows of use. `switches_off`: of those that decisions need. `actor`: the
    sender's id, as events have it. `as_of`: when it was looked at.
    """

    id: str
    kind: str
    state: str
    reason: str
    since: str | None
    last_seen: str | None
    usage_days: int
    switches_off: list[str]
    person: UsagePerson | None
    seat: CoverageSeat | None
    device: CoverageDevice | None
    identity: CoverageIdentity | None
    actor: str | None
    as_of: str | None


class CoverageFilter(django_filters.FilterSet):  # type: ignore[misc] # django-filter has no types
    """Which rows."""

    kind = django_filters.ChoiceFilter(choices=Covered.Kind.choices, help_text="What it is about.")
    state = django_filters.ChoiceFilter(choices=Covered.State.choices, help_text="Whether it reports.")
    person = django_filters.CharFilter(method="of_person", help_text="A person's `id`: `person-7`.", max_length=32)

    def of_person(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        number = value.removeprefix("person-")
        known = number.isascii() and number.isdecimal() and len(number) <= 18
        return queryset.filter(person=int(number)) if known else queryset.none()


class CoverageList(EvidenceList):
    """Coverage, what needs somebody first at the head."""

    required_scopes: ClassVar[Sequence[str]] = ("connectors:read",)
    model, row = Covered, CoverageRow
    filterset_class = CoverageFilter
    ordering = ("rank", "id")

    def prepared(self, found: Any) -> Any:
        return found.select_related("person", "device", "identity", "seat__connection")

    def rows(self, found: Sequence[Any]) -> Iterable[CoverageRow]:
        as_of = moment(looking.rule().computed_at)
        return (_row(each, self.rights.identity, as_of) for each in found)

    def _names_person(self, request: Request, sought: dict[str, str]) -> bool:
        return "person" in request.query_params


def _row(row: Covered, named: bool, as_of: str | None) -> CoverageRow:
    return CoverageRow(
        str(row.pk), row.kind, row.state, row.reason, _day(row.since), _day(row.last_seen), row.usage_days,
        list(row.switches_off),
        None if row.person is None else _person(row.person, named),
        None if row.seat is None else _seat(row.seat, named),
        None if row.device is None else _device(row.device, named),
        None if row.identity is None else _identity(row.identity, named),
        None if row.subject_id is None else str(row.subject_id),
        as_of,
    )  # fmt: skip


def _person(person: Person, named: bool) -> UsagePerson:
    return UsagePerson(f"person-{person.pk}", person.name if named else None, person.email if named else None)


def _seat(seat: Seat, named: bool) -> CoverageSeat:
    external_id = seat.external_id if named else None
    return CoverageSeat(str(seat.pk), str(seat.connection_id), seat.connection.name, external_id)


def _device(device: Device, named: bool) -> CoverageDevice:
    serial, host = (device.serial, device.host) if named else (None, None)
    return CoverageDevice(str(device.pk), serial, host, device.platform)


def _identity(identity: Identity, named: bool) -> CoverageIdentity:
    return CoverageIdentity(f"identity-{identity.pk}", identity.kind, identity.value if named else None)


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
