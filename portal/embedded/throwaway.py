"""A database and a broker for one run of the tests: made in a fraction of a second, gone without a trace."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portal.embedded.accounts import account
from portal.embedded.broker import Broker
from portal.embedded.hosting import Server, hosted
from portal.embedded.postgres import Postgres
from portal.state import APPLICATION, OWNER, SUPERUSER, State


@contextlib.contextmanager
def cluster(*, broker: bool = True, durable: bool = False) -> Iterator[dict[str, str]]:
    """Run both servers and give the environment variables that point a portal to them.

    `DATABASE_URL`, `DATABASE_OWNER_URL`, `CELERY_BROKER_URL` and `PORTAL_VAR` as the portal reads them, and for tests
    `PORTAL_TEST_SUPERUSER_URL` (that cluster's superuser) and `PORTAL_TEST_BROKER_URL`. The database is empty.
    """
    root = Path(tempfile.mkdtemp(prefix="portal-test-"))
    state = State(root)
    try:
        with hosted(list(_servers(state, broker, durable)), state.folder("run") / "servers.log"):
            yield _environment(state, broker)
    finally:
        state.remove_sockets()
        shutil.rmtree(root, ignore_errors=True)


def _servers(state: State, broker: bool, durable: bool) -> Iterator[Server]:
    owner = account()
    yield Postgres(state, owner, durable=durable)
    if broker:
        yield Broker(state, owner)


def _environment(state: State, broker: bool) -> dict[str, str]:
    urls = {"CELERY_BROKER_URL": state.broker_url(), "PORTAL_TEST_BROKER_URL": state.broker_url()} if broker else {}
    return {
        "PORTAL_VAR": str(state.root),
        "DATABASE_URL": state.database_url(APPLICATION),
        "DATABASE_OWNER_URL": state.database_url(OWNER),
        "PORTAL_TEST_SUPERUSER_URL": state.database_url(SUPERUSER, "postgres"),
        **urls,
    }
