"""proofs.json: that the lines of a pack are in the tree whose head is signed; written as the proofs come."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

FORMAT = "agp-proofs/1"


@dataclass(frozen=True, slots=True)
class Span:
    """All numbers from `first` to `last`, and the compact ranges that lie before and after them in the tree."""

    first: int
    last: int
    left: Sequence[bytes]
    right: Sequence[bytes]


def document(inclusion: Iterable[tuple[int, Sequence[bytes]]], span: Span | None) -> Iterator[bytes]:
    """The file in pieces; `inclusion` in the order of the lines that are proved."""
    yield b'{"format":"%s","inclusion":{' % FORMAT.encode()
    comma = b""
    for seq, path in inclusion:
        yield b'%s"%d":%s' % (comma, seq, _hexes(path))
        comma = b",\n"
    yield b'},"range":'
    if span is None:
        yield b"null}\n"
    else:
        ends = (span.first, span.last, _hexes(span.left), _hexes(span.right))
        yield b'{"first":%d,"last":%d,"left":%s,"right":%s}}\n' % ends


def _hexes(hashes: Sequence[bytes]) -> bytes:
    return msgspec.json.encode([each.hex() for each in hashes])
