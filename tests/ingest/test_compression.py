"""Bounded gzip: what comes out is what went in, or it is refused early."""

import contextlib
import gzip
import random
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.compression import gunzip
from ingest.otlp import Limits, Malformed, TooLarge

MIB = 1 << 20
LIMITS = Limits()
NOISE = random.Random(7).randbytes(3 * MIB)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


@given(st.binary(max_size=5000), st.integers(1, 9), st.integers(1, 700))
@settings(deadline=None)
def test_it_gives_back_what_was_compressed(data: bytes, level: int, size: int) -> None:
    assert gunzip(pieces(gzip.compress(data, level), size), LIMITS) == data


@pytest.mark.parametrize("size", [1000, 65_536, 65_537, 10 * MIB])
def test_it_gives_back_a_large_body(size: int) -> None:
    body = (NOISE + b"x" * 100_000) * 2
    assert gunzip(pieces(gzip.compress(body, 1), size), LIMITS) == body


def test_it_gives_back_all_that_zlib_held_back() -> None:
    """The last bytes on the wire stand for many times what is taken from zlib at once."""
    body = NOISE[: MIB // 4] + bytes(MIB)
    assert gunzip([gzip.compress(body)], LIMITS) == body


@pytest.mark.parametrize("size", [1, 100, 10**6])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(gzip.compress(b"a") + gzip.compress(b"b"), id="two-members"),
        pytest.param(gzip.compress(b"a") + b"\0", id="trailing-zero"),
        pytest.param(gzip.compress(b"a") + b"garbage", id="trailing-garbage"),
    ],
)
def test_it_refuses_anything_behind_the_member(body: bytes, size: int) -> None:
    with pytest.raises(Malformed, match="bytes after the end of the gzip member"):
        gunzip(pieces(body, size), LIMITS)


@pytest.mark.parametrize("cut", [0, 1, 9, 10, 15, -1, -4, -8])
def test_it_refuses_a_body_cut_off(cut: int) -> None:
    with pytest.raises(Malformed, match="the gzip body is incomplete"):
        gunzip([gzip.compress(b"a body of some length")[:cut]], LIMITS)


def damaged(at: int) -> bytes:
    body = bytearray(gzip.compress(b"a body of some length"))
    body[at] ^= 0xFF
    return bytes(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"plain text", id="plain"),
        pytest.param(zlib.compress(b"a"), id="zlib"),
        pytest.param(damaged(0), id="magic"),
        pytest.param(damaged(12), id="deflate"),
        pytest.param(damaged(-5), id="crc"),
        pytest.param(damaged(-1), id="size"),
    ],
)
def test_it_refuses_what_is_not_gzip(body: bytes) -> None:
    with pytest.raises(Malformed, match="the body is not gzip"):
        gunzip([body], LIMITS)


@pytest.mark.parametrize(("size", "refused"), [(MIB - 1, False), (MIB, False), (MIB + 1, True)])
def test_it_takes_so_many_bytes_decompressed_and_no_more(size: int, refused: bool) -> None:
    limits = Limits(body_bytes=MIB)
    body = NOISE[:size]
    for chunk in (1000, 2 * MIB):
        if refused:
            with pytest.raises(TooLarge, match="larger than 1048576 bytes decompressed"):
                gunzip(pieces(gzip.compress(body, 1), chunk), limits)
        else:
            assert gunzip(pieces(gzip.compress(body, 1), chunk), limits) == body


@pytest.mark.parametrize(("room", "refused"), [(1, False), (0, False), (-1, True)])
def test_it_takes_so_many_bytes_on_the_wire_and_no_more(room: int, refused: bool) -> None:
    body = gzip.compress(NOISE[:100_000], 1)
    limits = Limits(wire_bytes=len(body) + room)
    for chunk in (1000, 2 * MIB):
        if refused:
            with pytest.raises(TooLarge, match="bytes as sent"):
                gunzip(pieces(body, chunk), limits)
        else:
            assert gunzip(pieces(body, chunk), limits) == NOISE[:100_000]


def test_it_has_the_limits_of_the_contract() -> None:
    assert (LIMITS.wire_bytes, LIMITS.body_bytes, LIMITS.records) == (16 * MIB, 64 * MIB, 50_000)
    assert (LIMITS.ratio, LIMITS.ratio_from_bytes, LIMITS.nesting) == (200, MIB, 32)


def test_it_takes_any_ratio_up_to_a_mebibyte() -> None:
    assert gunzip([gzip.compress(bytes(MIB))], LIMITS) == bytes(MIB)


@pytest.mark.parametrize("chunk", [512, 64 * 1024, 10 * MIB])
def test_it_refuses_a_bomb_without_inflating_it(chunk: int) -> None:
    bomb = gzip.compress(bytes(100 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="compressed more than 200 times"):
            gunzip(pieces(bomb, chunk), LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


def test_it_stops_reading_at_the_limit() -> None:
    asked = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked
        compressor = zlib.compressobj(1, wbits=31)
        while True:
            asked += 1
            yield compressor.compress(NOISE[:100_000])

    with pytest.raises(TooLarge, match="larger than 1048576 bytes decompressed"):
        gunzip(endless(), Limits(body_bytes=MIB))
    assert asked <= 12


def test_it_looks_at_one_layer_only() -> None:
    inner = gzip.compress(bytes(10 * MIB))
    assert gunzip([gzip.compress(inner)], LIMITS) == inner


@given(st.binary(max_size=300), st.integers(0, 60), st.binary(max_size=4))
@settings(deadline=None)
def test_it_refuses_whatever_it_cannot_read(data: bytes, at: int, noise: bytes) -> None:
    body = gzip.compress(data)
    for odd in (data, body[:at] + noise + body[at + len(noise) :]):
        with contextlib.suppress(Malformed):
            gunzip(pieces(odd, 7), LIMITS)
