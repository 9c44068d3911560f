"""Asking a vendor what a key may read: whose it is, then one page of every endpoint."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from connectors.pulls import planning
from connectors.vendors.shape import Endpoint, Organization, Vendor, VendorError
from connectors.vendors.telling import without_key

PATIENCE_SECONDS = 25.0
"""For all endpoints together: somebody waits for it. What was not reached says so, and the first pull tells."""

REFUSED = frozenset({401, 402, 403, 404})
NOT_REACHED = "Not asked yet: the vendor answered too slowly for all endpoints. The first pull tells."
ANSWERS = "It answers."


@dataclass(frozen=True, slots=True)
class Answer:
    """What one endpoint answered. `allowed` None: nothing that says so."""

    endpoint: str
    allowed: bool | None
    status: int | None
    told: str
    has_figures: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    organization: Organization
    answers: Sequence[Answer]

    @property
    def opens_anything(self) -> bool:
        return any(answer.allowed is not False for answer in self.answers)


@sensitive_variables("key")
def check(vendor: Vendor, key: str, clock: Callable[[], float] = time.monotonic) -> Checked:
    """Raises VendorError if the vendor does not say whose key it is; the key is not in its text."""
    over = clock() + PATIENCE_SECONDS
    organization = vendor.organization(key)
    now = timezone.now()
    answers = [
        ask(vendor, key, endpoint, now) if clock() < over else Answer(endpoint.name, None, None, NOT_REACHED)
        for endpoint in vendor.endpoints
    ]
    return Checked(organization, answers)


@sensitive_variables("key")
def ask(vendor: Vendor, key: str, endpoint: Endpoint, now: dt.datetime) -> Answer:
    """One page of the newest day that there should be. An answer about the day is one that allows."""
    day = max(filter(None, (planning.newest_day(endpoint, now), endpoint.earliest))) if endpoint.daily else None
    try:
        fetched = vendor.fetch(key, endpoint.name, day, "")
        return Answer(endpoint.name, True, fetched.status, ANSWERS, _figures(vendor, endpoint, day, fetched.body))
    except VendorError as error:
        told = without_key(error.told, key)
        if error.status == 400 and day is not None:
            return Answer(endpoint.name, True, 400, f"It answers; the figures of {day} are not there yet.")
        allowed = False if error.status in REFUSED else None
        return Answer(endpoint.name, allowed, error.status, told)


def _figures(vendor: Vendor, endpoint: Endpoint, day: dt.date | None, body: bytes) -> dt.date | None:
    """The day, if the page has figures of it. A page that cannot be read is the first pull's to tell."""
    try:
        reading = vendor.read(endpoint.name, day, [body])
    except VendorError:
        return None
    return day if reading.usage or reading.reports else None
