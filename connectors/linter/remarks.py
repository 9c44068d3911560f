"""What the linter says: one remark a finding, and what it is told about this portal to judge by."""

from collections.abc import Callable
from dataclasses import dataclass

WRONG, MISSING, IGNORED, ADVISED, DOUBT, NOTE = "wrong", "missing", "ignored", "advised", "doubt", "note"
"""It will not work so; it has to be there; it has no effect; evidence needs it; look at it again; good to know."""


@dataclass(frozen=True, slots=True)
class Remark:
    """`line` is 0 for what stands on none. No text holds a value that was pasted."""

    kind: str
    line: int
    subject: str
    told: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the portal knows of a token: `ended` is revoked, expired, replaced or empty; `signals` what it may send."""

    name: str
    kind: str
    ended: str
    signals: frozenset[str]
    drops_content: bool


@dataclass(frozen=True, slots=True)
class Here:
    """This portal: its public address, and who knows tokens. `token` gives None for one that is not known."""

    endpoint: str
    token: Callable[[str], Known | None]
