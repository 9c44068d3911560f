"""One log for all processes: every line begins with the name of the process that wrote it."""

import contextlib
import os
import sys
from typing import TextIO

LONGEST_LINE = 64 * 1024
_WIDTH = 9
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(9), *range(10, 32), *range(127, 160))}


class Log:
    """Writes to `stream`, in colour on a terminal. Control characters are shown, never sent to it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._names: list[str] = []

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{_WIDTH}} |"
        if self._coloured:
            prefix = f"\x1b[{self._colour(name)}m{prefix}\x1b[0m"
        self._write(f"{prefix} {text.translate(_CONTROLS)}")

    def plain(self, text: str) -> None:
        """A line for the person at the terminal, without a prefix."""
        self._write(text)

    def _write(self, text: str) -> None:
        """A reader that went away must not take the portal with it."""
        with contextlib.suppress(OSError, ValueError):
            print(text, file=self._stream, flush=True)

    def _colour(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return _COLOURS[self._names.index(name) % len(_COLOURS)]


class Lines:
    """Cuts what a process writes into lines, and what it never ends into pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        *complete, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            complete.append(self._rest)
            self._rest = b""
        return [line.rstrip(b"\r").decode(errors="replace") for line in complete]

    def end(self) -> list[str]:
        """What was left without a line's end."""
        rest, self._rest = self._rest, b""
        return [rest.decode(errors="replace")] if rest else []
