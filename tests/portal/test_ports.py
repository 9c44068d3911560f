"""Whether an address can be listened on, and the sentence that says why not."""

import os
import socket
import threading

import pytest

from portal.embedded.errors import ServerError
from portal.runner.ports import is_open, require_free


def test_a_free_port_is_fine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert is_open("127.0.0.1", port)
        assert is_open("0.0.0.0", port)
    require_free("127.0.0.1", port, "PORTAL_BIND", "web")
    assert not is_open("127.0.0.1", port)


def test_a_taken_one_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expected = rf"^Port {port} on 127\.0\.0\.1 is taken \(web\); PORTAL_BIND changes it\.$"
        with pytest.raises(ServerError, match=expected):
            require_free("127.0.0.1", port, "PORTAL_BIND", "web")
        with pytest.raises(ServerError, match="is taken"):
            require_free("0.0.0.0", port, "PORTAL_BIND", "web")


def test_one_that_is_about_to_be_free_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        threading.Timer(0.2, taken.close).start()
        require_free("127.0.0.1", port, "PORTAL_BIND", "web", patience=20)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("192.0.2.1", r"192\.0\.2\.1 is not an address of this machine \(web\); PORTAL_BIND changes it\."),
        ("no-such-host.invalid", r"Cannot listen on no-such-host\.invalid port 8000: .*not known \(web\); PORTAL_BIND"),
    ],
)
def test_what_is_no_address_here_is_named_too(host: str, words: str) -> None:
    with pytest.raises(ServerError, match=words):
        require_free(host, 8000, "PORTAL_BIND", "web")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every port")
def test_a_port_of_the_systems_may_not_be_used() -> None:
    with pytest.raises(ServerError, match="may not be used by this user"):
        require_free("127.0.0.1", 80, "PORTAL_BIND", "web")
