"""Doing pulls: one claim after the other, one page after the other, until nothing is due or the time is over.

What is due tomorrow, and after an answer that is none, is in the rows (connectors.pulls.answers says what follows).
The key is opened here and nowhere else; it is given to the vendor's module and never put into a row, a log or a text.
"""

import logging
import random
import time
from collections.abc import Callable

from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from connectors import credentials
from connectors.connections import health
from connectors.models import Connection, Pull
from connectors.pulls import answers, claims, folding, pace, pages
from connectors.pulls.answers import Past
from connectors.pulls.claims import Superseded
from connectors.vendors import registry
from connectors.vendors.shape import Vendor, VendorError
from connectors.vendors.telling import without_key

logger = logging.getLogger(__name__)

_State = Pull.State
UNOPENED = (
    "The stored key does not open: it was changed in the database, or belongs to another connection. "
    "Nothing was asked with it. Set the key again, and find out who wrote to the table."
)
UNSTORABLE = "The vendor's figures hold something that cannot be stored ({name}), so nothing of them was taken over."
UNKNOWN = "Something unexpected went wrong ({name}). The portal's log has the time; if it stays so, report it."


def do_due(seconds: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Works for about so long, or until nothing is due; how many pulls were begun or gone on with."""
    over = clock() + seconds
    done = 0
    while clock() < over and (pull := claims.claim()) is not None:
        done += 1
        do(pull, lambda: clock() >= over)
    return done


def do(pull: Pull, is_over: Callable[[], bool] = lambda: False) -> None:
    """One claimed pull, to its end or to what keeps it from that. `is_over`: between pages, whether to leave off."""
    try:
        with claims.kept_alive(pull):
            _do(pull, is_over)
    except Superseded:
        logger.info("pull is not ours any more", extra=_about(pull))
    except DatabaseError as error:
        # Its lease ends, and it is taken up again at its next page.
        logger.warning("pull broken off", extra=_about(pull, error=type(error).__name__))


@sensitive_variables("key")
def _do(pull: Pull, is_over: Callable[[], bool]) -> None:
    try:
        vendor = registry.vendor(pull.connection.vendor)
        key = credentials.unseal(pull.connection, "secret")
    except registry.UnknownVendor as error:
        _fail(pull, str(error))
        return
    except (credentials.Unreadable, credentials.NoKey) as error:
        told = UNOPENED if isinstance(error, credentials.Unreadable) else str(error)
        _fail(pull, told, of_key=True)
        return
    try:
        while not pages.are_complete(pull):
            if is_over():
                claims.release(pull)
                return
            _take_page(pull, vendor, key)
        _finish(pull, vendor)
    except (DataError, IntegrityError) as error:
        _fail(pull, UNSTORABLE.format(name=type(error).__name__))
    except VendorError as error:
        _answered(pull, error, without_key(error.told, key))
    except (Superseded, DatabaseError):
        raise
    except pages.Endless:
        _fail(pull, "The vendor's pages come to no end, so nothing of them was taken over.")
    except pages.Damaged:
        pages.restart(pull)
        claims.release(pull)
    except Exception as error:  # noqa: BLE001 - its text may hold the key, so nothing but its name is told
        logger.error("pull failed", extra=_about(pull, error=type(error).__name__))
        told = UNKNOWN.format(name=type(error).__name__)
        _answered(pull, VendorError(told), told)


def _take_page(pull: Pull, vendor: Vendor, key: str) -> None:
    """Asks for the next page and keeps it. An expired cursor begins with the first page again."""
    claims.renew(pull)
    pace.wait(pull.connection)
    try:
        fetched = vendor.fetch(key, pull.endpoint, pull.day, pull.cursor)
    except VendorError as error:
        if _next(pull, error).act != "restart":
            raise
        pull.restarts += 1
        pages.restart(pull, restarts=pull.restarts)
        return
    pages.keep(pull, fetched)


def _finish(pull: Pull, vendor: Vendor) -> None:
    """Folds all pages, in the transaction that says it is done."""
    bodies = list(pages.bodies(pull))
    try:
        reading = vendor.read(pull.endpoint, pull.day, bodies)
    except VendorError as error:
        _fail(pull, without_key(error.told, ""))
        return
    with transaction.atomic():
        # Whoever deletes a connection locks it before its pulls; so does this, or they would wait for each other.
        Connection.objects.select_for_update(no_key=True).filter(pk=pull.connection_id).first()
        claims.renew(pull)
        first = not _was_read(pull)
        folded = folding.fold(pull, reading)
        restated = 0 if first else folded.restated
        now = timezone.now()
        claims.change(
            pull, state=_State.DONE, rows=folded.rows, restated=restated, finished_at=now, error="", status=None
        )
        pages.drop_if_same(pull)
        health.answered(pull, now, has_figures=folded.rows > 0)
    logger.info("pull done", extra=_about(pull, rows=folded.rows, restated=restated))


def _was_read(pull: Pull) -> bool:
    before = Pull.objects.filter(connection=pull.connection_id, endpoint=pull.endpoint, state=_State.DONE)
    return (before.filter(day=pull.day) if pull.day else before.filter(day=None)).exists()


def _answered(pull: Pull, error: VendorError, told: str) -> None:
    """What follows from an answer that is none."""
    following = _next(pull, error)
    if following.act == "wait":
        failures = pull.failures + following.counted
        claims.release(pull, not_before=Now() + following.delay, failures=failures, status=error.status, error=told)
        logger.info("pull waits", extra=_about(pull, status=error.status, seconds=following.delay.total_seconds()))
        return
    _fail(pull, told, status=error.status, of_key=following.act == "key", of_endpoint=following.act == "endpoint")


def _next(pull: Pull, error: VendorError) -> answers.Next:
    past = Past(pull.failures, pull.restarts)
    return answers.following(error, past, pull.day, timezone.now(), random.random())  # noqa: S311 - spreads, hides nothing


def _fail(pull: Pull, told: str, *, status: int | None = None, of_key: bool = False, of_endpoint: bool = False) -> None:
    """Gives it up, and says so where the connection is looked at. Raises Superseded."""
    now = timezone.now()
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).filter(pk=pull.connection_id).first()
        claims.change(pull, state=_State.FAILED, status=status, error=told, finished_at=now)
        health.failed(pull, told, status, now, of_key=of_key, of_endpoint=of_endpoint)
    logger.warning("pull failed", extra=_about(pull, status=status))


def _about(pull: Pull, **more: object) -> dict[str, object]:
    about = {"action": "pull", "pull": pull.pk, "connection": str(pull.connection_id), "endpoint": pull.endpoint}
    return about | {"day": pull.day and pull.day.isoformat()} | more
