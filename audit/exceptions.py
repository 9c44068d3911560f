"""What can go wrong with evidence, sorted by what the caller does next.

AuditError
├── AppendRefused    the database refuses these drafts themselves; sending them again cannot help
├── IdentityErased   a person was erased while their events were on the way; prepared anew they go in
├── Held             a legal hold stands in the way; somebody must release it first
├── NotRecorded      an act of the portal could not be recorded, so it is not done, and nothing is shown; try again
└── CursorError      a feed or list cursor that cannot be read; the caller's mistake
    └── EpochRetired the cursor belongs to a ledger that was closed; start again from the beginning
"""


class AuditError(Exception):
    """Root of everything this app raises on purpose."""


class AppendRefused(AuditError):
    """The database refuses a draft itself; sending it again cannot help."""


class IdentityErased(AuditError):
    """Events were prepared with an identity that is erased by now; prepared anew, they can be recorded."""


class Held(AuditError):
    """A legal hold covers what was to be erased or purged. `hold` is its number."""

    def __init__(self, hold: int) -> None:
        super().__init__(f"Legal hold {hold} stands in the way.")
        self.hold = hold


class NotRecorded(AuditError):
    """An act of the portal could not be recorded; the caller must not go on with it."""


class CursorError(AuditError):
    """The cursor cannot be read."""


class EpochRetired(CursorError):
    """The cursor belongs to an epoch that was closed."""
