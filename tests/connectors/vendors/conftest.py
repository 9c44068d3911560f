from collections.abc import Iterator

import pytest

from tests.vendor import FakeVendor


@pytest.fixture(scope="module")
def _vendor() -> Iterator[FakeVendor]:
    with FakeVendor(users=40, days=10) as vendor:
        yield vendor


@pytest.fixture
def vendor(_vendor: FakeVendor) -> Iterator[FakeVendor]:
    """A vendor with forty people and ten days, as if new."""
    yield _vendor
    _vendor.faults.clear()
    _vendor.revoked.clear()
    _vendor.requests.clear()
    _vendor.company.revisions.clear()
    _vendor.page_limit, _vendor.me_for_enterprise, _vendor.address_field = 1000, True, "email_address"
