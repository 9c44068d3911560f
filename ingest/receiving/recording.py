"""From waiting requests to committed evidence: one transaction for many, split only when the database refuses data.

The transaction that writes checks the tokens it writes for, so a revocation holds from the next request on. If it fails
over its data, its requests are halved, then the records of the one that is refused, until the record that the database
refuses stands alone and goes to quarantine. Every other failure is the caller's: nothing is recorded, try again.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from django.conf import settings

from audit import ledger, points
from audit.exceptions import IdentityErased
from connectors import scopes, tokens
from ingest.otlp import Export
from ingest.receiving import budget, quarantine
from ingest.receiving.answers import UNAVAILABLE
from ingest.receiving.body import unpack
from ingest.receiving.failures import is_final
from ingest.receiving.preparation import LIMITS, Decoded, Prepared, decode, forget, prepare, receipt_of, slices
from ingest.receiving.requests import Outcome, Request
from ingest.receiving.turns import Turn
from ingest.receiving.work import Work

HEAVY_BYTES = 4 << 20
RECORDS_AT_ONCE = 4000
PACKED_BYTES = 64 << 10

_heavy = Turn(settings.INGEST_HEAVY_LOCK)


def record(database: psycopg.Connection, batch: Sequence[Request]) -> list[Outcome]:
    """What became of each request, all of it committed. Raises the driver's error if nothing can be said yet.

    Nothing is unpacked or decoded before its token was found good; large requests are worked on one at a time.
    """
    works = [Work(request, tokens.digest(request.secret)) for request in batch]
    check_tokens(database, works)
    for group in _grouped([work for work in works if not work.outcome]):
        if _is_heavy(group):
            with _heavy.taken():
                _record_group(database, group)
                forget()
        else:
            _record_group(database, group)
    return [work.outcome or Outcome(UNAVAILABLE) for work in works]


def _record_group(database: psycopg.Connection, group: Sequence[Work]) -> None:
    """One transaction for a group, or more where it turns out large when unpacked."""
    pending: list[Work] = []
    unpacked = 0
    for work in group:
        _decode(database, work)
        if work.decoded.export and len(work.decoded.export.records) > RECORDS_AT_ONCE:
            _record_in_slices(database, work, work.decoded.export)
            work.request.body = b""
            continue
        _prepare(database, work)
        pending.append(work)
        unpacked += len(work.request.body)
        if unpacked > HEAVY_BYTES:
            _finish(database, pending)
            pending, unpacked = [], 0
    _finish(database, pending)


def _finish(database: psycopg.Connection, works: Sequence[Work]) -> None:
    _commit_or_split(database, [work for work in works if not work.outcome])
    for work in works:
        work.request.body = b""


def _record_in_slices(database: psycopg.Connection, work: Work, export: Export) -> None:
    """A long request in several transactions, so that its rows are never all in memory.

    Its sender hears of success when all are committed. Sent again after a failure, what is there is a duplicate.
    """
    total = Outcome(token_id=work.token.id if work.token else 0)
    kept_whole = False
    for part in slices(export, RECORDS_AT_ONCE):
        piece = Work(work.request, work.digest, Decoded(part), work.token, kept_whole=kept_whole)
        _prepare(database, piece)
        _commit_or_split(database, [piece])
        if piece.outcome is None or piece.outcome.refusal:
            work.outcome = piece.outcome
            return
        kept_whole |= bool(piece.prepared and piece.prepared.failed)
        total = total.plus(piece.outcome)
    work.outcome = total


def _grouped(works: Sequence[Work]) -> Iterator[list[Work]]:
    """Small requests together, each large one by itself."""
    small = [work for work in works if not _is_heavy([work])]
    if small:
        yield small
    for work in works:
        if _is_heavy([work]):
            yield [work]


def _is_heavy(works: Sequence[Work]) -> bool:
    """Whether it may take much memory: a body that is large, or that could be when unpacked."""
    return len(works) == 1 and len(works[0].request.body) > (PACKED_BYTES if works[0].request.gzip else HEAVY_BYTES)


def _decode(database: psycopg.Connection, work: Work) -> None:
    """Unpacks and decodes one request, and takes its records from its token's budget."""
    assert work.token is not None
    unpack(work.request, LIMITS)
    work.decoded = decode(work.request)
    export, token = work.decoded.export, work.token
    if export and (refusal := budget.spend(database, token, export.total)):
        work.refuse(refusal)
        work.decoded.export = None


def _prepare(database: psycopg.Connection, work: Work) -> None:
    """Maps one request; what the database refuses of its identities is kept aside whole."""
    assert work.token is not None
    if work.decoded.export is None:
        return
    receipt = receipt_of(work.request, work.token)
    try:
        keeps = work.token.keeps_content
        work.prepared = prepare(database, work.request, work.decoded.export, receipt, work.hint, keeps_content=keeps)
    except Exception as error:
        if not is_final(error):
            raise
        total = work.decoded.export.total
        reason = f"the database refuses an identity: {type(error).__name__}"
        work.prepared = Prepared(receipt, failed=[reason] * total, total=total)


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
        _commit_as_known_now(database, works)
    except Exception as error:
        if not is_final(error):
            raise
        if len(works) == 1:
            _isolate(database, works[0])
        else:
            middle = len(works) // 2
            _commit_or_split(database, works[:middle])
            _commit_or_split(database, works[middle:])


def _commit_as_known_now(database: psycopg.Connection, works: Sequence[Work]) -> None:
    """As `_commit`. Was somebody erased since the works were prepared, they are prepared anew, once."""
    try:
        _commit(database, works)
    except IdentityErased:
        for work in works:
            _prepare(database, work)
        _commit(database, works)


def _commit(database: psycopg.Connection, works: Sequence[Work]) -> None:
    """One transaction for all; outcomes are set only when it is committed."""
    if not works:
        return
    with database.transaction():
        check_tokens(database, works)
        for work in works:
            if work.keeps_too_much:
                work.refuse(UNAVAILABLE)
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
    if work.prepared and (held := [*work.prepared.unusable, *_failed(work)]):
        quarantine.keep_whole(database, work, work.prepared.receipt, held)
    refusal = work.decoded.refusal
    if refusal and refusal.status == 400:
        quarantine.keep_beginning(database, work, receipt_of(work.request, work.token), refusal.message)


def _failed(work: Work) -> list[tuple[str, bytes]]:
    """The whole request, once, for all of its records that only it can bring back."""
    assert work.prepared is not None
    reasons = work.prepared.failed
    if not reasons or work.kept_whole:
        return []
    more = f" (and {len(reasons) - 1} more of its records)" if len(reasons) > 1 else ""
    return [(reasons[0] + more, work.request.body)]


def _isolate(database: psycopg.Connection, work: Work) -> None:
    """Keeps what the database takes of one request, and quarantines the records that it refuses."""
    prepared = work.prepared
    if prepared is None:
        work.refuse(work.decoded.refusal or UNAVAILABLE)  # only its place in quarantine was refused
        return
    refused: list[Any] = []
    stored = _store_parts(database, list(prepared.events), ledger.append, refused)
    stored += _store_parts(database, list(prepared.points), points.append_points, refused)
    prepared.failed += [f"the database refuses a record: {reason}" for reason in refused]
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
