"""One request, step by step, to whatever may be at a public address."""

import json

import pytest

from connectors import tokens
from connectors.canary import sending
from tests.connectors.canary.servers import Server, certificate, secured, serving, talking
from tests.processes import free_port

SECRET = tokens.generate("ingest")


def send(endpoint):
    sent = sending.send(endpoint, "/v1/logs", SECRET, b'{"x": 1}')
    assert SECRET not in repr(sent)
    return sent


def names(sent, well):
    return [name for name, each, _ in sent.steps if each is well]


def test_all_steps_of_one_that_is_taken():
    with serving(Server()) as server:
        sent = send(f"http://127.0.0.1:{server.port}")
    assert (sent.status, sent.error, names(sent, False)) == (200, "", [])
    assert names(sent, True) == ["resolve", "connect", "tls", "answer"]
    ((path, headers, body),) = server.got
    assert (path, body) == ("/v1/logs", b'{"x": 1}')
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{server.port}"


def test_a_path_of_the_endpoint_stays_before_the_signals():
    with serving(Server()) as server:
        send(f"http://127.0.0.1:{server.port}/otel/")
    assert server.got[0][0] == "/otel/v1/logs"


@pytest.mark.parametrize(
    ("status", "where"),
    [
        (400, "changed it"),
        (401, "revoked"),
        (403, "allowed networks"),
        (404, "forward /v1/logs"),
        (405, "POST"),
        (413, "limit"),
        (429, "budget"),
        (500, "went wrong|failed"),
        (502, "does not reach"),
        (503, "readyz"),
        (504, "in time"),
    ],
)
def test_what_is_refused_is_told_with_the_usual_cause(status, where):
    with serving(Server(status, json.dumps({"message": "because"}).encode())) as server:
        sent = send(f"http://127.0.0.1:{server.port}")
    assert sent.status == status
    assert names(sent, False) == ["answer"]
    assert "because" in sent.steps[-1][2]
    assert any(each in sent.error for each in where.split("|"))


def test_a_redirect_is_not_followed():
    with (
        serving(Server()) as other,
        serving(Server(302, headers={"Location": f"http://127.0.0.1:{other.port}/v1/logs"})) as server,
    ):
        sent = send(f"http://127.0.0.1:{server.port}")
    assert other.got == []
    assert sent.status == 302
    assert "do not follow" in sent.error


def test_a_record_that_was_rejected_is_no_success():
    partial = {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "too deep"}}
    with serving(Server(200, json.dumps(partial).encode())) as server:
        sent = send(f"http://127.0.0.1:{server.port}")
    assert sent.error
    assert "too deep" in sent.steps[-1][2]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"message": {"a": 1}}', b"\xff" * 10, b"[" * 9000])
def test_any_body_of_an_answer_can_be_read(body):
    with serving(Server(404, body)) as server:
        assert send(f"http://127.0.0.1:{server.port}").status == 404


def test_an_answer_that_repeats_the_token_does_not_bring_it_here():
    text = json.dumps({"message": "refused {authorization} and agp_api_0123456789abcdef\x1b[31m"}).encode()
    with serving(Server(403, text)) as server:
        sent = send(f"http://127.0.0.1:{server.port}")
    told = sent.steps[-1][2]
    assert "refused Bearer …" in told
    assert "agp_api_0123456789abcdef" not in told
    assert told.isprintable()


def test_a_name_without_an_address():
    sent = send(f"http://{'x' * 70}.invalid:4318")
    assert names(sent, False) == ["resolve"]
    assert "DNS" in sent.error


@pytest.mark.parametrize("endpoint", ["", "otlp.acme.example", "ftp://x", "https://[1", "http://x:99999", "http://"])
def test_what_is_no_address(endpoint):
    sent = send(endpoint)
    assert sent.steps == []
    assert "OTLP_PUBLIC_URL is no address" in sent.error


def test_a_port_where_nothing_listens():
    sent = send(f"http://127.0.0.1:{free_port()}")
    assert names(sent, True) == ["resolve"]
    assert "Nothing listens" in sent.error


def test_a_port_that_never_answers(monkeypatch):
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 0.1)
    with talking(None) as port:
        sent = send(f"http://127.0.0.1:{port}")
    assert names(sent, False) == ["answer"]
    assert "no answer came" in sent.error


def test_a_port_that_speaks_something_else():
    with talking(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00") as port:
        sent = send(f"http://127.0.0.1:{port}")
    assert names(sent, False) == ["answer"]
    assert "4317" in sent.error


def test_a_certificate_that_is_not_trusted(tmp_path):
    with serving(secured(Server(), certificate(tmp_path))) as server:
        sent = send(f"https://127.0.0.1:{server.port}")
    assert names(sent, False) == ["tls"]
    assert "NODE_EXTRA_CA_CERTS" in sent.error
    assert server.got == [], "the token was not sent"


def test_a_certificate_that_is_trusted(tmp_path, monkeypatch):
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving(secured(Server(), pem)) as server:
        sent = send(f"https://127.0.0.1:{server.port}")
    assert sent.error == ""
    assert "certificate until" in {name: told for name, _, told in sent.steps}["tls"]


def test_https_to_a_port_that_speaks_plain_http():
    with serving(Server()) as server:
        sent = send(f"https://127.0.0.1:{server.port}")
    assert names(sent, False) == ["tls"]
    assert "does not speak TLS" in sent.error


def test_plain_http_to_a_port_that_speaks_tls(tmp_path):
    with serving(secured(Server(), certificate(tmp_path))) as server:
        sent = send(f"http://127.0.0.1:{server.port}")
    assert names(sent, False) == ["answer"]
    assert "should begin with https" in sent.error
