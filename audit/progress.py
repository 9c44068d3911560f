"""How far a long command is: counts, rate and an estimate, for whoever waits at a terminal or reads its log later."""

import time
from collections.abc import Callable
from typing import TextIO

TERMINAL_SECONDS, LOG_SECONDS = 0.2, 5.0


class Progress:
    """Writes to `output`: one line that is written over at a terminal, else a line every few seconds."""

    def __init__(self, output: TextIO, what: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._what = what
        self._total = total
        self._clock = clock
        self._started = self._written = clock()
        self._terminal = output.isatty()

    def update(self, done: int) -> None:
        now = self._clock()
        if now - self._written >= (TERMINAL_SECONDS if self._terminal else LOG_SECONDS):
            self._written = now
            self._write(self.describe(done, now - self._started))

    def describe(self, done: int, seconds: float) -> str:
        rate = done / seconds if seconds > 0 else 0.0
        left = f", about {max(self._total - done, 0) / rate:,.0f} s left" if rate else ""
        return f"{done:,} of {self._total:,} {self._what}, {rate:,.0f}/s{left}"

    def clear(self) -> None:
        """Makes room for other text; a log keeps its lines."""
        if self._terminal:
            self._output.write("\r\x1b[K")
            self._output.flush()

    def _write(self, text: str) -> None:
        self._output.write(f"\r{text}\x1b[K" if self._terminal else f"{text}\n")
        self._output.flush()
