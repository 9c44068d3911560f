"""Bounded gzip (RFC 1952) for request bodies: read as it arrives, given up at the limit, never inflated beyond it."""

import io
import zlib
from collections.abc import Iterable

from ingest.otlp.limits import Limits, Malformed, TooLarge

STEP_BYTES = 64 * 1024
"""So much is fed to zlib at once, and taken from it: what it could not use yet, it gives back as a copy."""

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
        if self._fed + len(chunk) > self._limits.wire_bytes:
            raise TooLarge(f"the body is larger than {self._limits.wire_bytes} bytes as sent")
        view = memoryview(chunk)
        for at in range(0, len(chunk), STEP_BYTES):
            self._inflate(view[at : at + STEP_BYTES])

    def finish(self) -> bytes:
        """The whole body, once the sender is done."""
        if not self._zlib.eof:
            raise Malformed("the gzip body is incomplete")
        return self._body.getvalue()

    def _inflate(self, piece: bytes | memoryview) -> None:
        if self._zlib.eof:
            raise Malformed("bytes after the end of the gzip member")
        self._fed += len(piece)
        wanted = taken = 0
        while taken == wanted and not self._zlib.eof:  # zlib may hold output back when all input is used
            wanted = min(STEP_BYTES, self._limits.body_bytes - self._body.tell() + 1)
            try:
                taken = self._body.write(self._zlib.decompress(piece, wanted))
            except zlib.error as exc:
                raise Malformed("the body is not gzip") from exc
            piece = self._zlib.unconsumed_tail
            self._check(self._body.tell(), self._fed - len(piece))
        if self._zlib.unused_data:
            raise Malformed("bytes after the end of the gzip member")

    def _check(self, size: int, consumed: int) -> None:
        limits = self._limits
        if size > limits.body_bytes:
            raise TooLarge(f"the body is larger than {limits.body_bytes} bytes decompressed")
        if size > limits.ratio_from_bytes and size > limits.ratio * consumed:
            raise TooLarge(f"the body is compressed more than {limits.ratio} times")


def gunzip(chunks: Iterable[bytes], limits: Limits) -> bytes:
    """A body that comes in pieces; what follows a refused piece is not asked for. Raises Malformed, TooLarge."""
    inflater = Inflater(limits)
    for chunk in chunks:
        inflater.feed(chunk)
    return inflater.finish()
