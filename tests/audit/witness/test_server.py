"""The witness as strangers meet it: over HTTP, and as a command on a host without a database."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from audit.proofs import notes
from audit.proofs.notes import VerifierKey
from audit.witness import known, server
from audit.witness.known import Known
from tests.audit.witness.logs import FORK, HONEST, made, serving
from tests.processes import PROJECT


@pytest.fixture
def witness(tmp_path):
    with serving(made(tmp_path / "witness")) as found:
        yield found


def connected(witness: Known) -> http.client.HTTPConnection:
    place = urlsplit(witness.url)
    return http.client.HTTPConnection(place.hostname, place.port, timeout=30)


def test_one_connection_serves_several_submissions(witness):
    connection = connected(witness)
    for body, status in (
        (HONEST.submission(0, 5), 200),
        (HONEST.submission(0, 9), 409),
        (HONEST.submission(5, 9), 200),
        (FORK.submission(9, 12), 422),
        (b"x", 400),
    ):
        connection.request("POST", "/add-checkpoint", body)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == status
        if status == 409:
            assert (answer.headers["Content-Type"], text) == ("text/x.tlog.size", "5\n")
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/", {"Content-Length": "0"}, 404),
        ("GET", "/add-checkpoint", {}, 501),
        ("POST", "/add-checkpoint", {}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": "-1"}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": "1", "Transfer-Encoding": "chunked"}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": str(server.LARGEST_BODY + 1)}, 413),
        ("POST", "/add-checkpoint", {"Content-Length": "9" * 5000}, 413),
    ],
)
def test_what_is_not_served_is_refused_before_it_is_read(witness, method, path, headers, status):
    connection = connected(witness)
    connection.putrequest(method, path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    assert answer.status == status
    connection.close()


def test_who_is_slow_is_cut_off(witness, monkeypatch):
    monkeypatch.setattr(server, "CONVERSATION_SECONDS", 0.05)
    place = urlsplit(witness.url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as slow:
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\n")
        assert slow.recv(100) == b""


def test_only_so_many_are_served_at_once(witness, monkeypatch):
    place = urlsplit(witness.url)
    held = [socket.create_connection((place.hostname, place.port), timeout=30) for _ in range(server.MOST_CONNECTIONS)]
    with socket.create_connection((place.hostname, place.port), timeout=30) as beyond:
        assert beyond.recv(1) == b""
    for each in held:
        each.close()


def test_a_witness_that_drips_is_left(tmp_path, monkeypatch):
    """It sends a byte now and then, for ever: a timeout of the socket would begin anew with each."""
    monkeypatch.setattr(known, "CONVERSATION_SECONDS", 0.2)
    never = threading.Event()

    class Dripping(server.Server):
        def process_request_thread(self, request, client_address):
            try:
                while request.send(b"H"):
                    never.wait(0.02)
            except OSError:
                pass
            finally:
                request.close()
                self._free.release()

    with serving(made(tmp_path / "witness"), Dripping) as found:
        assert known.ask(found, b"x").status == 0


def test_it_runs_without_a_database(tmp_path):
    environment = {
        **os.environ,
        "PORTAL_VAR": str(tmp_path),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1",
        "PORTAL_NO_BOOTSTRAP": "1",
    }
    command = [sys.executable, str(PROJECT / "manage.py"), "witness", "--port=0", "--name=w.example.org/1"]
    with subprocess.Popen(
        [*command, f"--log={HONEST.key}"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            key = VerifierKey.parse(process.stdout.readline())
            url = process.stdout.readline().split()[2].rstrip(",")
            reply = known.ask(Known(url, key), HONEST.submission(0, 5))
            assert reply.status == 200
            assert notes.verified_by(notes.parse(f"{HONEST.head(5)}\n{reply.body}"), [key])
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert key.name == "w.example.org/1"
