"""`manage.py replay`: captured requests, sent again in order, and what became of them said."""

import contextlib
import gzip
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingest.replaying import captures
from ingest.replaying.client import BadEndpoint, Client, Unreachable
from tests.captures import CAPTURES
from tests.ingest.receiving.conftest import issue, live_database, receiver, token  # noqa: F401 - fixtures
from tests.processes import free_port

LOGS = b'{"resourceLogs":[]}'


@dataclass
class Scripted:
    """A receiver that gives its answers in turn, then 200, and keeps what it was sent."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            status, headers, answer = script.answers.pop(0) if script.answers else (200, {}, b"{}")
            self.send_response(status)
            for name, value in (
                {"Content-Type": "application/json", "Content-Length": str(len(answer))} | headers
            ).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        script.url = f"http://127.0.0.1:{server.server_port}"
        yield script
        server.shutdown()
        thread.join()


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs the command with a token in the environment and gives what it says."""
    monkeypatch.setenv("PORTAL_REPLAY_TOKEN", "agp_ing_of-this-test")

    def run(*arguments: object, **options: object) -> str:
        output = io.StringIO()
        call_command("replay", *map(str, arguments), stdout=output, stderr=output, **options)
        return output.getvalue()

    return run


def lay(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_it_sends_each_kind_of_file_in_its_own_encoding_and_in_order(scripted, replay, tmp_path: Path) -> None:
    packed = gzip.compress(LOGS)
    lay(
        tmp_path,
        **{
            "0002__metrics__pb": b"\x0a\x00",
            "0001__logs__json": LOGS,
            "0003__logs__grpc__pb": b"\x0a\x01",
            "0004-traces__json__gz": packed,
            "index__jsonl": b'{"file": "0001.logs.json"}\n',
            "NOTE__md": b"# what was done",
        },
    )
    said = replay(tmp_path, endpoint=scripted.url)
    assert [(path, body) for path, _, body in scripted.seen] == [
        ("/v1/logs", LOGS),
        ("/v1/metrics", b"\x0a\x00"),
        ("/v1/logs", b"\x0a\x01"),
        ("/v1/traces", packed),
    ]
    kinds = [(headers["content-type"], headers.get("content-encoding")) for _, headers, _ in scripted.seen]
    protobuf, json_ = "application/x-protobuf", "application/json"
    assert kinds == [(json_, None), (protobuf, None), (protobuf, None), (json_, "gzip")]
    assert {headers["authorization"] for _, headers, _ in scripted.seen} == {"Bearer agp_ing_of-this-test"}
    assert "4 requests sent: 4 answered 200." in said
    assert "2 other files were passed over." in said


def test_it_sends_a_file_exporters_lines_one_by_one(scripted, replay, tmp_path: Path) -> None:
    lines = [LOGS, b'{"resourceMetrics":[]}', b"", b' {"resourceSpans":[]}']
    lay(tmp_path, collector__json=b"\n".join(lines), notes__json=b'{"else": 1}')
    said = replay(tmp_path, endpoint=scripted.url + "/prefix/")
    assert [path for path, _, _ in scripted.seen] == ["/prefix/v1/logs", "/prefix/v1/metrics", "/prefix/v1/traces"]
    assert [body for _, _, body in scripted.seen] == [lines[0], lines[1], lines[3].strip()]
    assert "3 requests sent" in said


def test_it_says_where_a_line_is_no_request(scripted, replay, tmp_path: Path) -> None:
    lay(tmp_path, lines__jsonl=LOGS + b"\nnonsense\n" + LOGS)
    with pytest.raises(CommandError, match=r"lines.jsonl, line 2: no resourceLogs"):
        replay(tmp_path / "lines.jsonl", endpoint=scripted.url)
    assert len(scripted.seen) == 1


def test_it_goes_on_after_a_refusal_and_ends_with_1(scripted, replay, tmp_path: Path, capsys) -> None:
    lay(tmp_path, **{f"000{number}__logs__json": LOGS for number in range(1, 4)})
    scripted.answers = [(400, {}, b'{"code":3,"message":"not\\u0007 good"}')]
    output = io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("replay", str(tmp_path), endpoint=scripted.url, stdout=output, stderr=output)
    assert stopped.value.code == 1
    assert len(scripted.seen) == 3
    assert "3 requests sent: 2 answered 200, 1 answered 400." in output.getvalue()
    assert "0001.logs.json: 400 not\\x07 good" in output.getvalue()


def test_it_waits_as_told_and_sends_the_same_bytes_again(scripted, tmp_path: Path) -> None:
    lay(tmp_path, **{"0001__logs__json": LOGS})
    scripted.answers = [(503, {"Retry-After": "7"}, b"{}"), (429, {}, b"{}"), (503, {"Retry-After": "9999"}, b"{}")]
    waits: list[float] = []
    (capture,), _ = captures.find([tmp_path])
    with contextlib.closing(Client(scripted.url, "t", sleep=waits.append)) as client:
        reply = client.send(next(capture.requests()))
    assert (reply.status, reply.attempts) == (200, 4)
    assert waits == [7.0, 2.0, 30.0]
    assert {body for _, _, body in scripted.seen} == {LOGS}


def test_it_gives_up_on_a_receiver_that_never_recovers(scripted, tmp_path: Path) -> None:
    lay(tmp_path, **{"0001__logs__json": LOGS})
    scripted.answers = [(503, {}, b'{"code":14,"message":"away"}')] * 9
    waits: list[float] = []
    (capture,), _ = captures.find([tmp_path])
    with contextlib.closing(Client(scripted.url, "t", sleep=waits.append)) as client:
        reply = client.send(next(capture.requests()))
    assert (reply.status, reply.message, len(scripted.seen), len(waits)) == (503, "away", 5, 4)


def test_it_stops_where_nothing_listens(tmp_path: Path) -> None:
    lay(tmp_path, **{"0001__logs__json": LOGS})
    (capture,), _ = captures.find([tmp_path])
    with pytest.raises(Unreachable):
        Client(f"http://127.0.0.1:{free_port()}", "t", sleep=lambda _: None).send(next(capture.requests()))


@pytest.mark.parametrize("endpoint", ["ftp://x", "127.0.0.1:4318", "http://a:b@x", "http://x?token=1", "http://"])
def test_it_refuses_what_is_no_endpoint(endpoint: str) -> None:
    with pytest.raises(BadEndpoint):
        Client(endpoint, "t")


def test_it_wants_a_token_that_stands_in_no_command_line(scripted, tmp_path: Path, monkeypatch) -> None:
    lay(tmp_path, **{"0001__logs__json": LOGS})
    with pytest.raises(CommandError, match="PORTAL_REPLAY_TOKEN"):
        call_command("replay", str(tmp_path), endpoint=scripted.url)
    monkeypatch.setattr("sys.stdin", io.StringIO("agp_ing_piped\n"))
    call_command("replay", str(tmp_path), endpoint=scripted.url, token="-", stdout=io.StringIO())
    assert scripted.seen[0][1]["authorization"] == "Bearer agp_ing_piped"


def test_it_sends_everything_as_often_as_asked(scripted, replay, tmp_path: Path) -> None:
    lay(tmp_path, **{"0001__logs__json": LOGS, "0002__logs__json": LOGS + b" "})
    assert "6 requests sent" in replay(tmp_path, endpoint=scripted.url, times=3, rate=10_000.0)
    assert [body for _, _, body in scripted.seen] == [LOGS, LOGS + b" "] * 3


@pytest.fixture
def real(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, replay: Callable[..., str]) -> str:
    """The URL of a real receiver that takes the token in the environment."""
    monkeypatch.setenv("PORTAL_REPLAY_TOKEN", request.getfixturevalue("token"))
    return f"http://127.0.0.1:{request.getfixturevalue('receiver').port}"


def test_it_replays_captures_to_the_receiver(real: str, replay: Callable[..., str]) -> None:
    from audit.models import Event

    folders = [CAPTURES / name for name in ("a-plain-prompt.json", "g-bypass.grpc")]
    said = replay(*folders, endpoint=real)
    stored = Event.objects.count()
    assert stored > 20
    assert re.search(r"(\d+) requests sent: \1 answered 200\.", said)
    replay(*folders, endpoint=real, times=2)
    assert Event.objects.count() == stored


def test_it_warns_of_spans_that_are_not_kept(real: str, replay: Callable[..., str], tmp_path: Path) -> None:
    span = {"name": "x", "traceId": "1" * 32, "spanId": "2" * 16, "startTimeUnixNano": "1"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    lay(tmp_path, **{"0001__traces__json": body})
    said = replay(tmp_path, endpoint=real)
    assert "Warning: 1 records in requests for traces were not kept: spans are not kept" in said
