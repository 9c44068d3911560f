"""Receivers as processes: several at one address, and each within its memory whatever it is sent."""

import contextlib
import gzip
import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from audit.models import Heartbeat
from ingest.receiving.bookkeeping import Bookkeeper
from portal.bench import machine
from tests.ingest.receiving.bodies import export, logs, record
from tests.processes import ReceiverProcess, until

MIB = 1 << 20
RECORDS = 49_000


@pytest.fixture
def second(receiver, tmp_path):
    """Another receiver at the same address."""
    another = ReceiverProcess(receiver.port, tmp_path / "second.log", receiver.variables, number=2)
    another.start()
    until(lambda: Heartbeat.objects.filter(name__endswith="#2").exists())
    yield another
    another.stop()


def test_two_share_an_address_and_one_goes_on_without_the_other(receiver, second, token):
    assert all(receiver.post(logs(), token).status == 200 for _ in range(20))
    second.kill()
    assert all(receiver.post(logs(), token).status == 200 for _ in range(20))


def test_two_hundred_dripping_clients_keep_nobody_from_being_answered(receiver, token):
    begun = (
        f"POST /v1/logs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        "Content-Length: 100000\r\n\r\n{"
    )
    with contextlib.ExitStack() as open_:
        dripping = [open_.enter_context(socket.create_connection(("127.0.0.1", receiver.port))) for _ in range(200)]
        for each in dripping:
            each.sendall(begun.encode())
        for each in dripping[:50]:
            each.sendall(b" ")
            assert receiver.post(logs(), token).status == 200


def many_small_values() -> bytes:
    return json.dumps(export(*(record(**{f"k{n}": f"{at} {n}" for n in range(12)}) for at in range(RECORDS)))).encode()


def test_bombs_leave_it_under_512_mib(receiver, token):
    bombs = [
        gzip.compress(bytes(100 * MIB)),
        gzip.compress(many_small_values(), 1),
        gzip.compress(json.dumps(export(record(text="a b " * (15 * MIB)))).encode(), 1),
        gzip.compress(b"[" * (60 * MIB), 1),
    ]
    statuses = {200, 400, 413, 503}
    with ThreadPoolExecutor(8) as senders:
        answers = [senders.submit(receiver.post, bomb, token, Content_Encoding="gzip") for bomb in bombs * 2]
        assert {answer.result().status for answer in answers} <= statuses
    assert receiver.process
    assert machine.peak_memory(receiver.process.pid) < 512 * MIB


def test_a_process_whose_writer_has_died_is_asked_to_stop(monkeypatch):
    killed = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    monkeypatch.setattr("ingest.receiving.bookkeeping.INTERVAL_SECONDS", 0)
    monkeypatch.setattr(Bookkeeper, "_write", lambda self: None)
    Bookkeeper("receiver:test", works=lambda: False).run()
    assert killed == [(os.getpid(), signal.SIGTERM)]
