"""The embedded broker, for real: killed and started again, what it was given is still there."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection

from portal.embedded import binaries
from portal.embedded.errors import ServerError
from portal.state import BROKER_SOCKET, State
from tests.portal.hosts import Host, myself, ordinary, wait_until


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    host = Host(myself(), State(tmp_path_factory.mktemp("broker x y") / "var"), servers=("broker",))
    assert host.start() == "ready"
    yield host
    host.kill(signal.SIGTERM)
    host.state.remove_sockets()


def put(host: Host, message: str) -> None:
    with Connection(host.state.broker_url()) as connection, connection.SimpleQueue("kept") as queue:
        queue.put(message, serializer="json")


def get(host: Host) -> str:
    with Connection(host.state.broker_url()) as connection, connection.SimpleQueue("kept") as queue:
        message = queue.get(timeout=30)
        message.ack()
        return str(message.payload)


def broker_pid(host: Host) -> int:
    wanted = os.path.realpath(host.state.broker)
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        if entry.exists() and os.path.realpath(entry) == wanted:
            return int(entry.parent.name)
    raise AssertionError("no broker runs")


def test_it_carries_messages_as_celery_sends_them(host: Host) -> None:
    put(host, "a hint")
    assert get(host) == "a hint"


def test_it_wants_its_password_and_lets_no_other_user_near(host: Host) -> None:
    assert stat.S_IMODE(host.state.sockets.stat().st_mode) == 0o700
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(host.state.sockets / BROKER_SOCKET))
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")


def test_it_does_not_show_its_password_to_the_machine(host: Host) -> None:
    shown = (
        Path(f"/proc/{broker_pid(host)}/cmdline").read_bytes() + Path(f"/proc/{broker_pid(host)}/environ").read_bytes()
    )
    assert host.state.secret("broker.password").encode() not in shown


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_it_never_runs_with_the_rights_of_root(host: Host) -> None:
    assert Path(f"/proc/{broker_pid(host)}").stat().st_uid != 0


def test_it_comes_back_with_its_messages_after_it_is_killed(host: Host) -> None:
    put(host, "before")
    before = broker_pid(host)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: _answers(host), "the broker answers")
    assert get(host) == "before"


def test_it_stops_with_whoever_started_it_and_starts_again(host: Host) -> None:
    put(host, "before")
    pid = broker_pid(host)
    host.kill()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the broker has stopped")
    assert host.start() == "ready"
    assert get(host) == "before"


def test_a_file_it_cannot_read_is_set_aside(host: Host) -> None:
    host.kill(signal.SIGTERM)
    files = host.state.broker / "appendonlydir"
    for file in files.iterdir():
        file.write_bytes(b"this is no append-only file\r\n" * 20)
    assert host.start() == "ready"
    put(host, "after")
    assert get(host) == "after"
    aside = [path for path in host.state.root.iterdir() if path.name.startswith("broker.")]
    assert len(aside) == 1
    shutil.rmtree(aside[0])


def test_it_runs_for_an_ordinary_user_below_any_path() -> None:
    """Its socket then lies in that user's own folder."""
    with contextlib.ExitStack() as stack:
        person = myself() if os.geteuid() else stack.enter_context(ordinary())
        if person is None:
            pytest.skip("no Python here that an ordinary user may run")
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="portal 'x' \\y "))
        os.chown(folder, person.uid, -1)
        host = Host(person, State(Path(folder, "var")), servers=("broker",))
        try:
            assert host.start() == "ready"
            assert (host.state.root / "run" / "s" / BROKER_SOCKET).is_socket()
        finally:
            host.kill(signal.SIGTERM)


def test_it_says_which_programs_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ServerError, match=r"apt install redis-server.*CELERY_BROKER_URL"):
        binaries.valkey()


def _answers(host: Host) -> bool:
    try:
        broker_pid(host)
        with Connection(host.state.broker_url()) as connection:
            return bool(connection.default_channel.client.ping())
    except (AssertionError, OSError, *Connection(host.state.broker_url()).connection_errors):
        return False
