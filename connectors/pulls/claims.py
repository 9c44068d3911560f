"""Who is at which pull: claimed with FOR UPDATE SKIP LOCKED, held with a lease, and every change names its claim."""

import datetime as dt
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from connectors.models import Capability, Pull

TROUBLE_REST = dt.timedelta(days=1)
"""How long a connection with a refused key is left alone before one pull tries it again."""

_State = Pull.State


class Superseded(Exception):
    """The pull is not this worker's any more: its lease was over, or it was stopped, paused or deleted."""


def due() -> QuerySet[Pull]:
    """What may be done now: not of a paused connection, nor with a refused key, nor at an endpoint it is refused at."""
    refused = Capability.objects.filter(connection=OuterRef("connection"), endpoint=OuterRef("endpoint"), allowed=False)
    rested = Q(connection__trouble="") | Q(connection__trouble_at__lt=Now() - TROUBLE_REST)
    free = Q(state=_State.QUEUED) | Q(state=_State.RUNNING, lease_until__lt=Now())
    return Pull.objects.filter(free, rested, ~Exists(refused), not_before__lte=Now(), connection__paused_at=None)


def claim() -> Pull | None:
    """The next due pull as this worker's own, with its connection; None if nothing is due. Backfills come last."""
    with transaction.atomic():
        backfill_last = Case(When(cause="backfill", then=Value(1)), default=Value(0))
        ordered = due().order_by(backfill_last, "not_before", "id")
        pull = ordered.select_for_update(skip_locked=True, of=("self",)).first()
        if pull is None:
            return None
        Pull.objects.filter(pk=pull.pk).update(
            state=_State.RUNNING,
            claimed_by=_name(),
            lease_until=_lease(),
            attempts=F("attempts") + 1,
            started_at=Coalesce("started_at", Now()),
        )
    return Pull.objects.select_related("connection").get(pk=pull.pk)


def mine(pull: Pull) -> QuerySet[Pull]:
    """The row, as long as it is this claim's."""
    return Pull.objects.filter(pk=pull.pk, state=_State.RUNNING, claimed_by=pull.claimed_by)


def renew(pull: Pull) -> None:
    """Holds it for another lease. Raises Superseded."""
    change(pull)


def change(pull: Pull, **values: object) -> None:
    """Writes into the row and renews the lease. Raises Superseded."""
    if not mine(pull).update(lease_until=_lease(), **values):
        raise Superseded(str(pull))


@contextmanager
def kept_alive(pull: Pull) -> Iterator[None]:
    """Renews the lease from a thread of its own while the block lasts: a vendor may take longer over one answer."""
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(pull, over), name=f"lease of pull {pull.pk}", daemon=True)
    beat.start()
    try:
        yield
    finally:
        over.set()
        beat.join()


def _beat(pull: Pull, over: threading.Event) -> None:
    try:
        while not over.wait(settings.CONNECTORS_LEASE_SECONDS / 3):
            renew(pull)
    except (Superseded, DatabaseError):
        pass  # the work itself finds out with its next change
    finally:
        connection.close()


def release(pull: Pull, **values: object) -> None:
    """Gives it back to be claimed again. Raises Superseded."""
    if not mine(pull).update(state=_State.QUEUED, claimed_by="", lease_until=None, **values):
        raise Superseded(str(pull))


def let_go(pulls: QuerySet[Pull], state: Pull.State) -> int:
    """Takes unfinished pulls from whoever is at them."""
    return pulls.filter(state__in=Pull.UNFINISHED).update(
        state=state,
        claimed_by="",
        lease_until=None,
        finished_at=None if state == _State.QUEUED else Now(),
    )


def _lease() -> object:
    return Now() + dt.timedelta(seconds=settings.CONNECTORS_LEASE_SECONDS)


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
