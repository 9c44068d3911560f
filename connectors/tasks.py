"""What is done on a schedule (Administration, Schedules). Each task may run twice, late or not at all for a while."""

import datetime as dt
import logging
import time

from celery import shared_task
from django.utils import timezone

from connectors.canary import sender
from connectors.connections import rechecks
from connectors.coverage import looking
from connectors.credentials import rotation
from connectors.people import join, memberships
from connectors.pulls import pages, planning, work
from connectors.roster import folding, missing
from connectors.tokens import receipts
from connectors.usage import rollup

logger = logging.getLogger(__name__)
PULL_SECONDS = 50.0
"""A little less than the minute after which the schedule sends the next one."""
FOLD_SECONDS = 50
"""Of each minute: what is left then is for the next run."""
SETTLE_PATIENCE = dt.timedelta(seconds=20)


@shared_task
def reseal_credentials() -> None:
    """Seals with the current key what is sealed with older ones."""
    rotation.reseal()


@shared_task
def join_people() -> None:
    """Joins the names that came since the last time into people, and reads which teams telemetry claims for them."""
    looked_at = join.all_due()
    placed = memberships.refresh_claims()
    if looked_at or placed:
        told = {"action": "join_people", "subjects": looked_at, "placed": placed}
        logger.info("people joined", extra=told)


@shared_task
def look_at_coverage() -> None:
    """Looks who should report and does not; of names that came since the last time, first who that is."""
    join.all_due()
    rows = looking.look()
    if rows is not None:
        logger.info("coverage looked at", extra={"action": "look_at_coverage", "rows": rows})


@shared_task
def roll_up_usage() -> None:
    """Counts new telemetry into user-days, and computes again what a changed price concerns."""
    done = rollup.run()
    if done.events or done.points or done.days:
        told = {"events": done.events, "points": done.points, "days": done.days, "finished": done.finished}
        logger.info("usage rolled up", extra={"action": "roll_up_usage", **told})


@shared_task
def plan_pulls() -> None:
    """Queues the days of all connections that are due, and forgets raw pages that are old enough."""
    now = timezone.now()
    planned = planning.plan(now)
    forgotten = pages.forget_old(now)
    logger.info("pulls planned", extra={"action": "plan_pulls", "pulls": planned, "pages_forgotten": forgotten})


@shared_task
def do_pulls() -> None:
    """Checks what was asked to be checked, then pulls what is due."""
    checked = rechecks.do_asked()
    done = work.do_due(PULL_SECONDS)
    if checked or done:
        logger.info("pulls worked at", extra={"action": "do_pulls", "pulls": done, "checks": checked})


@shared_task
def fold_installations() -> None:
    """Counts what was sealed since the last time into the roster of installations."""
    until = time.monotonic() + FOLD_SECONDS
    counted = 0
    while (more := folding.fold()) and time.monotonic() < until:
        counted += more
    changed = missing.count()
    if counted or changed:
        logger.info("installations folded", extra={"action": "fold_installations", "events": counted})


@shared_task
def settle_receipts() -> None:
    """Completes the receipts of revocations that wait for older transactions."""
    receipts.settle_waiting(SETTLE_PATIENCE)


@shared_task
def send_canary() -> None:
    """Sends a record of the portal's own through the public endpoint, and looks for it."""
    if done := sender.run():
        told = {"action": "send_canary", "status": done.status, "found": done.found_at is not None}
        logger.log(logging.WARNING if done.error else logging.INFO, "canary", extra=told)
