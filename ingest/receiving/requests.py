"""A request as the receiver knows it before and after its body is read."""

import re
import time
from dataclasses import dataclass, field

from connectors.tokens import Refusal
from ingest import otlp
from ingest.receiving.answers import JSON, PROTOBUF

_ENCODINGS: dict[str, otlp.Encoding] = {PROTOBUF: "protobuf", JSON: "json"}
_PATH = re.compile(r"/v1/(logs|metrics|traces)/?|/api/v1/otel/([a-z0-9_-]{1,32})/(logs|metrics|traces)/?")

NOT_FOUND = Refusal(404, "path", "OTLP/HTTP is served at /v1/logs, /v1/metrics and /v1/traces")
NOT_POST = Refusal(405, "method", "send with POST")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request is addressed: the signal, and the agent if the path names one."""

    signal: otlp.Signal
    hint: str | None


def route(path: str) -> Route | None:
    """The route of a path, or None where nothing is served."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    return Route(match[1] or match[3], match[2])  # type: ignore[arg-type]


def encoding_of(content_type: str) -> otlp.Encoding | Refusal:
    """The encoding a Content-Type names; parameters such as charset do not matter."""
    encoding = _ENCODINGS.get(content_type.partition(";")[0].strip().lower())
    return encoding or Refusal(415, "content_type", f"send {PROTOBUF} or {JSON}")


def is_gzip(content_encoding: str) -> bool | Refusal:
    """Whether the body is compressed."""
    encoding = content_encoding.strip().lower()
    if encoding in ("", "identity"):
        return False
    return True if encoding == "gzip" else Refusal(415, "content_encoding", "send gzip or no Content-Encoding")


@dataclass(slots=True)
class Request:
    """One export request. `early` is a refusal found before decoding; the token's own refusal comes before it.

    `size` is the body's on the wire; `taken` is set by the writer that works on it. A `probe` asks for the token's
    refusal only, before a large body is read.
    """

    route: Route
    encoding: otlp.Encoding
    secret: str
    address: str
    body: bytes = b""
    size: int = 0
    gzip: bool = False
    probe: bool = False
    early: Refusal | None = None
    taken: bool = False
    received_at_us: int = field(default_factory=lambda: time.time_ns() // 1000)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: refused, or stored with so many new records, duplicates and rejected ones."""

    refusal: Refusal | None = None
    token_id: int = 0
    records: int = 0
    duplicates: int = 0
    rejected: int = 0
    message: str = ""

    def plus(self, other: "Outcome") -> "Outcome":
        """Of two parts of one request, both stored: the first reason stands for all."""
        return Outcome(
            None,
            self.token_id,
            self.records + other.records,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
            self.message or other.message,
        )
