"""Tokens: how they are written (spelling), whether they open the door (access), what is noted (uses), their life,
and the receipts of their ends."""

from connectors.tokens.access import UNKNOWN, Refusal, TokenRecord, check, lookup, secret_of
from connectors.tokens.lifecycle import (
    LONGEST_OVERLAP,
    USUAL_OVERLAP,
    AlreadyIssued,
    TokenError,
    adopt,
    check_expiry,
    check_name,
    check_scopes,
    issue,
    revoke,
    rotate,
)
from connectors.tokens.spelling import PREFIXES, checksum, digest, generate, is_well_formed, kind_of
from connectors.tokens.uses import Refused, Use, is_due, note_accepted, note_refusals, touch

__all__ = [
    "LONGEST_OVERLAP",
    "PREFIXES",
    "UNKNOWN",
    "USUAL_OVERLAP",
    "AlreadyIssued",
    "Refusal",
    "Refused",
    "TokenError",
    "TokenRecord",
    "Use",
    "adopt",
    "check",
    "check_expiry",
    "check_name",
    "check_scopes",
    "checksum",
    "digest",
    "generate",
    "is_due",
    "is_well_formed",
    "issue",
    "kind_of",
    "lookup",
    "note_accepted",
    "note_refusals",
    "revoke",
    "rotate",
    "secret_of",
    "touch",
]
