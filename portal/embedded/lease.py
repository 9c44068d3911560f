"""Who runs the embedded database of a state: the process that holds its lock, for as long as it holds it."""

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from portal.embedded.errors import ServerError
from portal.state import State

A_LOOK = 1.0  # seconds, more than `is_held` holds the lock to find out


@contextlib.contextmanager
def held(state: State, purpose: str) -> Iterator[None]:
    """Be the one that runs the servers of this state; ServerError, naming the one who is, when there is one."""
    with _file(state, "servers.lock") as file:
        deadline = time.monotonic() + A_LOOK
        while not (locked := _locked(file)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not locked:
            file.seek(0)
            raise ServerError(f"The portal of {state.root} is already running: {file.read().strip() or 'unknown'}.")
        file.truncate(0)
        file.write(f"{purpose}, process {os.getpid()}\n")
        file.flush()
        yield


def is_held(state: State) -> bool:
    with _file(state, "servers.lock") as file:
        return not _locked(file)


@contextlib.contextmanager
def using(state: State) -> Iterator[None]:
    """Keep whoever runs the servers only for a command of its own from stopping them while this block lasts."""
    with _file(state, "users.lock") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def wait_for_users(state: State) -> None:
    """Return when nobody is inside `using` any more."""
    with _file(state, "users.lock") as file:
        if not _locked(file):
            print("Waiting for other commands that use the database …", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _file(state: State, name: str) -> IO[str]:
    """Never inherited, so that a lock ends with its process and not with that process's children."""
    return Path(state.folder("run"), name).open("a+", encoding="utf-8")
