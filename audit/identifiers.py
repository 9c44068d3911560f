"""Identifiers made here: event ids that carry the receive time, and keys derived from other identifiers.

UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then 12 bits of the millisecond's fraction (§6.2 method 3), then
20 bits of position within the batch and 42 random bits, so that ids sort by receive time and arrival order.
UUIDv8 (§5.8) holds the first bits of a SHA-256.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from uuid import UUID

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
POSITIONS = 1 << 20
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def event_ids(received_at_us: int, count: int) -> Iterator[UUID]:
    """`count` ids (at most 2**20) for records received together, in their order."""
    prefix = _time_bits(received_at_us) | 0b10 << 62
    noise = os.urandom(6 * count)
    for position in range(count):
        random = int.from_bytes(noise[6 * position : 6 * position + 6], "big") >> 6
        yield UUID(int=prefix | position << 42 | random)


def _time_bits(received_at_us: int) -> int:
    milliseconds, microseconds = divmod(received_at_us, 1000)
    return milliseconds << 80 | 0x7 << 76 | (microseconds * 4096 // 1000) << 64


def received_at_us(event_id: UUID) -> int:
    """The receive time that an event id carries, in microseconds since the epoch."""
    bits = event_id.int
    return (bits >> 80) * 1000 + -(-((bits >> 64 & 0xFFF) * 1000) // 4096)


def received_at(event_id: UUID) -> dt.datetime:
    return moment(received_at_us(event_id))


def moment(microseconds: int) -> dt.datetime:
    """Microseconds since the epoch as a time in UTC."""
    return EPOCH + dt.timedelta(microseconds=microseconds)


def lower_bound(moment: dt.datetime) -> UUID:
    """The smallest id an event received at `moment` or later can have."""
    return UUID(int=_time_bits((moment - EPOCH) // dt.timedelta(microseconds=1)))


def derived(*parts: str | int) -> UUID:
    """A UUIDv8 that is the same for the same parts."""
    return UUID(derived_text(*parts))


def derived_text(*parts: str | int) -> str:
    """The same as PostgreSQL writes it; a UUID object costs more than all the rest."""
    text = "".join([f"{len(part)}:{part}" for part in map(str, parts)])
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    variant = _VARIANTS[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def session_key(source_id: int, agent: str, session_id: str) -> UUID:
    """Our id of a session: the vendor's id alone is neither unique nor trustworthy."""
    return derived("session", source_id, agent, session_id)
