import pytest

from audit.search import hits
from audit.signer import Signer


@pytest.fixture(params=["few", "many"])
def few_or_many(request, monkeypatch):
    """What is found in few texts is named, what is in many is read from the newest on: both find the same."""
    if request.param == "many":
        monkeypatch.setattr(hits, "AT_MOST", 0)


@pytest.fixture
def signer(tmp_path):
    """A signer with a key and no memory, in `tmp_path / "signer"`."""
    made = Signer(tmp_path / "signer")
    made.make_key()
    return made
