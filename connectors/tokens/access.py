"""Whether a token opens the door: asked in the database by every request, so that a revocation holds from the next.

`secret_of` and `check` are pure; `lookup` is one query inside the caller's own transaction. Nothing is cached.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from connectors import addresses, scopes
from connectors.tokens import spelling


class Cursor(Protocol):
    """What psycopg's and Django's cursors share; rows are tuples."""

    def execute(self, query: str, params: Any = ..., /) -> Any: ...

    def fetchall(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What the portal knows of a token. Times are aware; of API tokens, what tells of a source is None."""

    id: int
    kind: str
    name: str
    source_id: int | None
    source_name: str | None
    agent: str | None
    signals: str | None
    content: str | None
    source_records_per_minute: int | None
    scopes: frozenset[str]
    networks: tuple[addresses.Network, ...]
    records_per_minute: int | None
    revoked_at: dt.datetime | None
    expires_at: dt.datetime | None
    valid_until: dt.datetime | None
    first_event_at: dt.datetime | None
    last_used_at: dt.datetime | None

    @property
    def keeps_content(self) -> bool:
        return self.content != "drop"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is turned away. `message` may be told to the sender; `reason` is the word counted."""

    status: int
    reason: str
    message: str


MISSING = Refusal(401, "missing", "Send a token: Authorization: Bearer agp_…")
MALFORMED = Refusal(401, "malformed", "This is not a token of this portal: it is cut, mistyped or from elsewhere.")
UNKNOWN = Refusal(401, "unknown", "This token is not known here.")
REVOKED = Refusal(401, "revoked", "This token was revoked.")
EXPIRED = Refusal(401, "expired", "This token has expired.")
REPLACED = Refusal(401, "replaced", "This token was replaced by a new one, and the time for both is over.")
WRONG_KIND = {
    scopes.INGEST: Refusal(403, "wrong_kind", "This is not an ingestion token (agp_ing_…)."),
    scopes.API: Refusal(403, "wrong_kind", "This is not an API token (agp_api_…)."),
}
ONLY = ("logs", "metrics")
"""The one signal that a source may be narrowed to (connectors.models.sources.SIGNALS)."""
WRONG_NETWORK = Refusal(403, "wrong_network", "This token may not be used from this address.")


def secret_of(authorization: str | None) -> str | Refusal:
    """The token in an `Authorization` header (RFC 6750 §2.1), its checksum verified."""
    scheme, _, secret = (authorization or "").strip().partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        return MISSING
    return secret if spelling.is_well_formed(secret) else MALFORMED


_FIELDS = tuple(each.name for each in fields(TokenRecord))  # in the order of the columns below
_LOOKUP = """
SELECT token.digest, token.id, token.kind, token.name, token.source_id, source.name, nullif(source.agent, ''),
       source.signals, source.content, source.records_per_minute, token.scopes, token.networks,
       token.records_per_minute, token.revoked_at, token.expires_at, token.valid_until, token.first_event_at,
       token.last_used_at
FROM connectors_token token LEFT JOIN connectors_source source ON source.id = token.source_id
WHERE token.digest = ANY(%s::bytea[])
"""


def lookup(cursor: Cursor, digests: Collection[bytes]) -> dict[bytes, TokenRecord]:
    """The known tokens among `digests`, by digest. One query, in the transaction the cursor is in.

    Raises the driver's errors: a database that is away is no answer about a token.
    """
    cursor.execute(_LOOKUP, (list(digests),))
    return {bytes(row[0]): _record(row[1:]) for row in cursor.fetchall()}


def _record(row: Sequence[Any]) -> TokenRecord:
    values = dict(zip(_FIELDS, row, strict=True))
    values["scopes"] = frozenset(values["scopes"])
    values["networks"] = tuple(addresses.network(each) for each in values["networks"])
    return TokenRecord(**values)


def check(record: TokenRecord | None, kind: str, scope: str | None, address: str, now: dt.datetime) -> Refusal | None:
    """Why this token may not be used for `scope` from `address` at `now`; None if it may.

    A scope of None asks for the kind only. Who a token is (401) comes before what it may do (403).
    """
    if record is None:
        return UNKNOWN
    return _ended(record, now) or _forbidden(record, kind, scope, address)


def _ended(record: TokenRecord, now: dt.datetime) -> Refusal | None:
    if record.revoked_at is not None:
        return REVOKED
    if record.expires_at is not None and record.expires_at <= now:
        return EXPIRED
    if record.valid_until is not None and record.valid_until <= now:
        return REPLACED
    return None


def _forbidden(record: TokenRecord, kind: str, scope: str | None, address: str) -> Refusal | None:
    if record.kind != kind:
        return WRONG_KIND[kind]
    if record.networks:
        client = addresses.address(address)
        if client is None or not addresses.lies_in(client, record.networks):
            return WRONG_NETWORK
    if scope is not None and scope not in record.scopes:
        return Refusal(403, "wrong_scope", f"This token lacks the scope {scope}.")
    if scope is not None and record.signals in ONLY and scope != record.signals:
        return Refusal(403, "wrong_signal", f"The source of this token takes {record.signals} only: no {scope}.")
    return None
