"""One at a time, over all receivers of a machine: a large request takes several times its bytes while worked on."""

import contextlib
import ctypes
import fcntl
import gc
import threading
from collections.abc import Iterator
from pathlib import Path


class Turn:
    """A lock between threads, and through a file (flock(2)) between processes. A process that dies lets go of it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._thread = threading.Lock()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Waits for its turn and keeps it while the block lasts."""
        with self._thread, self._file.open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                _give_back()


def _give_back() -> None:
    """Memory freed goes back to the system (malloc_trim(3), where the C library has it) before the next one begins."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
