"""A token that others have: found by the secret itself or by its number, ended at once, and what was done with it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit import acts, identifiers
from audit.listing import counting
from connectors.models import Token
from connectors.tokens import spelling
from connectors.tokens.lifecycle import TokenError, revoke, rotate

REASON = "leaked"
MOST = 100
PATIENCE_MS = 5000


def find(text: str) -> Token:
    """The token whose secret is in `text`, among whatever stands around it. Raises TokenError."""
    match = spelling.PATTERN.search(text)
    if match is None:
        raise TokenError("There is no token of this portal in it: they begin with agp_ing_ or agp_api_.")
    if not spelling.is_well_formed(match[0]):
        raise TokenError("It is written almost like a token: a character is wrong or missing, so nobody can use it.")
    token = Token.objects.filter(digest=spelling.digest(match[0])).first()
    if token is None:
        raise TokenError("It is written as a token is, but was never one of this portal: nobody can use it here.")
    return token


def end(token: Token, where: str, *, by: acts.Who, successor: bool) -> tuple[Token, tuple[Token, str] | None]:
    """Revokes it, and says in the ledger that it was leaked; its successor with the secret, if one is wanted.

    Raises TokenError, with nothing done, if it cannot have a successor. Revoked already, it only leaves the act.
    """
    with transaction.atomic():
        issued = rotate(token, dt.timedelta(), by=by) if successor else None
        revoked = revoke(token, f"{REASON}: {where}" if where else REASON, by=by)
        facts = {"token.id": token.pk, "token.kind": token.kind, "token.used": token.last_used_at is not None}
        acts.require("token.leaked", by=by, facts=facts, content={"token.name": token.name, "where": where})
    return revoked, issued


@dataclass(frozen=True, slots=True)
class From:
    """What was stored from one address."""

    address: str
    first_at: dt.datetime
    last_at: dt.datetime
    events: int
    sessions: int


@dataclass(frozen=True, slots=True)
class InSession:
    """What was stored of one session; `id` is ours."""

    id: UUID
    first_at: dt.datetime
    last_at: dt.datetime
    events: int


@dataclass(frozen=True, slots=True)
class Uses:
    """The events that came with a token since a time, the most recent first; at most MOST of each.

    `complete` is False if that took too long: then nothing is told, which does not mean that there was nothing.
    """

    addresses: Sequence[From] = ()
    sessions: Sequence[InSession] = ()
    complete: bool = True


_ADDRESSES = """
SELECT (convert_from(header, 'UTF8')::json) ->> 6, min(id::text COLLATE "C"), max(id::text COLLATE "C"), count(*),
       count(DISTINCT session)
FROM audit_event WHERE id >= %s AND token_id = %s GROUP BY 1 ORDER BY 3 DESC LIMIT %s
"""
_SESSIONS = """
SELECT session, min(id::text COLLATE "C"), max(id::text COLLATE "C"), count(*)
FROM audit_event WHERE id >= %s AND token_id = %s AND session IS NOT NULL GROUP BY 1 ORDER BY 3 DESC LIMIT %s
"""


def uses(token: Token, since: dt.datetime) -> Uses:
    """Every event since then is looked at, within five seconds."""
    told: list[Any] = [identifiers.lower_bound(since), token.pk, MOST]
    try:
        with counting.deadline(PATIENCE_MS), connection.cursor() as cursor:
            cursor.execute(_ADDRESSES, told)
            addresses = [From(row[0], _at(row[1]), _at(row[2]), *row[3:]) for row in cursor.fetchall()]
            cursor.execute(_SESSIONS, told)
            sessions = [InSession(row[0], _at(row[1]), _at(row[2]), row[3]) for row in cursor.fetchall()]
    except counting.TooSlow:
        return Uses(complete=False)
    return Uses(addresses, sessions)


def _at(event: str) -> dt.datetime:
    return identifiers.received_at(UUID(event))
