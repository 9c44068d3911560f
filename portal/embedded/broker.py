"""The embedded broker: Valkey on a private socket, its append-only file flushed every second.

What it holds are hints; the work itself is rows in PostgreSQL. So a file that cannot be read is set aside, not mourned.
"""

import contextlib
import socket
import time
from dataclasses import dataclass

from portal import state
from portal.embedded import binaries
from portal.embedded.accounts import Account, private_folder
from portal.embedded.children import Launch

ATTEMPTS = 2
_CONFIGURATION = """
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir .
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
loglevel warning
"""


@dataclass
class Broker:
    state: state.State
    account: Account | None
    name: str = "broker"

    def __post_init__(self) -> None:
        self._source = binaries.valkey()
        self._program = binaries.Program(self._source)
        self._attempts = 0  # to start, since it last answered

    def prepare(self) -> None:
        """A file that it has failed to read ATTEMPTS times is set aside for whoever wants to look."""
        if self._attempts >= ATTEMPTS and self.state.broker.exists():
            self.state.broker.rename(self.state.broker.with_name(f"broker.{int(time.time())}"))
            self._attempts = 0
        private_folder(self.state.sockets, self.account)
        self.state.folder("run")
        private_folder(self.state.broker, self.account)
        if self._program.copy is None:
            self._program = binaries.runnable(self._source, [self._source], self.account)

    def launch(self) -> Launch:
        """The configuration goes in by standard input: arguments can be read by everyone on the machine."""
        self._attempts += 1
        configuration = _CONFIGURATION.format(
            socket=_quoted(str(self.state.sockets / state.BROKER_SOCKET)), password=self.state.secret("broker.password")
        )
        return Launch(
            arguments=[self._program.path, "-"],
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            account=self.account,
            folder=self.state.broker,
            stdin=configuration.encode(),
        )

    def ready(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(self.state.sockets / state.BROKER_SOCKET))
            connection.sendall(f"AUTH {self.state.secret('broker.password')}\r\nPING\r\n".encode())
            answer = b""
            while chunk := connection.recv(256):
                answer += chunk
                if answer == b"+OK\r\n+PONG\r\n":
                    self._attempts = 0
                    return True
                if answer.count(b"\r\n") >= 2:  # it refuses, or is still reading its file
                    return False
        return False

    def blocked(self) -> bool:
        """A predecessor is gone as soon as it is killed, and a new one takes its socket over."""
        return False

    def provision(self) -> None:
        """It needs nothing more."""

    def close(self) -> None:
        self._program.remove_copy()
        self._program = binaries.Program(self._source)


def _quoted(text: str) -> str:
    """As Valkey's configuration wants a value that may hold spaces."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
