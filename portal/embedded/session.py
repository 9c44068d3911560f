"""The database for one command: that of a running `up`, an external one, or an embedded one started just for it."""

import contextlib
import os
import time
from collections.abc import Iterator

from portal import env, state
from portal.embedded import lease
from portal.embedded.accounts import account
from portal.embedded.errors import ServerError
from portal.embedded.hosting import POLL, START_WITHIN, hosted
from portal.embedded.postgres import Postgres


@contextlib.contextmanager
def database(purpose: str) -> Iterator[bool]:
    """The settings' database answers while the block lasts; True if it was started just for that.

    `purpose` is what others read who find it running.
    """
    if env.text("DATABASE_URL"):
        yield False
        return
    here = state.here()
    server = Postgres(here, account(here.postgres, here.broker))
    os.environ["PATH"] = f"{server.programs}{os.pathsep}{os.environ.get('PATH', '')}"  # psql, for dbshell
    with contextlib.ExitStack() as stack:
        hosting = False
        while not hosting and not _borrowed(stack, here, server):
            hosting = _hosted(stack, here, server, purpose)
        yield hosting


def _borrowed(stack: contextlib.ExitStack, here: state.State, server: Postgres) -> bool:
    """Whether someone else runs the server, and it answers."""
    stack.enter_context(lease.using(here))
    deadline = time.monotonic() + START_WITHIN
    while lease.is_held(here):
        if server.ready():
            return True
        if time.monotonic() > deadline:
            raise ServerError(f"The database of {here.root} is being started by another process but does not answer.")
        time.sleep(POLL)
    stack.close()
    return False


def _hosted(stack: contextlib.ExitStack, here: state.State, server: Postgres, purpose: str) -> bool:
    """Whether we run the server now; someone else may have been quicker."""
    try:
        stack.enter_context(lease.held(here, purpose))
    except ServerError:
        return False
    stack.callback(here.remove_sockets)
    stack.enter_context(hosted([server], here.folder("run") / "postgres.log"))
    stack.callback(lease.wait_for_users, here)
    return True
