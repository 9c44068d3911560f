"""The portal's own processes, started for a bench as `up` starts them, and the generator beside them."""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection

from audit.models import Heartbeat
from portal import state
from portal.bench import machine
from portal.bench.helper import helper
from portal.bench.load import Order, Report
from portal.embedded.children import spawn
from portal.embedded.errors import ServerError
from portal.health import RECEIVER
from portal.runner import ports, static
from portal.runner.parts import portal_parts
from portal.state import State

STARTS_WITHIN, STOPS_WITHIN = 60.0, 20.0
LISTENING = {
    "receiver": (settings.OTLP_HTTP_HOST, settings.OTLP_HTTP_PORT),
    "web": (settings.WEB_HOST, settings.WEB_PORT),
}


@dataclass(frozen=True, slots=True)
class Stack:
    """The process ids of what runs, by kind; `postgres` among them where it runs on this machine."""

    pids: Mapping[str, Sequence[int]]

    def cpu_seconds(self) -> dict[str, float]:
        return machine.cpu_seconds(self.pids)


@contextlib.contextmanager
def running(names: Sequence[str]) -> Iterator[Stack]:
    """Runs all processes of those kinds while the block lasts; what they say goes to files in the state's folder."""
    here = state.here()
    if "web" in names:
        static.collect(here)
    with contextlib.ExitStack() as stack:
        pids = {name: _start(stack, here, name) for name in names}
        for name in names:
            if name in LISTENING:
                _wait_for(name, partial(ports.is_open, *LISTENING[name]))
        if "receiver" in names:
            _wait_for("every receiver", _all_receivers_beat)
        yield Stack(_with_postgres(pids))


def _start(stack: contextlib.ExitStack, here: State, kind: str) -> list[int]:
    pids = []
    for part in portal_parts(here):
        if part.name == kind or part.name.startswith(f"{kind}-"):
            log = stack.enter_context((here.folder("run") / f"bench-{part.name}.log").open("wb"))
            process = spawn(part.launch(), log)
            stack.callback(_stop, process)
            pids.append(process.pid)
    return pids


def _all_receivers_beat() -> bool:
    return Heartbeat.objects.filter(name__startswith=RECEIVER).count() >= settings.INGEST_RECEIVERS


def _wait_for(name: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not ready():
        if time.monotonic() > deadline:
            raise ServerError(f"{name} did not start within {STARTS_WITHIN:.0f} s.")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _with_postgres(pids: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """The server is the parent of our own backend, if that is a process of this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    try:
        return {**pids, "postgres": [machine.parent(backend)]}
    except OSError:
        return dict(pids)


class Generator:
    """The generator's process (portal.bench.load)."""

    def __init__(self) -> None:
        self._process = helper("portal.bench.load")
        self.pid = int(self._answer()["ready"])

    def prepare(self, encoding: str, records: int) -> None:
        """Encodes what such a run sends, so that it costs nothing during the run."""
        self._ask({"prepare": [encoding, records]})

    def run(self, order: Order) -> Report:
        return Report(**self._ask(asdict(order)))

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, what: object) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise ServerError("The load generator ended.")
        answer: dict[str, Any] = json.loads(line)
        return answer
