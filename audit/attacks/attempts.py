"""What an attack was, what was expected of it, and what came of it."""

from dataclasses import dataclass

REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`expected` is `refused` or who should see it; `missed` if neither refused nor seen."""

    attack: str
    role: str
    expected: str
    observed: str
    missed: bool
