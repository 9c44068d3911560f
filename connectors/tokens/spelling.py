"""How a token is written: prefix, 256 random bits, checksum (DESIGN §5.2).

The checksum lets a mistyped or cut token be refused before the database is asked, and lets secret scanners be sure.
"""

import hashlib
import re
import secrets
import string
import zlib

from connectors import scopes

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIXES = {scopes.INGEST: "agp_ing_", scopes.API: "agp_api_"}
RANDOM_LENGTH = 43  # 62**43 > 2**256
CHECKSUM_LENGTH = 6  # 62**6 > 2**32
PATTERN = re.compile(rf"(agp_(?:ing|api)_[0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})")
"""Also what a secret scanner should look for."""


def generate(kind: str) -> str:
    """A new token of that kind."""
    body = PREFIXES[kind] + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return body + checksum(body)


def checksum(body: str) -> str:
    """CRC-32 (zlib's) of the ASCII body in base62, most significant digit first, left-padded with 0."""
    rest = zlib.crc32(body.encode("ascii"))
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def is_well_formed(text: str) -> bool:
    """Whether `text` is written as a token is. Every change of one character makes it False."""
    match = PATTERN.fullmatch(text)
    return match is not None and checksum(match[1]) == match[2]


def kind_of(text: str) -> str | None:
    """The kind a well-formed token claims by its prefix; None if it is not well formed."""
    if not is_well_formed(text):
        return None
    return next(kind for kind, prefix in PREFIXES.items() if text.startswith(prefix))


def digest(text: str) -> bytes:
    """SHA-256: all that is kept of a token. Unsalted, as 256 random bits cannot be guessed."""
    return hashlib.sha256(text.encode("ascii")).digest()
