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
    """One use of a token, so long `ago`. `recorded` says that something was kept because of it."""

    token_id: int
    address: str
    recorded: bool = False
    ago: dt.timedelta = dt.timedelta()


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


# What is booked after a receipt was settled was stored before that, or it could not be.
_LAST_ACCEPTED = """
UPDATE connectors_revocationreceipt receipt
SET last_accepted_at = least(now() - used.ago, receipt.settled_at), last_accepted_address = used.address
FROM unnest(%s::bigint[], %s::text[], %s::interval[]) AS used (id, address, ago)
WHERE receipt.token_id = used.id
    AND (receipt.last_accepted_at IS NULL OR receipt.last_accepted_at < least(now() - used.ago, receipt.settled_at))
"""


def note_accepted(connection: psycopg.Connection, uses: Sequence[Use]) -> None:
    """Tell the receipts of tokens that were revoked meanwhile when they were last taken.

    Never raises a database error: a note that is not made is only logged.
    """
    if not uses:
        return
    columns = ([use.token_id for use in uses], [use.address for use in uses], [use.ago for use in uses])
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(_LAST_ACCEPTED, columns)
    except psycopg.Error as error:
        logger.warning("last taken not noted", extra={"action": "note_accepted", "error": type(error).__name__})


_REFUSED = """
UPDATE connectors_token
SET last_refused_at = now(), last_refused_address = %s,
    refusals = jsonb_set(refusals, ARRAY[%s], to_jsonb(coalesce((refusals ->> %s)::bigint, 0) + %s))
WHERE id = %s
"""


# A receipt tells the first refusal (connectors.models.receipts); of several receivers the earliest counts.
_FIRST_REFUSED = """
UPDATE connectors_revocationreceipt SET first_refused_at = now() - %s, first_refused_address = %s
WHERE token_id = %s AND (first_refused_at IS NULL OR first_refused_at > now() - %s)
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """How often requests with one token were refused for one reason, and from where the last came.

    `first_address`, and how long `ago` it was, tell of the first of them.
    """

    count: int
    address: str
    first_address: str = ""
    ago: dt.timedelta = dt.timedelta()


def note_refusals(connection: psycopg.Connection, refused: Mapping[tuple[int, str], Refused]) -> None:
    """Add up refused requests by (token id, reason). Callers collect them and come here every few seconds.

    Never raises a database error: a note that is not made is only logged.
    """
    rows = [(each.address, reason, reason, each.count, token) for (token, reason), each in sorted(refused.items())]
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(_REFUSED, rows)
            for (token, reason), each in sorted(refused.items()):
                if reason == "revoked":
                    cursor.execute(_FIRST_REFUSED, (each.ago, each.first_address or each.address, token, each.ago))
    except psycopg.Error as error:
        logger.warning("refusals not noted", extra={"action": "note_refusals", "error": type(error).__name__})
