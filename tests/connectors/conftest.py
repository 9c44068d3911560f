import pytest
from django.conf import settings as configured


@pytest.fixture(scope="session", autouse=True)
def _folder_of_static_files():
    configured.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _uncollected_static_files(settings):
    """Pages name their static files without a hash, so that nothing has to be collected first."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
