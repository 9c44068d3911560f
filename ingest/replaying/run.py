"""A whole replay: everything found, sent in order, and what came of it."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ingest.replaying.captures import Capture, Captured
from ingest.replaying.client import Client, Reply


@dataclass(slots=True)
class Summary:
    """Final answers by status; requests sent again; records rejected by (signal, message)."""

    statuses: Counter[int] = field(default_factory=Counter)
    sent_again: int = 0
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        return self.statuses.total()

    @property
    def refused(self) -> int:
        return self.sent - self.statuses[200]

    def add(self, request: Captured, reply: Reply) -> None:
        self.statuses[reply.status] += 1
        self.sent_again += reply.attempts > 1
        if reply.rejected:
            self.rejected[request.signal, reply.message] += reply.rejected


def requests(captures: Sequence[Capture], times: int) -> Iterator[Captured]:
    for capture in itertools.chain.from_iterable(itertools.repeat(captures, times)):
        yield from capture.requests()


def replay(
    client: Client,
    captured: Iterator[Captured],
    summary: Summary,
    answered: Callable[[Captured, Reply], None],
    per_second: float | None = None,
) -> None:
    """Sends everything in order, at most `per_second` requests; a refusal stops nothing."""
    started = time.monotonic()
    for number, request in enumerate(captured):
        if per_second:
            time.sleep(max(0.0, started + number / per_second - time.monotonic()))
        reply = client.send(request)
        summary.add(request, reply)
        answered(request, reply)
