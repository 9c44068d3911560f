from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.portal.people import BACKEND, REVIEWER, person


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    """Passwords are slow to check on purpose, which tests need not wait for."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def as_user(db: None) -> Callable[[Any], Client]:
    def log_in(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return log_in


@pytest.fixture
def reviewer(as_user: Callable[[Any], Client]) -> Client:
    return as_user(person(REVIEWER))
