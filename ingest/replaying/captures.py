"""Captured OTLP requests in files: one request a file, or a Collector file exporter's lines (one request a line)."""

import gzip
import itertools
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.otlp import Encoding, Signal

REQUEST_NAME = re.compile(r"\d+[.-](logs|metrics|traces)\.(json|pb|grpc\.pb)(\.gz)?")
LINES_NAME = re.compile(r".+\.(jsonl?|ndjson)(\.gz)?")
NOTES = frozenset({"index.jsonl"})
_SIGNALS: dict[bytes, Signal] = {b"resourceLogs": "logs", b"resourceMetrics": "metrics", b"resourceSpans": "traces"}
_FIRST_KEY = re.compile(rb'\s*\{\s*"(resourceLogs|resourceMetrics|resourceSpans)"\s*:')


class NotACapture(Exception):
    """A path that holds no request; the message says why."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One request as it is to be sent; `name` says where it comes from."""

    name: str
    signal: Signal
    encoding: Encoding
    gzip: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A file `NNNN.<signal>.<json|pb|grpc.pb>[.gz]`, or the same with a hyphen after the number.

    `grpc.pb` is a protobuf message without gRPC's framing; a `.gz` body is sent as it lies there.
    """

    path: Path

    def count(self) -> int:
        return 1

    def requests(self) -> Iterator[Captured]:
        match = REQUEST_NAME.fullmatch(self.path.name)
        assert match is not None
        encoding: Encoding = "json" if match[2] == "json" else "protobuf"
        yield Captured(str(self.path), match[1], encoding, bool(match[3]), self.path.read_bytes())  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class LinesFile:
    """A file of lines, each the JSON of one request, as the Collector's file exporter writes them."""

    path: Path

    def count(self) -> int:
        return sum(1 for _ in self._lines())

    def requests(self) -> Iterator[Captured]:
        """Raises NotACapture at a line that is no request."""
        for number, line in self._lines():
            name = f"{self.path}, line {number}"
            yield Captured(name, signal_of(line, name), "json", False, line)

    def holds_requests(self) -> bool:
        return any(_FIRST_KEY.match(line) for _, line in itertools.islice(self._lines(), 1))

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not empty, with their numbers."""
        opened = gzip.open if self.path.suffix == ".gz" else open
        try:
            with opened(self.path, "rb") as lines:
                yield from ((number, line.strip()) for number, line in enumerate(lines, 1) if line.strip())
        except (OSError, EOFError, zlib.error) as error:
            raise NotACapture(f"{self.path}: {error}") from error


Capture = RequestFile | LinesFile


def signal_of(line: bytes, name: str) -> Signal:
    """The signal of a file exporter's line, by its one key."""
    match = _FIRST_KEY.match(line)
    if match is None:
        raise NotACapture(f"{name}: no resourceLogs, resourceMetrics or resourceSpans")
    return _SIGNALS[match[1]]


def find(paths: Sequence[Path]) -> tuple[list[Capture], list[Path]]:
    """The captures at `paths` in their order, folders in the order of their files' names; and the files passed over.

    Raises NotACapture for a path that does not exist and for a named file that holds no request.
    """
    found: list[Capture] = []
    skipped: list[Path] = []
    for path in paths:
        if path.is_dir():
            for file in sorted(each for each in path.rglob("*") if each.is_file()):
                capture = _capture(file)
                found += [capture] if capture else []
                skipped += [] if capture else [file]
        elif not path.is_file():
            raise NotACapture(f"{path}: no such file or folder")
        elif capture := _capture(path):
            found.append(capture)
        else:
            raise NotACapture(f"{path}: neither NNNN.<signal>.<json|pb>[.gz] nor a file exporter's JSON lines")
    return found, skipped


def _capture(file: Path) -> Capture | None:
    if REQUEST_NAME.fullmatch(file.name):
        return RequestFile(file)
    if file.name in NOTES or not LINES_NAME.fullmatch(file.name):
        return None
    lines = LinesFile(file)
    return lines if lines.holds_requests() else None
