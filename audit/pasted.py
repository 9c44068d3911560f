"""Secrets that people paste into what they write: masked in reasons and queries, refused in names. Pure."""

import re

_SECRET = re.compile(r"(agp_ing|agp_api)_[0-9A-Za-z]{16,}|(sk-(?:ant|admin|proj|svcacct))-[0-9A-Za-z_-]{16,}")
"""The portal's own tokens, and the keys of vendors that are connected with a key."""


def masked(text: str) -> str:
    """What a person wrote, with a mark in place of each secret that stands in it."""
    return _SECRET.sub(lambda found: f"[redacted:{found[1] or found[2]}]", text)


def holds_secret(text: str) -> bool:
    return _SECRET.search(text) is not None
