"""What a vendor can do wrong, and that each of it is told in words that hold no key."""

import contextlib
import datetime as dt
import gzip
import logging
import socket
import ssl
import threading
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors.vendors import http
from connectors.vendors.http import Client
from connectors.vendors.refusals import LONGEST_WAIT, seconds_to_wait
from connectors.vendors.shape import VendorError
from tests.vendor import FakeVendor, Fault

USERS = "/v1/organizations/users"
KEY = "sk-ant-admin01-a-secret-nobody-may-read"


def asked(url: str, key: str = KEY, **limits: object) -> http.Answer:
    client = Client("Anthropic", url, about="https://portal.example", **limits)
    return client.get(USERS, [("limit", "5")], key=key, headers={"x-api-key": key, "anthropic-version": "2023-06-01"})


def refused(url: str, key: str = KEY, **limits: object) -> VendorError:
    """The error; and nothing of it holds the key."""
    with pytest.raises(VendorError) as caught:
        asked(url, key, **limits)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert key not in f"{error!r} {error} {error.told} {vars(error)} {''.join(traceback.format_exception(error))}"
    return error


@contextmanager
def answering(*pieces: bytes, then: threading.Event | None = None) -> Iterator[str]:
    """An address where the first who asks is sent these bytes as they are."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
                if then is not None:
                    then.wait(30)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        if then is not None:
            then.set()
        thread.join(30)


def test_it_names_itself_and_the_page_about_it(vendor: FakeVendor) -> None:
    answer = asked(vendor.url, vendor.keys.admin)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert vendor.requests[-1].user_agent == f"AgentGovernancePortal/{http.VERSION} (+https://portal.example)"
    assert vendor.requests[-1].method == "GET"


def test_its_version_is_the_projects() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert project["version"] == http.VERSION


def test_the_key_is_in_no_address_no_log_and_no_repr(vendor: FakeVendor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = vendor.keys.admin
    answer = asked(vendor.url, key)
    assert caplog.records, "urllib3 tells its requests at this level"
    assert key not in caplog.text
    assert key not in vendor.requests[-1].query + vendor.requests[-1].path
    assert key not in repr(answer)
    assert "acme.example" not in repr(answer)


@pytest.mark.parametrize(
    ("status", "says", "again"),
    [
        (400, "does not accept this question", False),
        (401, "does not know this key", False),
        (402, "billing", False),
        (403, "lacks the scope", False),
        (404, "no such report", False),
        (409, "again later", True),
        (410, "from its beginning", True),
        (413, "too large", False),
        (418, "status 418", False),
        (500, "failure of its own", True),
        (503, "failure of its own", True),
        (504, "too long", True),
        (529, "overloaded", True),
    ],
)
def test_it_tells_a_status_in_words(vendor: FakeVendor, status: int, says: str, again: bool) -> None:
    vendor.faults.push(USERS, Fault(status, "some_error", "the vendor's own words"))
    error = refused(vendor.url)
    assert says in error.told
    assert "“the vendor's own words” (request req_" in error.told
    assert error.status == status
    assert error.refused is not again
    assert error.restart is (status == 410)
    assert error.retry_after is None


def test_it_waits_as_long_as_it_is_asked_to(vendor: FakeVendor) -> None:
    vendor.faults.push(USERS, Fault.limited("17"))
    error = refused(vendor.url)
    assert (error.status, error.retry_after, error.refused) == (429, 17, False)
    assert "asks to wait" in error.told


def test_a_spending_limit_names_no_time(vendor: FakeVendor) -> None:
    vendor.faults.push(USERS, Fault.spent())
    error = refused(vendor.url)
    assert (error.status, error.retry_after, error.refused) == (429, None, False)
    assert "spending" in error.told


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("2.5", 2.5),
        ("-4", 0),
        ("1e99", LONGEST_WAIT),
        ("inf", LONGEST_WAIT),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("Sun, 29 Nov 2026 12:01:30 GMT", 90),
        ("Sun, 29 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 99 Nov 2026 11:00:00 GMT", None),
    ],
)
def test_it_reads_how_long_to_wait(value: str, seconds: float | None) -> None:
    assert seconds_to_wait(value, "Sun, 29 Nov 2026 12:00:00 GMT") == seconds


def test_it_does_not_repeat_a_key_that_the_vendor_repeats(vendor: FakeVendor) -> None:
    vendor.faults.push(USERS, Fault(401, "authentication_error", "no such key:", echo_key=True))
    assert "no such key: [key]" in refused(vendor.url).told


def test_a_message_of_the_vendors_is_one_bounded_line(vendor: FakeVendor) -> None:
    vendor.faults.push(USERS, Fault(400, message="a\x00b\r\n\ud800\u202e" + "x" * 5000))
    told = refused(vendor.url).told
    assert "“a b x" in told
    assert told.isprintable()
    assert len(told) < 600


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[" * 100_000, b'{"error": "gone"}', b'{"error": {"message": 7}}', b"[1]", b"\xff\xfe"],
)
def test_an_error_without_words_is_told_by_its_status(vendor: FakeVendor, body: bytes) -> None:
    vendor.faults.push(USERS, Fault(403, body=body))
    assert "lacks the scope" in refused(vendor.url).told


def test_it_follows_no_redirect(vendor: FakeVendor) -> None:
    with FakeVendor(users=1, days=1) as other:
        vendor.faults.push(USERS, Fault.elsewhere(other.url + USERS))
        error = refused(vendor.url)
        assert "another address, which is not followed" in error.told
        assert error.refused
        assert other.requests == []


def test_it_takes_no_endless_answer(vendor: FakeVendor) -> None:
    vendor.faults.push(USERS, Fault.huge(3 * 2**20))
    assert "more than 2 MiB" in refused(vendor.url, max_body_bytes=2 * 2**20).told


def test_it_counts_what_an_answer_decompresses_to() -> None:
    body = gzip.compress(b"0" * 2**24)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body)
    with answering(head, body) as url:
        assert "more than 1 MiB" in refused(url, max_body_bytes=2**20).told


def test_it_uses_nothing_of_an_answer_that_breaks_off(vendor: FakeVendor) -> None:
    vendor.faults.push(USERS, Fault.cut_off(30))
    error = refused(vendor.url, vendor.keys.admin)
    assert "broke off" in error.told
    assert error.status is None
    assert not error.refused
    assert asked(vendor.url, vendor.keys.admin).status == 200


def test_it_uses_nothing_of_chunks_that_break_off() -> None:
    with answering(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"dat\r\n') as url:
        assert "broke off" in refused(url).told


def test_it_tells_what_cannot_be_decompressed() -> None:
    with answering(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope") as url:
        assert "decompressed" in refused(url).told


def test_it_does_not_wait_forever_for_an_answer(vendor: FakeVendor) -> None:
    until = threading.Event()
    vendor.faults.push(USERS, Fault.silent(until))
    error = refused(vendor.url, timeouts=(5, 0.1))
    until.set()
    assert "did not answer in time" in error.told
    assert not error.refused


def test_it_does_not_wait_forever_for_the_rest_of_an_answer() -> None:
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", then=threading.Event()) as url:
        assert "did not answer in time" in refused(url, timeouts=(5, 0.1)).told


def test_it_does_not_take_an_answer_that_trickles() -> None:
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{ }") as url:
        assert "still answering" in refused(url, whole_seconds=-1).told


def test_it_tells_that_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "no connection" in refused(f"http://127.0.0.1:{port}").told


def test_it_takes_no_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection, context.wrap_socket(connection, server_side=True):
                    """The client goes away in the middle of the greeting."""

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        error = refused(f"https://127.0.0.1:{server.getsockname()[1]}")
        thread.join(30)
    assert "REQUESTS_CA_BUNDLE" in error.told


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    both = folder / "self-signed.pem"
    both.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    return both


def test_it_goes_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, vendor: FakeVendor) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", vendor.url)
    vendor.faults.push("*", Fault(body=b'{"through": "the proxy"}'))
    assert asked("http://api.vendor.example").body == b'{"through": "the proxy"}'


def test_it_tells_that_the_proxy_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    assert "HTTPS_PROXY" in refused("http://api.vendor.example").told


def test_a_netrc_does_not_replace_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vendor: FakeVendor) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    key = vendor.keys.openai_admin
    Client("OpenAI", vendor.url).get("/v1/organization/users", [], key=key, headers={"Authorization": f"Bearer {key}"})
    assert vendor.requests[-1].key == "openai_admin"


@pytest.mark.parametrize("key", ["", " ", "sk-ant-a\nb", "sk-ant-a b", "sk-ant-ä", "sk-ant-\x00", "\ud800"])
def test_it_sends_nothing_that_can_be_no_key(vendor: FakeVendor, key: str) -> None:
    with pytest.raises(VendorError, match="no key") as caught:
        asked(vendor.url, key)
    assert caught.value.refused
    assert vendor.requests == []


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://vendor.example", "http://[::1", "http://a\x00b"])
def test_it_tells_of_an_address_that_is_none(url: str) -> None:
    assert "could not be asked" in refused(url).told
