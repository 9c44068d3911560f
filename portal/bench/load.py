"""The generator: a process of its own that sends stamped bodies over kept-alive connections and times the answers.

Told what to do by JSON lines on stdin, it answers with JSON lines on stdout. One thread and epoll: what it costs is
part of what is measured, so it does as little as it can.
"""

import json
import os
import random
import selectors
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from ingest.otlp import Encoding
from portal.bench import templates
from portal.bench.templates import INSTALLATIONS_EACH, Body

_CONTENT_TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}
_STATUS = slice(9, 12)  # of "HTTP/1.1 200 OK"


@dataclass(frozen=True, slots=True)
class Order:
    host: str
    port: int
    token: str
    encoding: Encoding
    records: int
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was acknowledged in how many seconds; latencies in milliseconds."""

    seconds: float
    requests: int
    records: int
    bytes: int
    statuses: dict[str, int]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Connection:
    """One kept-alive connection with at most one request on its way."""

    def __init__(self, order: Order) -> None:
        self.socket = socket.create_connection((order.host, order.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._unsent = memoryview(b"")
        self._answer = b""
        self.started = 0.0
        self.records = self.bytes = 0

    def begin(self, head: bytes, body: bytes, records: int) -> None:
        request = b"%b%d\r\n\r\n%b" % (head, len(body), body)
        self._unsent, self._answer = memoryview(request), b""
        self.records, self.bytes = records, len(body)
        self.started = time.perf_counter()

    def send(self) -> bool:
        """Whether everything is on its way."""
        while self._unsent:
            try:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            except BlockingIOError:
                return False
        return True

    def receive(self) -> bytes | None:
        """The status of the answer once it is complete."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the receiver closed the connection")
        self._answer += data
        head, separator, body = self._answer.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return None
        return head[_STATUS]


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


class Generator:
    """Keeps the encoded templates of each size, since making them takes longer than a run."""

    def __init__(self) -> None:
        self._templates = templates.templates()
        self._bodies: dict[tuple[Encoding, int], list[list[Body]]] = {}
        self._rng = random.Random()  # noqa: S311 - ids need only differ

    def run(self, order: Order) -> Report:
        streams = [self._stream(order) for _ in range(order.connections)]
        connections = [Connection(order) for _ in streams]
        try:
            return _drive(order, connections, streams)
        finally:
            for connection in connections:
                connection.socket.close()

    def _stream(self, order: Order) -> Iterator[tuple[Body, bytes, bytes]]:
        """Endless bodies, session after session."""
        sessions = self.bodies(order.encoding, order.records)
        while True:
            bodies = self._rng.choice(sessions)
            session = str(uuid.UUID(int=self._rng.getrandbits(128), version=4)).encode()
            number = self._rng.randrange(INSTALLATIONS_EACH)
            installation = bodies[0].install_id[:-4] + b"%04x" % number
            for body in bodies:
                yield body, session, installation

    def bodies(self, encoding: Encoding, size: int) -> list[list[Body]]:
        """Each session's bodies; a long session stands for as many as it is long."""
        key = encoding, size
        if key not in self._bodies:
            made = [list(templates.bodies(each, size, encoding)) for each in self._templates]
            self._bodies[key] = [each for each in made if each]
        return self._bodies[key]


def _drive(
    order: Order, connections: Sequence[Connection], streams: Sequence[Iterator[tuple[Body, bytes, bytes]]]
) -> Report:
    head = (
        f"POST /v1/logs HTTP/1.1\r\nHost: {order.host}\r\nAuthorization: Bearer {order.token}\r\n"
        f"Content-Type: {_CONTENT_TYPES[order.encoding]}\r\nContent-Length: "
    ).encode()
    selector = selectors.EpollSelector()
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    records = sent_bytes = 0
    started = time.perf_counter()
    deadline = started + order.seconds

    def begin(connection: Connection, stream: Iterator[tuple[Body, bytes, bytes]]) -> int:
        body, session, installation = next(stream)
        connection.begin(head, body.stamped(session, installation, time.time()), body.records)
        return selectors.EVENT_READ if connection.send() else selectors.EVENT_WRITE | selectors.EVENT_READ

    for connection, stream in zip(connections, streams, strict=True):
        selector.register(connection.socket, begin(connection, stream), (connection, stream))
    while selector.get_map():
        for key, events in selector.select(10):
            connection, stream = key.data
            if events & selectors.EVENT_WRITE and connection.send():
                selector.modify(connection.socket, selectors.EVENT_READ, key.data)
            if not events & selectors.EVENT_READ or (status := connection.receive()) is None:
                continue
            now = time.perf_counter()
            latencies.append(now - connection.started)
            statuses[status.decode()] += 1
            if status == b"200":
                records += connection.records
                sent_bytes += connection.bytes
            if now >= deadline:
                selector.unregister(connection.socket)
            else:
                selector.modify(connection.socket, begin(connection, stream), key.data)
    seconds = time.perf_counter() - started
    return _report(seconds, records, sent_bytes, statuses, sorted(latencies))


def _report(seconds: float, records: int, sent: int, statuses: Counter[str], latencies: Sequence[float]) -> Report:
    def at(share: float) -> float:
        return round(latencies[min(int(len(latencies) * share), len(latencies) - 1)] * 1000, 2)

    return Report(seconds, len(latencies), records, sent, dict(statuses), at(0.5), at(0.95), at(0.99), at(1))


def main() -> None:
    generator = Generator()
    _say({"ready": os.getpid()})
    for line in sys.stdin:
        asked = json.loads(line)
        if "prepare" in asked:
            _say({"prepared": sum(map(len, generator.bodies(*asked["prepare"])))})
        else:
            _say(asdict(generator.run(Order(**asked))))


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
