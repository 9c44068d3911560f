"""What can go wrong with evidence, sorted by what the caller does next.

AuditError
├── AppendRefused    the database refuses these drafts themselves; sending them again cannot help
└── CursorError      a feed or list cursor that cannot be read; the caller's mistake
    └── EpochRetired the cursor belongs to a ledger that was closed; start again from the beginning
"""


class AuditError(Exception):
    """Root of everything this app raises on purpose."""


class AppendRefused(AuditError):
    """The database refuses a draft itself; sending it again cannot help."""


class CursorError(AuditError):
    """The cursor cannot be read."""


class EpochRetired(CursorError):
    """The cursor belongs to an epoch that was closed."""
