"""Runs of the ledger's verification: when one is due, one at a time, each kept with what it found."""

import contextlib
import datetime as dt
import itertools
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from django.conf import settings
from django.utils import timezone

from audit import alone, epochs, projection_check, protection, tree, verification
from audit.models import Session, Verification
from audit.proofs.notes import VerifierKey
from audit.signer import Signer, SignerError
from audit.verification import Fault

logger = logging.getLogger(__name__)

MOST_KEPT = 100
SAY_SECONDS = 1.0
State, Cause = Verification.State, Verification.Cause


def ask(person: str) -> Verification:
    """Queues a run, unless one is queued already. It is taken up by the worker (audit.tasks.verify_ledger)."""
    queued = Verification.objects.filter(state=State.QUEUED).first()
    return queued or Verification.objects.create(cause=Cause.PERSON, asked_by=person)


def newest() -> Verification | None:
    """The last run that came to an end."""
    return Verification.objects.filter(finished_at__isnull=False).exclude(state=State.BROKEN).order_by("-id").first()


def due(now: dt.datetime) -> Verification | None:
    """What is to be run now: the oldest run asked for; else a new one, if the last began long enough ago."""
    queued = Verification.objects.filter(state=State.QUEUED).order_by("id").first()
    if queued:
        return queued
    since = now - dt.timedelta(hours=settings.AUDIT_VERIFY_EVERY_HOURS)
    if Verification.objects.filter(started_at__gt=since).exists():
        return None
    return Verification(cause=Cause.SCHEDULE)


@contextlib.contextmanager
def undisturbed() -> Iterator[bool]:
    """Whether no other process verifies now; none begins it while the block lasts. A run that is called running
    without one is dead."""
    with alone.at("verification") as is_alone:
        if is_alone:
            told = "Its process ended before it was through."
            Verification.objects.filter(state=State.RUNNING).update(
                state=State.BROKEN, told=told, finished_at=timezone.now()
            )
        yield is_alone


def run(
    connection: psycopg.Connection,
    this: Verification,
    key: VerifierKey | None,
    tell: Callable[[Fault], None] = lambda fault: None,
    progress: Callable[[Verification], None] = lambda this: None,
) -> Verification:
    """Verifies everything and keeps what came of it. To be called `undisturbed`. `tell` hears each fault as found.

    Raises what keeps it from finishing, after that is kept as well.
    """
    with psycopg.Cursor(connection) as cursor:
        this.size = tree.size(cursor)
    this.total = this.size + Session.objects.count()
    this.state, this.started_at = State.RUNNING, timezone.now()
    this.save()
    counting = _Counting(this, progress)
    try:
        for fault in _faults(connection, key, counting):
            counting.found(fault)
            tell(fault)
    except Exception as error:
        _finish(this, State.BROKEN, f"{type(error).__name__}: {error}")
        raise
    _finish(this, State.FAULTY if this.faults else State.CLEAN)
    return this


def _faults(connection: psycopg.Connection, key: VerifierKey | None, counting: "_Counting") -> Iterator[Fault]:
    witnesses = [each.key for each in settings.AUDIT_WITNESSES]
    return itertools.chain(
        protection.faults(connection),
        verification.signer_faults(connection, Signer(settings.AUDIT_SIGNER_FOLDER)),
        verification.verify(connection, key, counting.events, witnesses),
        projection_check.faults(connection, counting.sessions),
    )


class _Counting:
    """Keeps the run's row up to date, once a second at the most."""

    def __init__(self, this: Verification, progress: Callable[[Verification], None]) -> None:
        self._this, self._progress = this, progress
        self._said_at = time.monotonic()

    def events(self, done: int) -> None:
        self._at(done)

    def sessions(self, done: int) -> None:
        self._at(self._this.size + done)

    def found(self, fault: Fault) -> None:
        self._this.faults += 1
        if self._this.faults <= MOST_KEPT:
            self._this.told += f"{fault}\n".replace("\0", "\u2400")

    def _at(self, done: int) -> None:
        self._this.done = done
        self._progress(self._this)
        if time.monotonic() - self._said_at >= SAY_SECONDS:
            self._said_at = time.monotonic()
            self._this.save(update_fields=["done", "faults", "told"])


def _finish(this: Verification, state: Any, problem: str = "") -> None:
    this.state, this.finished_at = state, timezone.now()
    if problem:
        this.told += problem.replace("\0", "\u2400")
    else:
        this.done = this.total
    this.save()


def key_here(connection: psycopg.Connection) -> VerifierKey | None:
    """The key of the signer on this machine, under the name of the current epoch; None if there is none."""
    with psycopg.Cursor(connection) as cursor:
        current = epochs.current(cursor)
    try:
        return Signer(settings.AUDIT_SIGNER_FOLDER).verifier_key(current.origin if current else "none")
    except SignerError:
        return None
