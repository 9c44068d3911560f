"""`manage.py up` as a person runs it: the whole portal, started, killed part by part and as a whole, and stopped."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.runner.orphans import MARK
from portal.state import PROJECT, State
from tests.portal.hosts import clean_environment, wait_until

PARTS = {
    "receiver": "manage.py receive",
    "web": "granian",
    "worker": "celery --app=portal.celery --quiet worker",
    "beat": "celery --app=portal.celery --quiet beat",
    "sealer": "manage.py seal",
    "projector": "manage.py project",
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Portal:
    """One installation: a folder for its state and two ports."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder / "x y" / "var")
        self.web, self.otlp = free_port(), free_port()
        self.output = folder / "output"
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self, **changes: str) -> dict[str, str]:
        return clean_environment(
            PORTAL_VAR=str(self.state.root),
            PORTAL_BIND=f"127.0.0.1:{self.web}",
            OTLP_HTTP_BIND=f"127.0.0.1:{self.otlp}",
            **changes,
        )

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """A command, from a folder that is not the project's, to its end."""
        command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
        environment = self.environment(**changes)
        return subprocess.run(
            command, cwd="/", env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def start(self) -> None:
        with self.output.open("wb") as output:
            command = [sys.executable, str(PROJECT / "manage.py"), "up"]
            self.process = subprocess.Popen(command, cwd="/", env=self.environment(), stdout=output, stderr=output)
        try:
            wait_until(self.is_up, "the portal is up", within=180)
        except AssertionError:
            sys.stderr.write(self.text())
            raise

    def is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.text()
        return "\nUp after " in self.text() and self.is_ready()

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return self.get("/readyz")[0] == 200
        return False

    def processes(self) -> dict[int, str]:
        """Those that bear this portal's mark, and their command lines."""
        mark, found = os.fsencode(f"{MARK}={self.state.root}"), {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def part(self, name: str) -> int | None:
        """The main process of a part: the first of those that bear its command line."""
        return min((pid for pid, command in self.processes().items() if PARTS[name] in command), default=None)

    def stop(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.process = None
        return code


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    portal = Portal(tmp_path_factory.mktemp("up"))
    yield portal
    if portal.process is not None:
        portal.stop(signal.SIGTERM)
    portal.state.remove_sockets()


@pytest.fixture
def up(portal: Portal) -> Portal:
    if portal.process is None:
        portal.start()
    return portal


def test_it_starts_and_shows_once_how_to_begin(up: Portal) -> None:
    text = up.text()
    assert f"http://127.0.0.1:{up.web}/admin/" in text
    assert re.search(r"Administrator: admin +password \(shown only now\): \S{20}", text)
    snippet = json.loads(text[text.index("\n{\n") : text.index("\n}\n") + 3])
    assert snippet["env"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://127.0.0.1:{up.otlp}"
    assert re.search(r"Bearer agp_api_\w{49}", text)
    assert re.search(r"^postgres  \| .*ready to accept connections", text, re.MULTILINE)
    assert up.get("/healthz") == (200, "ok\n")
    assert up.get("/readyz") == (200, '{"ready": true, "reasons": []}')


def test_its_metrics_tell_of_every_process(up: Portal) -> None:
    receiver = f'portal_process_last_seen_seconds{{process="receiver:127.0.0.1:{up.otlp}"}}'
    wait_until(lambda: receiver in up.get("/metrics")[1], "the receiver has given a sign of life")
    status, text = up.get("/metrics")
    assert status == 200
    assert "portal_database_up 1.0" in text
    assert 'portal_rows_estimated{table="audit_event"}' in text


def test_a_command_works_beside_it(up: Portal) -> None:
    code = "from audit.models import Heartbeat; print(Heartbeat.objects.filter(name='sealer').count())"
    done = up.run("shell", "-v", "0", "-c", code)
    assert done.stdout.strip() == "1", done.stderr
    done = up.run("dbshell", "--", "-At", "-c", "SELECT current_user")
    assert done.stdout.strip() == "portal_app", done.stderr


def test_its_worker_hears_what_the_broker_carries(up: Portal) -> None:
    command = [sys.executable, "-m", "celery", "--app=portal.celery", "inspect", "ping", "--timeout=20"]
    done = subprocess.run(command, cwd=PROJECT, env=up.environment(), capture_output=True, text=True, check=False)
    assert "pong" in done.stdout, done.stderr


def test_a_second_one_says_that_one_is_running(up: Portal) -> None:
    assert up.process is not None
    done = up.run("up")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        f"manage.py: The portal of {up.state.root} is already running: manage.py up, process {up.process.pid}."
    )


def test_every_part_comes_back_after_it_is_killed(up: Portal) -> None:
    before = {name: up.part(name) for name in PARTS}
    assert None not in before.values(), before
    for pid in before.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    for name, pid in before.items():
        wait_until(lambda name=name, pid=pid: up.part(name) not in {None, pid}, f"{name} is there again")
    wait_until(up.is_ready, "the portal is ready again")


def test_it_starts_by_itself_on_the_same_data_after_all_of_it_was_killed(up: Portal) -> None:
    """Its parts' own children are left over: they hold its ports until the next start clears them away."""
    assert up.process is not None
    server = int((up.state.postgres / "postmaster.pid").read_text().split("\n", 1)[0])
    mains = {up.part(name) for name in PARTS}
    left_over = set(up.processes()) - mains
    assert left_over
    os.kill(up.process.pid, signal.SIGSTOP)
    for pid in (server, *mains):
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    up.stop(signal.SIGKILL)
    up.start()
    assert left_over.isdisjoint(up.processes())
    assert "password" not in up.text()
    assert "agp_" not in up.text()


def test_its_parts_stop_with_it_when_it_is_killed(up: Portal) -> None:
    up.stop(signal.SIGKILL)
    wait_until(lambda: not up.processes(), "its parts have stopped")


def test_it_stops_cleanly_and_leaves_nothing_behind(up: Portal) -> None:
    assert up.stop(signal.SIGINT) == 0
    assert up.processes() == {}
    assert not up.state.sockets.exists()
    text = up.text()
    assert text.rstrip().endswith("up        | stopped")
    assert "killed" not in text
    ends = [text.rindex(words) for words in ("stopping", "web       | ", "broker    | ", "postgres  | ")]
    assert ends == sorted(ends)


def test_a_command_has_a_database_of_its_own_while_it_is_down(portal: Portal) -> None:
    if portal.process is not None:
        portal.stop(signal.SIGTERM)
    code = "from django.contrib.auth.models import User; print(User.objects.count())"
    done = portal.run("shell", "-v", "0", "-c", code)
    assert done.stdout.strip() == "1", done.stderr
    assert not portal.state.sockets.exists()


def test_it_says_which_port_is_taken_before_it_starts_anything(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    with socket.create_server(("127.0.0.1", portal.otlp)):
        done = portal.run("up")
    assert done.returncode == 1
    assert done.stderr == (
        f"manage.py: Port {portal.otlp} on 127.0.0.1 is taken (receiver); OTLP_HTTP_BIND changes it.\n"
    )
    assert not portal.state.postgres.exists()


def test_a_database_of_ones_own_is_used_instead(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    done = portal.run("showmigrations", "audit", DATABASE_URL=os.environ["DATABASE_URL"])
    assert done.returncode == 0, done.stderr
    assert not portal.state.postgres.exists()


def test_it_says_that_the_database_of_the_settings_does_not_answer(tmp_path: Path) -> None:
    done = Portal(tmp_path).run("up", DATABASE_URL="postgresql://somebody:hushhush@127.0.0.1:9/portal")
    assert done.returncode == 1
    assert done.stderr.startswith("manage.py: The database does not answer (DATABASE_URL, DATABASE_OWNER_URL): ")
    assert "hushhush" not in done.stdout + done.stderr


def test_the_tests_command_gives_pytest_its_arguments_and_its_exit_code() -> None:
    command = [
        sys.executable,
        str(PROJECT / "manage.py"),
        "test",
        "--collect-only",
        "-q",
        "tests/portal/no_such_file.py",
    ]
    done = subprocess.run(command, cwd="/", env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "no_such_file.py" in done.stderr
