"""Requests to a vendor that counts them, spaced over all workers."""

import pytest

from connectors.models import Connection
from connectors.pulls import pace

pytestmark = pytest.mark.django_db

ENTERPRISE = Connection(vendor="anthropic_analytics", organization_id="acme")


def waits(reader: Connection, times: int) -> list[float]:
    slept: list[float] = []
    for _ in range(times):
        pace.wait(reader, slept.append)
    return slept


def test_each_request_takes_the_moment_after_the_one_before(settings):
    settings.CONNECTORS_REQUESTS_PER_MINUTE = 1
    first, second = waits(ENTERPRISE, 3)
    assert 0 < first <= 60 < second <= 120


def test_organisations_do_not_wait_for_each_other(settings):
    settings.CONNECTORS_REQUESTS_PER_MINUTE = 1
    assert waits(ENTERPRISE, 1) == waits(Connection(vendor="anthropic_analytics", organization_id="other"), 1) == []


def test_a_vendor_without_a_limit_is_not_spaced(settings):
    settings.CONNECTORS_REQUESTS_PER_MINUTE = 1
    assert waits(Connection(vendor="anthropic_admin", organization_id="acme"), 3) == []


def test_the_shortest_time_is_a_number_to_the_database(settings):
    settings.CONNECTORS_REQUESTS_PER_MINUTE = 1_000_000
    waits(ENTERPRISE, 2)
