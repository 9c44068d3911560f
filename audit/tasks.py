"""What is done on a schedule (Administration, Schedules). Each task may run twice, late or not at all for a while."""

import logging

from celery import shared_task

from audit import duplicates, partitions

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
