"""The portal's own processes, started for a test against its database."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connections

from portal.runner.orphans import MARK

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 90


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


def until(condition: Any, seconds: float = 60, every: float = 0.02) -> Any:
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
    """A receiver on a port of its own, that can be killed and started again."""

    port: int
    log: Path
    variables: dict[str, str]
    number: int = 1
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(PROJECT / "manage.py"), "receive", f"--number={self.number}"],
                env=environment(OTLP_HTTP_BIND=f"127.0.0.1:{self.port}", **self.variables),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        until(self.is_up, START_SECONDS)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()

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


@contextlib.contextmanager
def receiver(folder: Path, **variables: str) -> Iterator[ReceiverProcess]:
    running = ReceiverProcess(free_port(), folder / "receiver.log", variables)
    try:
        running.start()
        yield running
    finally:
        running.stop()
