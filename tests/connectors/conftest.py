import pytest


@pytest.fixture(autouse=True)
def _uncollected_static_files(settings):
    """Pages name their static files without a hash, so that nothing has to be collected first."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
