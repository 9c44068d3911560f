"""The witnesses that the settings name, and one conversation with one of them."""

import contextlib
import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from audit.proofs.notes import COSIGNATURE, VerifierKey
from audit.witness.deadline import within

CONNECT_SECONDS = 3.0
CONVERSATION_SECONDS = 8.0
LARGEST_ANSWER = 1 << 16


@dataclass(frozen=True, slots=True)
class Known:
    """A witness: where its `add-checkpoint` is, and what verifies its cosignatures."""

    url: str
    key: VerifierKey

    @classmethod
    def parse(cls, text: str) -> "Known":
        """`<url> <verifier key>`. Raises ValueError."""
        url, _, key = text.partition(" ")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError(f"{url!r} is no address of a witness: <url> <verifier key>, and a comma before the next")
        parsed = VerifierKey.parse(key)
        if parsed.kind != COSIGNATURE:
            raise ValueError(f"the key of {url} is a log's, not a witness's")
        return cls(url.rstrip("/"), parsed)


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` 0: there was none, and `body` says why."""

    status: int
    body: str
    content_type: str = ""


def ask(witness: Known, body: bytes) -> Reply:
    """Sends a submission; an answer, or none, within some ten seconds. Redirects are not followed."""
    place = urlsplit(witness.url)
    try:
        with _connected(place.scheme == "https", str(place.hostname), place.port) as connection:
            connection.request("POST", f"{place.path}/add-checkpoint", body, {"Content-Type": "text/plain"})
            answer = connection.getresponse()
            text = answer.read(LARGEST_ANSWER).decode("utf-8", "replace")
            return Reply(answer.status, text, answer.getheader("Content-Type", ""))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Reply(0, str(error) or type(error).__name__)


@contextlib.contextmanager
def _connected(secure: bool, host: str, port: int | None) -> Iterator[http.client.HTTPConnection]:
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, port, timeout=CONNECT_SECONDS)
    with contextlib.closing(connection):
        connection.connect()
        connection.sock.settimeout(CONVERSATION_SECONDS)
        with within(CONVERSATION_SECONDS, connection.sock):
            yield connection
