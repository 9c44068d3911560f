"""Processes of an `up` that was killed and that have outlived it: its workers' workers, above all."""

import contextlib
import os
import signal
import time
from pathlib import Path

from portal.state import State

MARK = "PORTAL_SUPERVISED"  # in the environment of every process that `up` starts: the state's folder
PATIENCE = 5.0  # seconds to stop cleanly; they were told when their parent died


def clear(state: State) -> int:
    """Wait for those of this state to end, kill those that do not; how many there were. Linux only, elsewhere none.

    Only for the process that holds the state's lease: whatever else bears the mark then has no parent any more.
    """
    first = found = _orphans(state)
    deadline = time.monotonic() + PATIENCE
    while found and time.monotonic() < deadline:
        time.sleep(0.05)
        found = _orphans(state)
    for pid in found:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return len(first)


def _orphans(state: State) -> set[int]:
    mark = os.fsencode(f"{MARK}={state.root}")
    found = set()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in entry.read_bytes().split(b"\0"):
                found.add(int(entry.parent.name))
    return found - {os.getpid()}
