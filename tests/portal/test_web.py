"""The web process as `up` starts it: readers that take their time keep nobody else from being answered."""

import contextlib
import http.client
import socket
import subprocess
import uuid
from collections.abc import Iterator

import pytest
from django.utils import timezone

from audit.listing import slots
from audit.models import Session
from connectors import scopes, tokens
from portal import state
from portal.runner import static
from portal.runner.parts import portal_parts
from tests.processes import environment, free_port, until

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, ROW_BYTES = 60, 300_000  # far more than sockets and buffers on the way would hold


@pytest.fixture
def web(settings, tmp_path) -> Iterator[int]:
    """The port of a web process on the test's database."""
    settings.WEB_HOST, settings.WEB_PORT = "127.0.0.1", free_port()
    static.collect(state.here())
    part = next(part for part in portal_parts(state.here()) if part.name == "web")
    variables = environment(PORTAL_BIND=f"127.0.0.1:{settings.WEB_PORT}")
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(part.launch().arguments, env=variables, stdout=log, stderr=log)
    try:
        until(lambda: answers(settings.WEB_PORT), 30)
        yield settings.WEB_PORT
    finally:
        process.terminate()  # its worker is a process of its own, which only it can end
        process.wait(30)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return get(port, "/healthz") == 200
    return False


def get(port: int, path: str, **headers: str) -> int:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status


def slow_reader(port: int, path: str, secret: str) -> tuple[socket.socket, bytes]:
    """A client that asks for a file and reads no further than the status of the answer; the status."""
    reader = socket.create_connection(("127.0.0.1", port), timeout=30)
    reader.sendall(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\nAuthorization: Bearer {secret}\r\n\r\n".encode()
    )
    return reader, reader.recv(12)


def large_sessions() -> None:
    now, text = timezone.now(), "x" * ROW_BYTES
    Session.objects.bulk_create(
        Session(id=uuid.uuid4(), source_id=1, agent="claude_code", session_id=f"s-{number}", first_at=now, last_at=now,
                first_event=uuid.uuid4(), last_event=uuid.uuid4(), outcomes={text: 1})
        for number in range(ROWS)
    )  # fmt: skip


def test_slow_readers_of_an_export_do_not_keep_a_page_from_being_answered(web):
    large_sessions()
    _, secret = tokens.issue(scopes.API, "siem", by="rosa", scopes=["events:read"])
    with contextlib.ExitStack() as stack:
        begun = []
        for _ in range(slots.AT_ONCE + 2):
            reader, status = slow_reader(web, "/api/v1/sessions/", secret)
            stack.enter_context(reader)
            begun.append(status[-3:])
        assert begun == [b"200"] * slots.AT_ONCE + [b"503"] * 2
        assert get(web, "/admin/login/") == 200
