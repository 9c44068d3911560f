"""Writers that send until told to stop and remember what was acknowledged."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.ingest.receiving.bodies import logs, record
from tests.processes import ReceiverProcess


class Load:
    """`acknowledged` holds the marks of all records that were answered 200. Refused requests are sent again."""

    def __init__(self, receiver: ReceiverProcess, token: str, writers: int, records: int) -> None:
        self._name = uuid.uuid4().hex[:8]
        self.acknowledged: set[str] = set()
        self.statuses: dict[int, int] = {}
        self._receiver, self._token, self._records = receiver, token, records
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(writers)]

    def _write(self, writer: int) -> None:
        turn = 0
        while not self._stop.is_set():
            marks = [f"{self._name}-{writer}-{turn}-{position}" for position in range(self._records)]
            body = logs(*(record(session=f"load-{writer}", mark=mark) for mark in marks))
            turn += 1
            while not self._stop.is_set() and not self._sent(body, marks):
                self._stop.wait(0.05)

    def _sent(self, body: bytes, marks: list[str]) -> bool:
        try:
            status = self._receiver.post(body, self._token).status
        except OSError:
            return False
        with self._lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 200:
                self.acknowledged.update(marks)
        return status == 200

    def count(self) -> int:
        with self._lock:
            return len(self.acknowledged)


@contextmanager
def load(receiver: ReceiverProcess, token: str, writers: int = 4, records: int = 20) -> Iterator[Load]:
    running = Load(receiver, token, writers, records)
    for thread in running._threads:
        thread.start()
    try:
        yield running
    finally:
        running._stop.set()
        for thread in running._threads:
            thread.join(timeout=30)
