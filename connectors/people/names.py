"""Names of people as they are kept: bounded, spelled one way, and told apart by kind."""

import re
from uuid import UUID

from connectors.models import Identity

LONGEST = 256
"""As long as audit.interning keeps the same names; a btree entry holds them."""

_ADDRESS = re.compile(r"[^\s@<>,;]{1,128}@[^\s@<>,;]{1,126}")
_GIT_AUTHOR = re.compile(r"(?:.*<)?([^\s@<>]+@[^\s@<>]+)>?\s*", re.DOTALL)
_HIDDEN = dict.fromkeys(map(ord, "\x00"), "\u2400")


def spelled(kind: str, value: str) -> str:
    """The value as it is kept and found again: the same text for the same name."""
    text = value.encode("utf-8", "replace").decode().translate(_HIDDEN).strip()
    return (text.lower() if kind in (Identity.Kind.EMAIL, Identity.Kind.GIT) else text)[:LONGEST]


def is_address(text: str) -> bool:
    """Whether it is an e-mail address as far as one can tell without sending mail."""
    return _ADDRESS.fullmatch(text) is not None


def address_of(git_author: str) -> str:
    """The address of a Git author, `Name <address>` or the address alone; "" if there is none."""
    match = _GIT_AUTHOR.fullmatch(git_author)
    return match[1].lower() if match and is_address(match[1]) else ""


def account_kind(value: str) -> str:
    """Whether an account is named by its uuid or in the vendor's own form."""
    try:
        UUID(value)
    except ValueError:
        return Identity.Kind.ACCOUNT_ID
    return Identity.Kind.ACCOUNT_UUID
