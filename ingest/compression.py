"""Bounded gzip (RFC 1952) for request bodies: read as it arrives, given up at the limit, never inflated beyond it."""

import io
import zlib
from collections.abc import Iterable

from ingest.otlp.limits import Limits, Malformed, TooLarge

STEP_BYTES = 256 * 1024
_GZIP_ONLY = 16 + zlib.MAX_WBITS


class Inflater:
    """Inflates one gzip member fed in pieces. Both methods raise Malformed and TooLarge."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._zlib = zlib.decompressobj(_GZIP_ONLY)
        self._body = io.BytesIO()
        self._fed = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the body as it was sent. After an error, stop reading."""
        self._fed += len(chunk)
        if self._fed > self._limits.wire_bytes:
            raise TooLarge(f"the body is larger than {self._limits.wire_bytes} bytes as sent")
        if chunk and self._zlib.eof:
            raise Malformed("bytes after the end of the gzip member")
        while chunk and not self._zlib.eof:
            self._step(chunk)
            chunk = self._zlib.unconsumed_tail
        if self._zlib.unused_data:
            raise Malformed("bytes after the end of the gzip member")

    def finish(self) -> bytes:
        """The whole body, once the sender is done."""
        if not self._zlib.eof:
            raise Malformed("the gzip body is incomplete")
        return self._body.getvalue()

    def _step(self, chunk: bytes) -> None:
        room = self._limits.body_bytes - self._body.tell()
        try:
            self._body.write(self._zlib.decompress(chunk, min(STEP_BYTES, room + 1)))
        except zlib.error as exc:
            raise Malformed("the body is not gzip") from exc
        size, consumed = self._body.tell(), self._fed - len(self._zlib.unconsumed_tail)
        if size > self._limits.body_bytes:
            raise TooLarge(f"the body is larger than {self._limits.body_bytes} bytes decompressed")
        if size > self._limits.ratio_from_bytes and size > self._limits.ratio * consumed:
            raise TooLarge(f"the body is compressed more than {self._limits.ratio} times")


def gunzip(chunks: Iterable[bytes], limits: Limits) -> bytes:
    """A body that comes in pieces; what follows a refused piece is not asked for. Raises Malformed, TooLarge."""
    inflater = Inflater(limits)
    for chunk in chunks:
        inflater.feed(chunk)
    return inflater.finish()
