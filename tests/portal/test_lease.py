"""One process runs the servers of a state; others use them, and are waited for."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from portal.embedded import lease
from portal.embedded.errors import ServerError
from portal.state import PROJECT, State

HOLD = """
import sys
from pathlib import Path
from portal.embedded import lease
from portal.state import State
with lease.{how}(State(Path(sys.argv[1])){purpose}):
    print("in", flush=True)
    sys.stdin.read()
"""


def start(state: State, how: str, purpose: str = "") -> subprocess.Popen[str]:
    """A process that is inside `lease.<how>` until its standard input ends."""
    code = HOLD.format(how=how, purpose=purpose)
    command = [sys.executable, "-c", code, str(state.root)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "var")


def test_the_second_one_is_told_who_the_first_is(state: State) -> None:
    with start(state, "held", ", 'manage.py up'") as first:
        assert lease.is_held(state)
        with pytest.raises(ServerError, match=f"is already running: manage.py up, process {first.pid}"):  # noqa: SIM117
            with lease.held(state, "manage.py up"):
                pass
        first.communicate("")
    assert not lease.is_held(state)


def test_it_ends_with_its_process_whatever_ends_that(state: State) -> None:
    with start(state, "held", ", 'manage.py up'") as first:
        first.kill()
        first.communicate()
    with lease.held(state, "manage.py up"):
        assert lease.is_held(state)


def test_a_look_at_it_keeps_nobody_from_taking_it(state: State) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            lease.is_held(state)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(20):
            with lease.held(state, "manage.py up"):
                pass
    finally:
        stop.set()
        thread.join()


def test_users_are_waited_for(state: State, capfd: pytest.CaptureFixture[str]) -> None:
    with start(state, "using") as user:
        waiting = threading.Thread(target=lease.wait_for_users, args=[state])
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        user.communicate("")
        waiting.join(60)
    assert not waiting.is_alive()
    assert "Waiting for other commands" in capfd.readouterr().err
