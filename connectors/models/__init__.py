"""What the connectors keep. Each module holds the tables of one subject."""

from connectors.models.connections import Backfill, Capability, Connection, Pace, Page, Pull, Reported
from connectors.models.coverage import CoverageRule, Covered
from connectors.models.credentials import KeyRotation
from connectors.models.fleet import Canary, CanaryRun, Device, Installation, RosterCursor, Seat
from connectors.models.people import Identity, Membership, Person, PersonChange, SeenSubject, Team
from connectors.models.receipts import RevocationReceipt
from connectors.models.sources import NAME_LENGTH, Source
from connectors.models.tokens import (
    ENDED,
    EXPIRING,
    STATES,
    ApiToken,
    IngestToken,
    Token,
    in_state,
)
from connectors.models.usage import Counted, CountedPoint, KnownSubject, Level, Price, StaleDay, Tally, UsageDay

__all__ = [
    "ENDED",
    "EXPIRING",
    "NAME_LENGTH",
    "STATES",
    "ApiToken",
    "Backfill",
    "Canary",
    "CanaryRun",
    "Capability",
    "Connection",
    "Counted",
    "CountedPoint",
    "CoverageRule",
    "Covered",
    "Device",
    "Identity",
    "IngestToken",
    "Installation",
    "KeyRotation",
    "KnownSubject",
    "Level",
    "Membership",
    "Pace",
    "Page",
    "Person",
    "PersonChange",
    "Price",
    "Pull",
    "Reported",
    "RevocationReceipt",
    "RosterCursor",
    "Seat",
    "SeenSubject",
    "Source",
    "StaleDay",
    "Tally",
    "Team",
    "Token",
    "UsageDay",
    "in_state",
]
