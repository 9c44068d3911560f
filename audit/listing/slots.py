"""Few downloads at once: each holds one of the web process's threads for as long as somebody reads it.

Slow readers of long lists must not be all that these threads do (portal.runner.parts says how many there are).
"""

import threading
from collections.abc import Generator, Iterator

AT_ONCE = 8
RETRY_AFTER_SECONDS = 30


class Busy(Exception):
    """As many downloads run as may at once; one that is tried again later can find room."""


class Slots:
    def __init__(self, at_once: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)

    def held(self, lines: Generator[bytes]) -> Iterator[bytes]:
        """The lines, which hold a slot until they are at their end or closed. Raises Busy if none is free."""
        if not self._free.acquire(blocking=False):
            raise Busy
        return _Held(lines, self._free)


class _Held:
    """Django closes it with the response, also where the reader went away before the first line."""

    def __init__(self, lines: Generator[bytes], free: threading.BoundedSemaphore) -> None:
        self._lines, self._free = lines, free
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._lines)
        except BaseException:  # at its end, too
            self.close()
            raise

    def close(self) -> None:
        if self._open:
            self._open = False
            self._free.release()
            self._lines.close()

    __del__ = close  # an answer that was thrown away before a server had it


downloads = Slots(AT_ONCE)
"""Those of this process, of the admin and of the API together."""
