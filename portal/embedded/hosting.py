"""Runs embedded servers for as long as a block lasts."""

import contextlib
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from portal.embedded.children import Launch, spawn
from portal.embedded.errors import ServerError

START_WITHIN = 120  # seconds: a crash recovery of gigabytes of log included
STOP_WITHIN = 60
POLL = 0.02


class Server(Protocol):
    """What a server offers to whoever supervises it."""

    @property
    def name(self) -> str: ...
    def prepare(self) -> None:
        """Make what must be there before `launch`."""

    def blocked(self) -> bool:
        """Whether it has to wait for a predecessor."""

    def launch(self) -> Launch: ...
    def ready(self) -> bool:
        """Whether it answers."""

    def provision(self) -> None:
        """Make what must be inside it, each time it has become ready."""

    def close(self) -> None:
        """Remove what it left outside the state's folder."""


@contextlib.contextmanager
def hosted(servers: Sequence[Server], log: Path) -> Iterator[None]:
    """Start the servers one after the other, and stop them in reverse order; what they say goes to the file `log`."""
    with contextlib.ExitStack() as stack, log.open("wb") as output:
        for server in servers:
            stack.callback(server.close)
            process = _started(server, output.fileno(), log)
            stack.callback(_stop, process, server.launch().stop_signal)
            server.provision()
        yield


def _started(server: Server, output: int, log: Path) -> subprocess.Popen[bytes]:
    deadline = time.monotonic() + START_WITHIN
    while server.blocked():
        time.sleep(POLL)
    server.prepare()
    process = spawn(server.launch(), output)
    while not server.ready():
        if process.poll() is not None:
            raise ServerError(f"{server.name} did not start: {_last_lines(log)}")
        if time.monotonic() > deadline:
            process.kill()
            raise ServerError(f"{server.name} did not answer within {START_WITHIN} s; see {log}.")
        time.sleep(POLL)
    return process


def _stop(process: subprocess.Popen[bytes], stop_signal: int) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_lines(log: Path) -> str:
    return " ".join(log.read_text(errors="replace").splitlines()[-3:])
