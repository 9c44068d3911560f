import pytest

from connectors.models import Price


@pytest.fixture(autouse=True)
def _own_prices(request):
    """A test that asks the database sets its own prices: those of the migration are there only until one commits."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("transactional_db" if _commits(request) else "db")
        Price.objects.all().delete()


def _commits(request):
    return request.node.get_closest_marker("django_db").kwargs.get("transaction", False)
