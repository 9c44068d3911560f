"""Receipts of revocations: when nothing can be taken any more, what was taken last, what was refused first.

A receiver asks for a token in the transaction that records (access.lookup), so a revocation holds for every transaction
that begins after it is committed. What began before may still be under way with the old answer: a receipt is settled
when none of those is left. They are found by the time at which they began and not by their transaction ids, which
PostgreSQL gives out only at the first write, after the token was asked for.
"""

import datetime as dt
import time

import msgspec
from django.db import connection
from django.db.models import DateTimeField, Func, Max, Q
from django.db.models.functions import Now

from audit import identifiers
from connectors import books, scopes
from connectors.books import Sighted
from connectors.models import Installation, RevocationReceipt, Token

PATIENCE = dt.timedelta(seconds=2)
"""How long whoever revokes waits for it. A receiver gives a transaction up after about six seconds."""
POLL_SECONDS = 0.05
UNBOOKED = dt.timedelta(minutes=10)
"""How far back records are looked for that no receiver has booked: what a killed one stored in its last second."""

_REASON = "revoked"


class _Clock(Func):
    """The database's clock, which does not stand still in a transaction."""

    function = "clock_timestamp"
    output_field = DateTimeField()


# Of sessions of other logins nothing is told; only the application's own records anything.
_OVER = """
SELECT clock_timestamp(), NOT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        AND xact_start < %s)
"""
_NEWEST_EVENT = "SELECT id, header FROM audit_event WHERE id >= %s AND token_id = %s ORDER BY id DESC LIMIT 1"
_NEWEST_POINT = "SELECT id, NULL FROM audit_metric_point WHERE id >= %s AND token_id = %s ORDER BY id DESC LIMIT 1"


def begin(token: Token) -> RevocationReceipt:
    """The receipt of a token that is being revoked, inside that transaction."""
    return RevocationReceipt.objects.create(token=token, revoked_at=Now())


def of(token: Token) -> RevocationReceipt | None:
    """Tokens that were revoked before there were receipts have none."""
    return RevocationReceipt.objects.filter(token_id=token.pk).first()


def settle(receipt: RevocationReceipt, patience: dt.timedelta = dt.timedelta()) -> RevocationReceipt:
    """Completes it once nothing older is under way, waiting so long at most. To be called after the commit.

    May be called again, and by several at once: what is settled stays as it is.
    """
    own = RevocationReceipt.objects.filter(pk=receipt.pk)
    own.filter(committed_at=None).update(committed_at=_Clock())
    receipt.refresh_from_db()
    until = time.monotonic() + patience.total_seconds()
    while receipt.settled_at is None:
        now, is_over = _look(receipt)
        if is_over:
            last = last_accepted(receipt)
            own.filter(settled_at=None).update(settled_at=now)
            if last:
                sooner = Q(last_accepted_at=None) | Q(last_accepted_at__lt=last.at)  # a receiver may have noted a later
                own.filter(sooner).update(last_accepted_at=min(last.at, now), last_accepted_address=last.address)
            receipt.refresh_from_db()
        elif time.monotonic() >= until:
            break
        else:
            time.sleep(POLL_SECONDS)
    return receipt


def _look(receipt: RevocationReceipt) -> tuple[dt.datetime, bool]:
    """The time, and whether everything is over that began before the revocation was committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(_OVER, [receipt.committed_at])
        now, is_over = cursor.fetchone()
    return now, is_over


def last_accepted(receipt: RevocationReceipt) -> Sighted | None:
    """The newest of what the receivers booked, of what is on the roster, and of what was stored and is neither yet."""
    token = receipt.token
    if token.kind == scopes.API:
        return Sighted(token.last_used_at, token.last_used_address) if token.last_used_at else None
    booked = books.kept().last_stored(token.pk)
    listed = Installation.objects.filter(token_id=token.pk).aggregate(at=Max("last_at"))["at"]
    since = receipt.revoked_at - UNBOOKED
    found = _stored_since(token.pk, max(since, booked.at) if booked else since)
    found += [booked] if booked else []
    found += [Sighted(listed, "")] if listed else []
    return max(found, key=lambda each: (each.at, each.address), default=None)


def _stored_since(token_id: int, since: dt.datetime) -> list[Sighted]:
    """The newest event and the newest metric point, by when they were received."""
    found = []
    with connection.cursor() as cursor:
        for query in (_NEWEST_EVENT, _NEWEST_POINT):
            cursor.execute(query, [identifiers.lower_bound(since), token_id])
            if row := cursor.fetchone():
                address = _address(bytes(row[1])) if row[1] else ""
                found.append(Sighted(identifiers.received_at(row[0]), address))
    return found


def _address(header: bytes) -> str:
    """The client's address in an event's header (docs/ledger.md, "Header")."""
    return str(msgspec.json.decode(header)[6])


def refused(receipt: RevocationReceipt) -> int:
    """How many requests were refused since."""
    return int(receipt.token.refusals.get(_REASON, 0))


def settle_waiting(patience: dt.timedelta) -> int:
    """Completes those that wait; how many are left."""
    waiting = RevocationReceipt.objects.filter(settled_at=None).select_related("token").order_by("pk")
    return sum(settle(receipt, patience).settled_at is None for receipt in waiting)
