import pytest

from connectors.vendors import registry
from tests.connectors.canned import Canned


@pytest.fixture
def vendor(monkeypatch, settings, tmp_path) -> Canned:
    """A vendor that answers as the test says, and a key ring of the test's own."""
    settings.CONNECTORS_KEY_FOLDER = tmp_path / "keys"
    canned = Canned()
    monkeypatch.setitem(registry.VENDORS, canned.slug, canned)
    return canned
