"""Children that run in the foreground and do not outlive this process, whatever ends it."""

import ctypes
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from portal.embedded.accounts import Account

_PR_SET_PDEATHSIG = 1
TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a program: its arguments and surroundings, and the signal that makes it stop cleanly."""

    arguments: Sequence[str | Path]
    environment: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account | None = None
    folder: Path = Path("/")
    descriptors: tuple[int, ...] = ()
    stdin: bytes = b""
    cleanup: Callable[[], None] = field(default=lambda: None)


def spawn(launch: Launch, output: int | IO[Any] | None) -> subprocess.Popen[bytes]:
    """Start it in a session of its own (a terminal's Ctrl-C is ours to pass on), stdout and stderr to `output`.

    Call it from a thread that lives as long as the process: Linux sends the death signal when that thread ends.
    """
    arguments = [os.fspath(argument) for argument in launch.arguments]
    descriptors = launch.descriptors
    stdin = _pipe(launch.stdin)
    tether = None
    if sys.platform != "linux":
        tether = os.pipe()
        arguments = [sys.executable, str(TETHER), str(tether[0]), str(int(launch.stop_signal)), *arguments]
        descriptors = (*descriptors, tether[0])
    try:
        process = subprocess.Popen(
            arguments,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(launch.environment),
            cwd=launch.folder,
            user=launch.account.uid if launch.account else None,
            group=launch.account.gid if launch.account else None,
            extra_groups=[] if launch.account else None,
            pass_fds=descriptors,
            start_new_session=True,
            preexec_fn=_die_with_parent(launch.stop_signal) if tether is None else None,
        )
    finally:
        os.close(stdin)
        if tether is not None:
            os.close(tether[0])
        launch.cleanup()
    if tether is not None:
        weakref.finalize(process, os.close, tether[1])
    return process


def _pipe(content: bytes) -> int:
    """The reading end of a pipe that holds `content` (well under a pipe's 64 KiB) and ends there."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def _die_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def set_death_signal() -> None:
        """Runs in the child after it has changed its user, which would reset the signal."""
        prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), stop_signal)

    return set_death_signal
