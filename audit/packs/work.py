"""Packs that were asked for, made by workers. The row is the truth; a message that says there is one is only a hint.

While a pack is made, its worker holds an advisory lock, which is gone with the worker's connection: whoever gets the
lock of an unfinished pack may make it, from the beginning. A pack is ready in the transaction that records it.
"""

import datetime as dt
import hashlib
import logging
import os
import time
from collections.abc import Callable
from typing import cast

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit import alone
from audit.exceptions import AuditError, NotRecorded
from audit.models import EvidencePack
from audit.packs import making, requests, store
from audit.packs.report import Extent

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
TELL_SECONDS = 1.0

_State = EvidencePack.State
_DISCLOSING = Q(with_content=True) | Q(with_identity=True)


class Superseded(AuditError):
    """The pack is not this worker's any more: it was discarded while it was made."""


def make(pack_id: int) -> bool:
    """Makes a pack that is unfinished and that nobody is at; whether it was. Raises the driver's errors: try again."""
    with alone.at(f"pack {pack_id}") as is_alone:
        pack = _begin(pack_id) if is_alone else None
        if pack is None:
            return False
        try:
            _make(pack)
        except Superseded:
            logger.info("pack begun anew", extra={"action": "make_pack", "pack": pack_id})
        except NotRecorded:
            _fail(pack, "It could not be recorded in the ledger, so it is not given out. Ask again.")
        except AuditError as error:
            _fail(pack, str(error))
        except OSError as error:
            _fail(pack, f"The file could not be written: {error.strerror}.")
        return True


def sweep(now: dt.datetime | None = None) -> int:
    """Deletes what has expired or was left behind, and makes what is unfinished; how many packs that were."""
    expired = EvidencePack.objects.filter(state=_State.READY, discarded_at=None, expires_at__lte=now or timezone.now())
    _discard(expired, "expired")
    names = EvidencePack.objects.filter(Q(state=_State.READY, discarded_at=None) | Q(state=_State.RUNNING))
    store.remove_all_but(set(names.values_list("file", flat=True)))
    unfinished = EvidencePack.objects.filter(state__in=[_State.WAITING, _State.RUNNING]).order_by("id")
    return sum(make(pack_id) for pack_id in unfinished.values_list("pk", flat=True))


def discard(reason: str) -> int:
    """Deletes every file that discloses content or identities, and says why; how many. Those being made begin anew.

    To be called when what must not be given out any more is committed: a pack that is begun later holds nothing of it.
    """
    EvidencePack.objects.filter(_DISCLOSING, state=_State.RUNNING).update(state=_State.WAITING)
    return _discard(EvidencePack.objects.filter(_DISCLOSING, state=_State.READY, discarded_at=None), reason)


def _discard(packs: QuerySet[EvidencePack], reason: str) -> int:
    found = dict(packs.values_list("pk", "file"))
    for name in found.values():
        store.remove(name)
    return EvidencePack.objects.filter(pk__in=found).update(discarded_at=timezone.now(), discard_reason=reason)


def _begin(pack_id: int) -> EvidencePack | None:
    """The pack as this worker's own; None if it is finished, or was begun too often."""
    pack = EvidencePack.objects.filter(pk=pack_id, state__in=[_State.WAITING, _State.RUNNING]).first()
    if pack is None:
        return None
    store.remove(pack.file)
    if pack.attempt >= MOST_ATTEMPTS:
        _fail(pack, f"Its making was broken off {pack.attempt} times. Ask again, for less at once.")
        return None
    begun = EvidencePack.objects.filter(pk=pack_id, attempt=pack.attempt)
    begun.update(
        state=_State.RUNNING,
        attempt=F("attempt") + 1,
        started_at=timezone.now(),
        done=0,
        file=store.new_name(),
    )
    pack.refresh_from_db()
    return pack


def _make(pack: EvidencePack) -> None:
    try:
        with store.create(pack.file) as file:
            extent = making.write(_database(), pack, file, _Telling(pack))
            file.flush()
            os.fsync(file.fileno())
            pack.size_bytes = file.tell()
            file.seek(0)
            pack.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        _finish(pack, extent)
    except BaseException:
        store.remove(pack.file)
        raise


def _finish(pack: EvidencePack, extent: Extent) -> None:
    now = timezone.now()
    with transaction.atomic():
        finished = _own(pack).update(
            state=_State.READY,
            done=extent.events,
            total=extent.events,
            first_seq=extent.first,
            last_seq=extent.last,
            size_bytes=pack.size_bytes,
            sha256=pack.sha256,
            finished_at=now,
            expires_at=now + dt.timedelta(days=settings.AUDIT_PACK_DAYS),
        )
        if not finished:
            raise Superseded(str(pack))
        requests.record_made(pack, extent, pack.sha256)


def _fail(pack: EvidencePack, why: str) -> None:
    _own(pack).update(state=_State.FAILED, error=why, finished_at=timezone.now())
    logger.warning("pack not made", extra={"action": "make_pack", "pack": pack.pk})


def _own(pack: EvidencePack) -> QuerySet[EvidencePack]:
    """The row, as long as nobody else began or discarded it."""
    return EvidencePack.objects.filter(pk=pack.pk, state=pack.state, attempt=pack.attempt)


class _Telling:
    """Writes how far a pack is into its row, at most once a second."""

    def __init__(self, pack: EvidencePack, clock: Callable[[], float] = time.monotonic) -> None:
        self._pack, self._clock = pack, clock
        self._told_at = -TELL_SECONDS

    def __call__(self, done: int, total: int) -> None:
        """Raises Superseded."""
        if self._clock() - self._told_at < TELL_SECONDS:
            return
        self._told_at = self._clock()
        if not _own(self._pack).update(done=done, total=total):
            raise Superseded(str(self._pack))


def _database() -> psycopg.Connection:
    connection.ensure_connection()
    return cast(psycopg.Connection, connection.connection)
