"""What goes wrong, as tests script it: `faults.push(path, fault)`, or so many of a hundred requests by a seed."""

import random
import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """One wrong answer.

    `cut`: so many bytes of the right answer, then the connection ends. `hold`: nothing is said until the event is set.
    """

    status: int = 200
    type: str = "api_error"
    message: str = "Internal server error"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    cut: int | None = None
    hold: threading.Event | None = field(default=None, compare=False)
    echo_key: bool = False

    @classmethod
    def limited(cls, retry_after: str = "1") -> "Fault":
        return cls(429, "rate_limit_error", "This request would exceed your organization's rate limit.",
                   (("retry-after", retry_after),))  # fmt: skip

    @classmethod
    def spent(cls) -> "Fault":
        return cls(429, "rate_limit_error", "Your organization has reached its monthly spend limit.")

    @classmethod
    def overloaded(cls) -> "Fault":
        return cls(529, "overloaded_error", "Overloaded")

    @classmethod
    def broken(cls, status: int = 500) -> "Fault":
        return cls(status)

    @classmethod
    def cut_off(cls, after: int = 40) -> "Fault":
        return cls(cut=after)

    @classmethod
    def login_page(cls) -> "Fault":
        return cls(body=b"<html><title>Sign in to the proxy</title></html>", headers=(("content-type", "text/html"),))

    @classmethod
    def elsewhere(cls, address: str) -> "Fault":
        return cls(307, body=b"", headers=(("location", address),))

    @classmethod
    def huge(cls, size: int) -> "Fault":
        return cls(body=b" " * size)

    @classmethod
    def silent(cls, until: threading.Event) -> "Fault":
        return cls(hold=until)


PASSING = (
    Fault.limited("0"),
    Fault.overloaded(),
    Fault.broken(),
    Fault.broken(504),
    Fault.cut_off(),
    Fault.login_page(),
)
"""Those after which the same question succeeds."""


class Faults:
    """Those that are due. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, deque[Fault]] = defaultdict(deque)
        self._rate, self._kinds, self._chance = 0.0, tuple[Fault, ...](), random.Random(0)
        self.given = 0

    def push(self, path: str, fault: Fault, times: int = 1) -> None:
        """The next answers at a path ("*": at any) are this."""
        with self._lock:
            self._due[path].extend([fault] * times)

    def at_rate(self, rate: float, seed: int = 0, kinds: Sequence[Fault] = PASSING) -> None:
        """So many of all answers (0…1) are one of these. 0 ends it."""
        with self._lock:
            self._rate, self._kinds, self._chance = rate, tuple(kinds), random.Random(seed)

    def clear(self) -> None:
        with self._lock:
            self._due.clear()
            self._rate = 0.0

    def take(self, path: str) -> Fault | None:
        with self._lock:
            for due in (self._due[path], self._due["*"]):
                if due:
                    self.given += 1
                    return due.popleft()
            if self._rate and self._chance.random() < self._rate:
                self.given += 1
                return self._chance.choice(self._kinds)
            return None
