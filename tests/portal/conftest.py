import pytest


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    """Passwords are slow to check on purpose, which tests need not wait for."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
