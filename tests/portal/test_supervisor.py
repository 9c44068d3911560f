"""The supervisor, with real processes that die, hang, multiply and talk."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.embedded.children import TETHER, Launch
from portal.embedded.errors import ServerError
from portal.runner.log import LONGEST_LINE, Lines, Log
from portal.runner.supervisor import Part, Supervisor
from tests.portal.hosts import wait_until


class Ran:
    """A supervisor whose log can be read."""

    def __init__(self) -> None:
        self.text = io.StringIO()
        self.supervisor = Supervisor(Log(self.text))

    def python(self, name: str, code: str, **options: float) -> Part:
        launch = Launch([sys.executable, "-u", "-c", code], dict(os.environ))
        return Part(name, lambda: launch, **options)

    def until(self, words: str, name: str, attempts: int = 1000) -> bool:
        return self.supervisor.wait_until(lambda: words in self.text.getvalue(), 20, name, attempts)


@pytest.fixture
def ran() -> Iterator[Ran]:
    ran = Ran()
    yield ran
    ran.supervisor.stop()


def is_running(pid: int) -> bool:
    """Not gone, and not dead and merely unburied."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_every_line_says_whose_it_is(ran: Ran) -> None:
    ran.supervisor.add([ran.python("one", "print('hello')"), ran.python("two", "import sys; sys.stderr.write('oh')")])
    ran.until("two       | oh\n", "two")
    ran.until("one       | hello\n", "one")


def test_what_nobody_can_act_on_is_left_out(ran: Ran) -> None:
    said = "[WARNING] Embedded server is experimental!\n[WARNING] disk full"
    ran.supervisor.add([ran.python("web", f"print({said!r})")])
    ran.until("web       | [WARNING] disk full\n", "web")
    assert "experimental" not in ran.text.getvalue()


def test_what_dies_is_started_again_with_growing_pauses(ran: Ran) -> None:
    ran.supervisor.add([ran.python("weak", "raise SystemExit(3)")])
    ran.until("starting again in 0.8 s", "weak")
    said = [line for line in ran.text.getvalue().splitlines() if "ended" in line]
    assert said[:3] == [
        "weak      | ended (exit code 3); starting again in 0.2 s",
        "weak      | ended (exit code 3); starting again in 0.4 s",
        "weak      | ended (exit code 3); starting again in 0.8 s",
    ]


def test_the_children_of_what_was_killed_do_not_go_on_without_it(ran: Ran) -> None:
    code = (
        "import subprocess, os; p = subprocess.Popen(['sleep', '600']); print(os.getpid(), p.pid, flush=True); p.wait()"
    )
    ran.supervisor.add([ran.python("parent", code)])
    ran.until("\n", "parent")
    parent, child = map(int, ran.text.getvalue().split("|")[1].split())
    os.kill(parent, signal.SIGKILL)
    ran.until("ended (SIGKILL)", "parent")
    wait_until(lambda: not is_running(child), "the child is gone")


def test_what_cannot_get_there_is_reported_with_its_last_words(ran: Ran) -> None:
    ran.supervisor.add([ran.python("broken", "raise SystemExit('no such table')")])
    with pytest.raises(ServerError, match=r"broken does not start: .*no such table"):
        ran.until("ready", "broken", attempts=2)


def test_what_cannot_be_started_at_all_is_an_error_at_first_and_tried_again_later(ran: Ran) -> None:
    obstacles = [False, True, False]  # at the first start, the second, the third

    def prepare() -> None:
        if obstacles.pop(0):
            raise ServerError("the disk is full")

    part = ran.python("part", "print('runs'); raise SystemExit(0)")
    ran.supervisor.add([Part(part.name, part.launch, prepare)])
    ran.until("cannot be started: the disk is full; starting again in", "part")
    while ran.text.getvalue().count("| runs") < 2:
        ran.supervisor._turn()
    obstacles[:] = [True]
    with pytest.raises(ServerError, match="the disk is full"):
        ran.supervisor.add([Part("another", part.launch, prepare)])
    obstacles[:] = [False] * 100


