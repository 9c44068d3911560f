"""Every test runs against a real PostgreSQL, as the application's own login, on a schema made by the migrations.

`manage.py test` starts the servers; when pytest is started by itself, they are started here. This happens before Django
reads its settings, which is why the settings module is named here and not in pyproject.toml.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import django
import hypothesis
import psycopg
import pytest
from psycopg import sql

from portal.embedded import throwaway

pytest.register_assert_rewrite("tests.browser")

from tests.browser import browser, chromium  # noqa: E402, F401 - fixtures

_servers = contextlib.ExitStack()

if "PORTAL_TEST_SUPERUSER_URL" not in os.environ:
    os.environ.update(_servers.enter_context(throwaway.cluster()))
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
django.setup()

KEPT = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "django_celery_beat_intervalschedule",
    "django_celery_beat_crontabschedule",
    "django_celery_beat_clockedschedule",
    "django_celery_beat_solarschedule",
    "django_celery_beat_periodictask",
}
"""What the migrations fill and tests do not change, and what is emptied together with it."""

hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # how long it takes says more of the machine than of the code
hypothesis.settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the long forms of tests")


LONGEST_NAME = 40
ONE_AFTER_ANOTHER = (
    "tests/portal/",
    "tests/ingest/receiving/",
    "tests/ingest/test_replay.py",
    "tests/connectors/test_story.py",
)
"""Tests that start processes of the portal's: of several, they would take each other's ports, memory and patience."""
BY_THEMSELVES = {
    f"tests/portal/test_{name}.py"
    for name in ("accounts", "celery", "csp", "dashboard", "logs", "portal_acts", "roles", "site", "static")
}
"""Among those, and without any process: the other worker may have them."""


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Long texts are no names: some hold the time or a random key, and two workers would call them differently."""
    return argname if isinstance(val, str | bytes) and len(val) > LONGEST_NAME else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:  # what two workers share out between them: files, and all that start processes in one
        file = item.nodeid.partition("::")[0]
        in_turn = file.startswith(ONE_AFTER_ANOTHER) and file not in BY_THEMSELVES
        group = "processes" if in_turn else file
        item.add_marker(pytest.mark.xdist_group(group))
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="the long form; run with --slow"))


def pytest_unconfigure() -> None:
    _servers.close()


@pytest.fixture(scope="session")
def superuser_url() -> str:
    return os.environ["PORTAL_TEST_SUPERUSER_URL"]


@pytest.fixture(scope="session")
def django_db_setup(superuser_url: str, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    from django.core.management import call_command
    from django.db import connections

    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    with psycopg.connect(superuser_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} OWNER portal_owner").format(sql.Identifier(name)))
        for alias in connections:
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = connections.settings[alias]["NAME"] = name
        with django_db_blocker.unblock():
            call_command("migrate", database="owner", verbosity=0)
        yield
        for alias in connections:
            connections[alias].close()
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database_superuser(superuser_url: str, db: None) -> Iterator[psycopg.Connection]:
    """The test database as its superuser: for what no login of the portal may do."""
    from django.db import connection

    with psycopg.connect(superuser_url, dbname=connection.settings_dict["NAME"], autocommit=True) as superuser:
        yield superuser


@pytest.fixture
def unrecordable(database_superuser: psycopg.Connection) -> Callable[[], contextlib.AbstractContextManager[None]]:
    """A time in which the application may read events and write none."""
    from audit.grants import application_login

    login = sql.Identifier(application_login())

    @contextlib.contextmanager
    def refused() -> Iterator[None]:
        database_superuser.execute(sql.SQL("REVOKE INSERT ON audit_event FROM {}").format(login))
        try:
            yield
        finally:
            database_superuser.execute(sql.SQL("GRANT INSERT ON audit_event TO {}").format(login))

    return refused


@pytest.fixture(scope="session", autouse=True)
def _cleaning_as_superuser(superuser_url: str) -> None:
    """After a test that commits, tables are emptied by the superuser: the application may not, and evidence refuses."""
    from django.db import connection
    from django.test import TransactionTestCase

    def clean(self: TransactionTestCase) -> None:
        with psycopg.connect(superuser_url, dbname=connection.settings_dict["NAME"], autocommit=True) as superuser:
            empty(superuser)

    TransactionTestCase._fixture_teardown = clean


def empty(superuser: psycopg.Connection) -> None:
    """Empties every table but those the migrations fill."""
    tables = superuser.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition AND relname <> ALL(%s)",
        [list(KEPT)],
    ).fetchall()
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in tables)
        superuser.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))


@pytest.fixture(autouse=True)
def _forget_caches() -> None:
    """What one test's rolled-back database knew must not be believed by the next."""
    from audit import ledger, projection_state

    ledger.subjects.forget()
    ledger.origins.forget()
    projection_state.forget()


@pytest.fixture(scope="session", autouse=True)
def _folder_of_static_files() -> None:
    """WhiteNoise warns of a missing folder, and warnings are errors."""
    from django.conf import settings

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _uncollected_static_files(settings: Any) -> None:
    """Pages name their static files without a hash, so that nothing has to be collected first."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
