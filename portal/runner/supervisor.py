"""Keeps a set of processes running: starts them, gathers what they write, starts again what dies, stops them all.

One thread, one loop. A part that dies young waits longer and longer before its next start; one that had been at work
comes back almost at once.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from portal.embedded.children import Launch, spawn
from portal.embedded.errors import ServerError
from portal.embedded.hosting import Server
from portal.runner.log import Lines, Log
from portal.runner.noise import is_noise

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 15.0  # seconds before a start again
GROWN_UP = 5.0  # seconds of life after which a death counts as the first again
TICK = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the portal, as a row of the table: its name and how to start it."""

    name: str
    launch: Callable[[], Launch]
    prepare: Callable[[], None] = lambda: None
    blocked: Callable[[], bool] = lambda: False
    stop_within: float = 15.0

    @classmethod
    def of_server(cls, server: Server) -> "Part":
        return cls(server.name, server.launch, server.prepare, server.blocked, stop_within=60.0)


class Supervised:
    """A part and the process that is it at the moment."""

    def __init__(self, part: Part, log: Log, selector: selectors.BaseSelector) -> None:
        self.part, self._log, self._selector = part, log, selector
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0  # since it last lived for GROWN_UP seconds
        self.last_lines: deque[str] = deque(maxlen=3)
        self._lines = Lines()
        self._stop_signal = signal.SIGTERM
        self._started = self._not_before = 0.0

    def tick(self) -> None:
        """Start it if it is time, or notice that it has died. ServerError if it cannot be started the first time."""
        if self.process is not None:
            if self.process.poll() is not None:
                self._bury(f"ended ({_ending(self.process.returncode)})")
        elif time.monotonic() >= self._not_before:
            try:
                self._start()
            except (ServerError, OSError) as error:
                if not self._started:
                    raise
                self._bury(f"cannot be started: {error}")

    def _start(self) -> None:
        if self.part.blocked():
            return
        self.part.prepare()
        launch = self.part.launch()
        self.process = spawn(launch, subprocess.PIPE)
        self._stop_signal, self._started = launch.stop_signal, time.monotonic()
        output = self.process.stdout
        if output is not None:
            os.set_blocking(output.fileno(), False)
            self._selector.register(output, selectors.EVENT_READ, self)

    def read(self) -> None:
        """Log what it has written; at the end of its output let go of the pipe."""
        output = self.process.stdout if self.process else None
        if output is None:
            return
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(output.fileno(), 1 << 16)
            for line in self._lines.feed(chunk) if chunk else self._lines.end():
                if is_noise(line):
                    continue
                self.last_lines.append(line)
                self._log.line(self.part.name, line)
            if not chunk:
                self._selector.unregister(output)
                output.close()

    def _bury(self, how: str) -> None:
        lived = time.monotonic() - self._started
        self.deaths = 1 if lived >= GROWN_UP else self.deaths + 1
        pause = min(FIRST_PAUSE * 2 ** (self.deaths - 1), LONGEST_PAUSE)
        self._not_before = time.monotonic() + pause
        self._log.line(self.part.name, f"{how}; starting again in {pause:g} s")
        self.clear()

    def clear(self) -> None:
        """Forget the dead process, and end what it left behind in its session: workers that would go on without it."""
        if self.process is None:
            return
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        output = self.process.stdout
        if output is not None and not output.closed:
            self.read()
        if output is not None and not output.closed:
            self._selector.unregister(output)
            output.close()
        self.process = None

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self._stop_signal)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """The parts in the order in which they were added; they are stopped in the reverse order, group by group."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.stopping = False
        self._impatient = False
        self._groups: list[list[Supervised]] = []
        self._selector = selectors.DefaultSelector()

    def heed_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._impatient = self.stopping
        self.stopping = True

    def add(self, parts: Sequence[Part]) -> None:
        """Supervise these from now on; together they are stopped."""
        group = [Supervised(part, self.log, self._selector) for part in parts]
        self._groups.append(group)
        for supervised in group:
            supervised.tick()

    def run(self) -> None:
        """Until a signal says stop."""
        while not self.stopping:
            self._turn()

    def wait_until(self, ready: Callable[[], bool], within: float, name: str, attempts: int = 3) -> bool:
        """Go on until `ready`; False if a signal came first. ServerError if the part `name` cannot get there."""
        deadline = time.monotonic() + within
        supervised = next(each for group in self._groups for each in group if each.part.name == name)
        while not self.stopping:
            if ready():
                return True
            if supervised.deaths >= attempts or time.monotonic() > deadline:
                reason = " ".join(supervised.last_lines) or "it says nothing"
                raise ServerError(f"{name} does not start: {reason}")
            self._turn(0.02)
        return False

    def _turn(self, pause: float = TICK) -> None:
        self._listen(pause)
        for group in self._groups:
            for supervised in group:
                supervised.tick()

    def _listen(self, pause: float) -> None:
        for key, _ in self._selector.select(pause):
            key.data.read()

    def stop(self) -> None:
        """The last group first; what does not stop within its time, or after a second signal, is killed."""
        self.stopping = True
        while self._groups:
            group = self._groups.pop()
            for supervised in group:
                supervised.ask_to_stop()
            self._wait_for_end(group)
        self._selector.close()

    def _wait_for_end(self, group: list[Supervised]) -> None:
        begun = time.monotonic()
        while running := [each for each in group if each.process is not None]:
            self._listen(0.02)
            for supervised in running:
                if supervised.process is not None and supervised.process.poll() is not None:
                    supervised.clear()
                elif self._impatient or time.monotonic() - begun > supervised.part.stop_within:
                    self.log.line(supervised.part.name, "does not stop; killed")
                    supervised.kill()


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
