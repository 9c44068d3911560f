"""The portal's own processes, started for a test against its database."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connections

from portal.runner.orphans import MARK

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 30


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def database_url(alias: str) -> str:
    """The test database as libpq reads it."""
    settings = connections[alias].settings_dict
    login = f"{settings['USER']}:{settings['PASSWORD']}" if settings["PASSWORD"] else settings["USER"]
    return f"postgresql://{login}@/{settings['NAME']}?host={quote(settings['HOST'], safe='')}"


def environment(**more: str) -> dict[str, str]:
    """What a process needs to work on the test's database."""
    urls = {"DATABASE_URL": database_url("default"), "DATABASE_OWNER_URL": database_url("owner")}
    return {**os.environ, **urls, MARK: os.environ["PORTAL_VAR"], "PORTAL_NO_BOOTSTRAP": "1", **more}


def until(condition: Any, seconds: float = 10, every: float = 0.02) -> Any:
    """The first true value of `condition()`; fails when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {condition}")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class ReceiverProcess:
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    tokens: list[str] = field(default_factory=list)

    def request(
        self, method: str = "POST", path: str = "/v1/logs", body: Any = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
                connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def post(
        self,
        body: bytes,
        token: str,
        *,
        path: str = "/v1/logs",
        content_type: str = "application/json",
        **headers: str,
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(
            "POST", path, body, {"Authorization": f"Bearer {token}", "Content-Type": content_type, **named}
        )

    def is_up(self) -> bool:
        try:
            return self.request("GET", "/healthz").status == 200
        except OSError:
            return False

    def workers(self) -> list[int]:
        """The process ids of granian's workers: those children that listen."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@contextlib.contextmanager
def receiver(folder: Path, **more: str) -> Iterator[ReceiverProcess]:
    """A real receiver on a port of its own."""
    port, log = free_port(), folder / "receiver.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(PROJECT / "manage.py"), "receive"],
            env=environment(OTLP_HTTP_BIND=f"127.0.0.1:{port}", **more),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = ReceiverProcess(port, process, log)
    try:
        until(running.is_up, START_SECONDS)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
