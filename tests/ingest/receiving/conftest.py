"""One real receiver a module, on a database that keeps what its tests commit until the module ends."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.conftest import empty
from tests.processes import ReceiverProcess
from tests.processes import receiver as started


@pytest.fixture(scope="module")
def live_database(
    django_db_setup: None, django_db_blocker: pytest.FixtureRequest, superuser_url: str
) -> Iterator[None]:
    from django.db import connection

    with django_db_blocker.unblock():
        yield
        with psycopg.connect(superuser_url, dbname=connection.settings_dict["NAME"], autocommit=True) as superuser:
            empty(superuser)


@pytest.fixture(scope="module")
def receiver(live_database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverProcess]:
    with started(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture(scope="module")
def issue(live_database: None) -> Callable[..., str]:
    """Issues a token and gives its secret; each of a source of its own."""
    import itertools

    from connectors import tokens

    numbers = itertools.count()

    def made(kind: str = "ingest", scopes: tuple[str, ...] = ("logs", "metrics", "traces"), **more: object) -> str:
        return tokens.issue(kind, f"test {kind} {next(numbers)}", by="test", scopes=scopes, **more)[1]

    return made


@pytest.fixture(scope="module")
def token(issue: Callable[..., str]) -> str:
    return issue()
