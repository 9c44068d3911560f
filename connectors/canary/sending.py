"""One request to an endpoint, step by step: the name, the connection, TLS, the answer. Each step is told in words.

Nothing but that endpoint is contacted: no redirect is followed, and no proxy is asked. The token is in no text.
"""

import contextlib
import datetime as dt
import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from connectors.canary import causes

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0
MOST_ADDRESSES = 3
ANSWER_BYTES = 1 << 16
_TOKEN = re.compile(r"agp_(ing|api)_\w+")

Step = tuple[str, bool, str]
"""(name, whether it went well, in words)"""


class Failed(Exception):
    """A step that did not go well; the message says what that usually means."""


@dataclass(slots=True)
class Sent:
    """What became of it. `status` is the receiver's, if it answered; `error` is empty when it took the record."""

    steps: list[Step] = field(default_factory=list)
    status: int | None = None
    error: str = ""


def send(endpoint: str, path: str, secret: str, body: bytes) -> Sent:
    """Posts `body` to `path` below `endpoint` with the token. Raises nothing: what goes wrong is told."""
    sent = Sent()
    with contextlib.ExitStack() as opened:
        try:
            parts = _parts(endpoint)
            addresses = _resolved(sent, parts)
            connection = opened.enter_context(contextlib.closing(_connected(sent, parts, addresses)))
            secured = opened.enter_context(contextlib.closing(_secured(sent, parts, connection)))
            _answered(sent, parts, secured, path, secret, body)
        except Failed as error:
            sent.error = str(error)
    return sent


def _parts(endpoint: str) -> SplitResult:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Failed(causes.NO_ADDRESS)
    return parts


def _resolved(sent: Sent, parts: SplitResult) -> Sequence[tuple[int, Any]]:
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, _port(parts), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        sent.steps.append(("resolve", False, f"{host} has no address"))
        raise Failed(causes.unresolved(host)) from error
    addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    told = ", ".join(dict.fromkeys(str(address[0]) for _, address in addresses))
    sent.steps.append(("resolve", True, f"{host} is {told}"))
    return addresses[:MOST_ADDRESSES]


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _connected(sent: Sent, parts: SplitResult, addresses: Sequence[tuple[int, Any]]) -> socket.socket:
    port, last = _port(parts), OSError()
    for family, address in addresses:
        begun = time.monotonic()
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(CONNECT_SECONDS)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            last = error
            continue
        sent.steps.append(("connect", True, f"port {port} of {address[0]}, after {_milliseconds(begun)}"))
        return connection
    sent.steps.append(("connect", False, f"port {port} does not answer"))
    raise Failed(causes.unconnected(parts.hostname or "", port, last))


def _secured(sent: Sent, parts: SplitResult, connection: socket.socket) -> socket.socket:
    if parts.scheme != "https":
        sent.steps.append(("tls", True, "not used: the address begins with http"))
        return connection
    try:
        secured = ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
    except (OSError, ValueError) as error:
        sent.steps.append(("tls", False, "no trusted connection"))
        raise Failed(causes.untrusted(error)) from error
    sent.steps.append(("tls", True, _certificate(secured)))
    return secured


def _certificate(secured: ssl.SSLSocket) -> str:
    until = (secured.getpeercert() or {}).get("notAfter")
    if not isinstance(until, str):
        return str(secured.version())
    day = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(until), dt.UTC).date()
    return f"{secured.version()}, certificate until {day}"


def _answered(sent: Sent, parts: SplitResult, connection: socket.socket, path: str, secret: str, body: bytes) -> None:
    headers = {"Host": parts.netloc.rpartition("@")[2], "Content-Type": "application/json"}
    client = http.client.HTTPConnection(parts.hostname or "", _port(parts))
    client.sock = connection
    connection.settimeout(ANSWER_SECONDS)
    begun = time.monotonic()
    try:
        client.request("POST", parts.path.rstrip("/") + path, body, {**headers, "Authorization": f"Bearer {secret}"})
        response = client.getresponse()
        text = response.read(ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as error:
        sent.steps.append(("answer", False, "no answer that could be read"))
        raise Failed(causes.unanswered(parts.scheme, error)) from error
    sent.status = response.status
    said = _said(text, secret)
    told = f"{response.status} after {_milliseconds(begun)}"
    well = response.status == http.HTTPStatus.OK and not said
    sent.steps.append(("answer", well, f"{told}: {said}" if said else told))
    if not well:
        raise Failed(causes.refused(response.status))


def _said(text: bytes, secret: str) -> str:
    """The message of an answer in OTLP/JSON: of a refusal, or of records that were rejected. Never with a token."""
    try:
        answer = json.loads(text)
        partial = answer.get("partialSuccess") or {}
        message = answer.get("message") or partial.get("errorMessage") or ""
    except (ValueError, AttributeError, RecursionError):
        return ""
    shown = "".join(letter if letter.isprintable() else " " for letter in str(message)).replace(secret, "…")
    return _TOKEN.sub(r"agp_\1_…", shown)[:200].strip()


def _milliseconds(begun: float) -> str:
    return f"{(time.monotonic() - begun) * 1000:.0f} ms"