def test_what_does_not_stop_in_its_time_is_killed(ran: Ran) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    ran.supervisor.add([ran.python("deaf", code, stop_within=0.2)])
    ran.until("| deaf", "deaf")
    ran.supervisor.stop()
    assert "deaf      | does not stop; killed" in ran.text.getvalue()


def test_groups_are_stopped_in_reverse_order(ran: Ran) -> None:
    code = """if True:
        import signal, sys, time
        def stop(*_):
            print("stopped", flush=True)
            sys.exit()
        signal.signal(signal.SIGTERM, stop)
        print("started", flush=True)
        time.sleep(600)"""
    for name in ("first", "second", "third"):
        ran.supervisor.add([ran.python(name, code)])
        ran.until(f"{name:<9} | started", name)
    ran.supervisor.stop()
    assert [line.split()[0] for line in ran.text.getvalue().splitlines() if "stopped" in line] == [
        "third",
        "second",
        "first",
    ]


def test_control_characters_do_not_reach_the_terminal(ran: Ran) -> None:
    ran.supervisor.add([ran.python("hostile", r"print('\x1b[2J\x07\x9b gone\tkept é')")])
    ran.until("\n", "hostile")
    assert ran.text.getvalue().splitlines()[0] == "hostile   | \\x1b[2J\\x07\\x9b gone\tkept é"


def test_a_line_without_end_is_cut() -> None:
    lines = Lines()
    assert lines.feed(b"one\r\ntwo\nthr") == ["one", "two"]
    assert lines.feed(b"ee\n") == ["three"]
    assert lines.feed(b"x" * (LONGEST_LINE + 1)) == ["x" * (LONGEST_LINE + 1)]
    assert lines.feed("é".encode()[:1]) == []
    assert lines.end() == ["\ufffd"]


def test_a_log_that_nobody_reads_any_more_does_no_harm() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    Log(stream).line("up", "still here")
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_child_ends_when_its_parent_is_killed() -> None:
    code = (
        "import sys, time; from portal.embedded.children import Launch, spawn;"
        "child = spawn(Launch(['sleep', '600'], {}), None); print(child.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    wait_until(lambda: not is_running(child), "the child is gone")


def test_a_tether_does_the_same_without_the_death_signal() -> None:
    reading, writing = os.pipe()
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    command = [sys.executable, str(TETHER), str(reading), str(int(signal.SIGTERM)), sys.executable, "-c", code]
    tether = subprocess.Popen(command, pass_fds=[reading], stdout=subprocess.PIPE, text=True)
    os.close(reading)
    assert tether.stdout is not None
    child = int(tether.stdout.readline())
    assert tether.poll() is None
    os.close(writing)  # as it is when the parent ends, whatever ended it
    assert tether.wait(60) == 128 + signal.SIGTERM
    assert not is_running(child)
    tether.stdout.close()


def test_a_tether_passes_signals_and_the_exit_code_on() -> None:
    reading, writing = os.pipe()
    code = "import signal; signal.signal(signal.SIGINT, lambda *_: exit(5)); print('on', flush=True); signal.pause()"
    command = [sys.executable, str(TETHER), str(reading), str(int(signal.SIGTERM)), sys.executable, "-c", code]
    with subprocess.Popen(command, pass_fds=[reading], stdout=subprocess.PIPE, text=True) as tether:
        assert tether.stdout is not None
        assert tether.stdout.readline() == "on\n"
        tether.send_signal(signal.SIGINT)
        assert tether.wait(60) == 5
    os.close(reading)
    os.close(writing)


def test_it_counts_a_death_after_a_long_life_as_the_first(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.runner.supervisor.GROWN_UP", 0.0)
    ran.supervisor.add([ran.python("seasoned", "raise SystemExit(1)")])
    begun = time.monotonic()
    while ran.text.getvalue().count("starting again in 0.2 s") < 3:
        assert time.monotonic() < begun + 20
        ran.supervisor._turn(0.02)
