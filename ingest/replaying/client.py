"""One kept-alive connection to a receiver, and what it answers, as an OTLP/HTTP client reads it (OTLP 1.11)."""

import contextlib
import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from ingest.otlp.answers import plain
from ingest.replaying.captures import Captured

TIMEOUT_SECONDS = 30
ATTEMPTS = 5
USUAL_WAIT, LONGEST_WAIT = 2.0, 30.0
RETRYABLE = frozenset({429, 502, 503, 504})
_CONTENT_TYPES = {"json": "application/json", "protobuf": "application/x-protobuf"}


class BadEndpoint(Exception):
    """An endpoint that is no URL of a receiver."""


class Unreachable(Exception):
    """Nothing answers at the endpoint; the message says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The last answer to one request: its status, what it said, how many records it rejected, how often it was sent."""

    status: int
    message: str
    rejected: int
    attempts: int


class Client:
    """Sends to `endpoint` (what exporters call their base endpoint: the signal's path is appended)."""

    def __init__(self, endpoint: str, token: str, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise BadEndpoint("The endpoint must be a URL such as http://127.0.0.1:4318, without user or query.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self._path = parts.path.rstrip("/")
        self._token = token
        self._sleep = sleep

    def close(self) -> None:
        self._connection.close()

    def send(self, request: Captured) -> Reply:
        """Sends it, again after 429, 503 and lost connections for as often as ATTEMPTS. Raises Unreachable."""
        lost: Exception | None = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, headers, body = self._post(request)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                lost, wait = error, USUAL_WAIT
            else:
                if status not in RETRYABLE or attempt == ATTEMPTS:
                    rejected, message = _told(status, headers.get("content-type") or "", body)
                    return Reply(status, message, rejected, attempt)
                lost, wait = None, _wait(headers.get("retry-after"))
            if attempt < ATTEMPTS:
                self._sleep(wait)
        raise Unreachable(plain(str(lost))) from lost

    def _post(self, request: Captured) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = {"Content-Type": _CONTENT_TYPES[request.encoding], "Authorization": f"Bearer {self._token}"}
        if request.gzip:
            headers["Content-Encoding"] = "gzip"
        self._connection.request("POST", f"{self._path}/v1/{request.signal}", request.body, headers)
        response = self._connection.getresponse()
        return response.status, response.headers, response.read()


def _wait(retry_after: str | None) -> float:
    """Seconds, bounded; a date (RFC 9110 §10.2.3) is not worth a clock comparison here."""
    return min(float(retry_after), LONGEST_WAIT) if retry_after and retry_after.isdecimal() else USUAL_WAIT


def _told(status: int, content_type: str, body: bytes) -> tuple[int, str]:
    """How many records an answer rejects, and its message; an answer that cannot be read says nothing."""
    with contextlib.suppress(ValueError, DecodeError, AttributeError, TypeError):
        told = _told_json if content_type.startswith("application/json") else _told_protobuf
        rejected, message = told(status, body)
        return rejected, plain(message)
    return 0, ""


def _told_json(status: int, body: bytes) -> tuple[int, str]:
    answer: dict[str, Any] = json.loads(body)
    if status != 200:
        return 0, str(answer.get("message", ""))
    partial = answer.get("partialSuccess") or {}
    numbers = [int(value) for name, value in partial.items() if name.startswith("rejected")]
    return sum(numbers), str(partial.get("errorMessage", ""))


def _told_protobuf(status: int, body: bytes) -> tuple[int, str]:
    if status != 200:
        return 0, str(Status.FromString(body).message)
    # the three signals' answers differ only in the name of field 1 of their partial success
    partial = ExportLogsServiceResponse.FromString(body).partial_success
    return int(partial.rejected_log_records), str(partial.error_message)
