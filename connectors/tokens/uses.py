"""When and from where a token was last used or refused: for people to look at, never in a request's way."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from connectors.tokens.access import TokenRecord

logger = logging.getLogger(__name__)
INTERVAL = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a token. `recorded` says that something was kept because of it."""

    token_id: int
    address: str
    recorded: bool = False


def is_due(record: TokenRecord, now: dt.datetime, *, recorded: bool = False) -> bool:
    """Whether a use is worth noting: the first with a record, else one a minute."""
    if recorded and record.first_event_at is None:
        return True
    return record.last_used_at is None or record.last_used_at < now - INTERVAL


# Rows another process is noting right now are skipped, not waited for: its note is as good as ours.
_TOUCH = """
UPDATE connectors_token token
SET last_used_at = now(), last_used_address = due.address,
    first_event_at = CASE WHEN due.recorded THEN coalesce(token.first_event_at, now()) ELSE token.first_event_at END
FROM (
    SELECT known.id, used.address, used.recorded
    FROM unnest(%s::bigint[], %s::text[], %s::boolean[]) AS used (id, address, recorded)
    JOIN connectors_token known ON known.id = used.id
    WHERE known.last_used_at IS NULL OR known.last_used_at < now() - interval '1 minute'
       OR (used.recorded AND known.first_event_at IS NULL)
    FOR UPDATE OF known SKIP LOCKED
) due
WHERE token.id = due.id
"""


def touch(connection: psycopg.Connection, uses: Sequence[Use]) -> None:
    """Note the last use of each token, at most once a minute each. Call it after the request's commit.

    Never waits for a lock and never raises a database error: a note that is not made is only logged.
    """
    if not uses:
        return
    last = {use.token_id: use for use in sorted(uses, key=lambda use: use.recorded)}
    columns = (list(last), [use.address for use in last.values()], [use.recorded for use in last.values()])
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(_TOUCH, columns)
    except psycopg.Error as error:
        logger.warning("last use not noted", extra={"action": "touch", "error": type(error).__name__})


_REFUSED = """
UPDATE connectors_token
SET last_refused_at = now(), last_refused_address = %s,
    refusals = jsonb_set(refusals, ARRAY[%s], to_jsonb(coalesce((refusals ->> %s)::bigint, 0) + %s))
WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """How often requests with one token were refused for one reason, and from where the last came."""

    count: int
    address: str


def note_refusals(connection: psycopg.Connection, refused: Mapping[tuple[int, str], Refused]) -> None:
    """Add up refused requests by (token id, reason). Callers collect them and come here every few seconds.

    Never raises a database error: a note that is not made is only logged.
    """
    rows = [(each.address, reason, reason, each.count, token) for (token, reason), each in sorted(refused.items())]
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(_REFUSED, rows)
    except psycopg.Error as error:
        logger.warning("refusals not noted", extra={"action": "note_refusals", "error": type(error).__name__})
