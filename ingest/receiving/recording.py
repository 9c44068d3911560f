"""From waiting requests to committed evidence: one transaction for many, split only when the database refuses data.

The transaction that writes checks the tokens it writes for, so a revocation holds from the next request on. If it fails
over its data, its requests are halved, then the records of the one that is refused, until the record that the database
refuses stands alone and goes to quarantine. Every other failure is the caller's: nothing is recorded, try again.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from audit import ledger, points
from connectors import scopes, tokens
from ingest.receiving import quarantine
from ingest.receiving.answers import OVER_BUDGET, UNAVAILABLE
from ingest.receiving.budget import Budgets
from ingest.receiving.failures import is_final
from ingest.receiving.preparation import decode, prepare, receipt_of
from ingest.receiving.requests import Outcome, Request
from ingest.receiving.work import Work


def record(database: psycopg.Connection, batch: Sequence[Request], budgets: Budgets) -> list[Outcome]:
    """What became of each request, all of it committed. Raises the driver's error if nothing can be said yet."""
    works = [Work(request, tokens.digest(request.secret), decode(request)) for request in batch]
    check_tokens(database, works)
    for work in works:
        if work.outcome or work.token is None or work.decoded.export is None:
            continue
        if budgets.spend(work.token, work.decoded.export.total):
            hint = work.request.route.hint or work.token.agent
            receipt = receipt_of(work.request, work.token)
            work.prepared = prepare(database, work.request, work.decoded.export, receipt, hint)
        else:
            work.refuse(OVER_BUDGET)
    _commit_or_split(database, [work for work in works if not work.outcome])
    return [work.outcome or Outcome(UNAVAILABLE) for work in works]


def check_tokens(database: psycopg.Connection, works: Sequence[Work]) -> None:
    """Refuses the works whose token does not hold now, and notes the token of the others. One query."""
    with psycopg.Cursor(database) as cursor:
        known = tokens.lookup(cursor, {work.digest for work in works})
    now = dt.datetime.now(dt.UTC)
    for work in works:
        work.token = known.get(work.digest)
        refusal = tokens.check(work.token, scopes.INGEST, work.request.route.signal, work.request.address, now)
        if refusal:
            work.refuse(refusal)


def _commit_or_split(database: psycopg.Connection, works: Sequence[Work]) -> None:
    try:
        _commit(database, works)
    except Exception as error:
        if not is_final(error):
            raise
        if len(works) == 1:
            _isolate(database, works[0])
        else:
            middle = len(works) // 2
            _commit_or_split(database, works[:middle])
            _commit_or_split(database, works[middle:])


def _commit(database: psycopg.Connection, works: Sequence[Work]) -> None:
    """One transaction for all; outcomes are set only when it is committed."""
    if not works:
        return
    with database.transaction():
        check_tokens(database, works)
        works = [work for work in works if not work.outcome]
        stored = _append(database, works)
        for work in works:
            _set_aside(database, work)
    for work in works:
        items: list[Any] = [*work.prepared.events, *work.prepared.points] if work.prepared else []
        work.outcome = work.outcome_after(sum(item.id in stored for item in items))


def _append(database: psycopg.Connection, works: Sequence[Work]) -> frozenset[Any]:
    """The ids of what was new."""
    stored: frozenset[Any] = frozenset()
    if events := [event for work in works if work.prepared for event in work.prepared.events]:
        stored |= ledger.append(database, events).ids
    if metric_points := [point for work in works if work.prepared for point in work.prepared.points]:
        stored |= points.append_points(database, metric_points).ids
    return stored


def _set_aside(database: psycopg.Connection, work: Work) -> None:
    """Quarantines what of a request cannot be kept."""
    assert work.token is not None
    if work.prepared and work.prepared.unusable:
        quarantine.keep_records(database, work.request, work.prepared.receipt, work.prepared.unusable)
    refusal = work.decoded.refusal
    if refusal and refusal.status == 400:
        quarantine.keep_request(database, work.request, receipt_of(work.request, work.token), refusal.message)


def _isolate(database: psycopg.Connection, work: Work) -> None:
    """Keeps what the database takes of one request, and quarantines the records that it refuses."""
    assert work.prepared is not None
    prepared = work.prepared
    refused: list[Any] = []
    stored = _store_parts(database, list(prepared.events), ledger.append, refused)
    stored += _store_parts(database, list(prepared.points), points.append_points, refused)
    prepared.unusable += [(f"the database refuses a record: {reason}", work.request.body) for reason in refused]
    kept = len(prepared.events) + len(prepared.points) - len(refused)
    prepared.events = prepared.points = ()
    _commit(database, [work])
    if work.outcome and work.outcome.refusal is None:
        work.outcome = Outcome(
            None, work.outcome.token_id, stored, kept - stored, work.outcome.rejected, work.outcome.message
        )


def _store_parts(
    database: psycopg.Connection,
    items: list[Any],
    append: Callable[[psycopg.Connection, Sequence[Any]], ledger.Appended],
    refused: list[Any],
) -> int:
    """How many of the items were new; the reasons of those refused are added to `refused`."""
    if not items:
        return 0
    try:
        with database.transaction():
            return len(append(database, items).ids)
    except Exception as error:
        if not is_final(error):
            raise
        if len(items) == 1:
            refused.append(type(error).__name__)
            return 0
    middle = len(items) // 2
    return _store_parts(database, items[:middle], append, refused) + _store_parts(
        database, items[middle:], append, refused
    )
