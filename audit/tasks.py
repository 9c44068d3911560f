"""What is done on a schedule (Administration, Schedules). Each task may run twice, late or not at all for a while."""

import logging
from typing import Any

import psycopg
from celery import shared_task
from celery.signals import worker_ready
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit import duplicates, partitions, verifications
from audit.models import Erasure, RetentionRule
from audit.packs import work
from audit.privacy import erasing, holds, retention

logger = logging.getLogger(__name__)


@shared_task
def keep_partitions() -> None:
    """Makes the coming months' partitions of the evidence tables."""
    made = partitions.ensure()
    if made:
        logger.info("partitions made", extra={"action": "keep_partitions", "partitions": made})


@shared_task
def forget_duplicates() -> None:
    """Forgets which records were seen more than 30 days ago."""
    forgotten = duplicates.forget_old()
    logger.info("duplicate keys forgotten", extra={"action": "forget_duplicates", "keys": forgotten})


@shared_task
def verify_ledger() -> None:
    """Verifies the ledger if a person asked for it or the last time is long enough ago. One at a time."""
    connection.ensure_connection()
    database: psycopg.Connection = connection.connection
    with verifications.undisturbed() as is_alone:
        this = verifications.due(timezone.now()) if is_alone else None
        if this is None:
            return
        verifications.run(database, this, verifications.key_here(database))
    level = logging.CRITICAL if this.faults else logging.INFO
    logger.log(level, "ledger verified", extra={"action": "verify_ledger", "events": this.size, "faults": this.faults})


@shared_task
def erase_waiting() -> None:
    """Carries out the erasures that wait, were cut off, failed, or were under a hold that may be released by now."""
    for erasure in Erasure.objects.exclude(state=Erasure.DONE).order_by("pk"):
        told = {"action": "erase_waiting", "erasure": erasure.pk}
        try:
            done = erasing.run(erasure)
        except Exception as error:  # noqa: BLE001 - its state says so; it is tried again, and keeps nobody else waiting
            logger.error("erasure failed", extra=told | {"error": type(error).__name__})  # its text may name the person
        else:
            logger.info("erasure", extra=told | {"state": done.state})


@shared_task
def refresh_holds() -> None:
    """Asks the questions of legal holds again: what came meanwhile is held, too."""
    holds.refresh()


@shared_task
def apply_retention(by: str = "schedule") -> None:
    """Applies the retention rules; without rules everything is kept."""
    if RetentionRule.objects.exists():
        done = retention.run(by)
        logger.info("retention", extra={"action": "apply_retention", "run": done.pk, "state": done.state})


@shared_task
def make_pack(pack_id: int) -> None:
    """Makes an evidence pack, unless it is made or being made."""
    work.make(pack_id)


@shared_task
def look_after_packs() -> None:
    """Deletes evidence packs that have expired, and makes those that nobody is at."""
    work.sweep()


def make_soon(pack_id: int) -> None:
    """Tells a worker of a pack. It may be told in vain: `look_after_packs` finds the row."""
    soon(make_pack, pack_id)


def soon(task: Any, *arguments: Any) -> None:
    """Tells a worker of work; without a broker it is done when the schedule comes to it."""
    try:
        task.apply_async(arguments, retry=False)
    except OperationalError:
        logger.warning("no worker could be told", extra={"action": task.name})


@worker_ready.connect
def _at_start(**_: Any) -> None:
    """What a worker left behind when it died is taken up as soon as there is one again."""
    look_after_packs.apply_async(retry=False)
