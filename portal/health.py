"""What a load balancer and a person on call ask: `/healthz` (the process lives), `/readyz` (the portal works)."""

import datetime as dt
import functools
import logging
from collections.abc import Iterator

from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from audit import witnesses
from audit.models import Heartbeat

logger = logging.getLogger(__name__)

ALIVE_WITHIN = dt.timedelta(seconds=20)  # a loop leaves a sign of life every 5 s
RECEIVER = "receiver:"  # goes on with the address that it listens on
LOOPS = ("sealer", "projector")


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all; it asks nothing else, so that a lost database restarts no web process."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations, receiver, sealer and projector are up; else 503 with the reasons.

    `warnings`, if there are any, say what does not keep it from working and yet is an alarm.
    """
    reasons = list(reasons_not_ready())
    told: dict[str, object] = {"ready": not reasons, "reasons": reasons}
    if not reasons and (doubts := list(warnings(timezone.now()))):
        told["warnings"] = doubts
    return JsonResponse(told, status=503 if reasons else 200)


def warnings(now: dt.datetime) -> Iterator[str]:
    """What needs a person, though the portal works."""
    if (standing := witnesses.standing(now)) and standing.state != "ok":
        yield f"witnesses: {standing.reason}"


def reasons_not_ready() -> Iterator[str]:
    """One sentence for everything that keeps the portal from working; none of them tells a secret."""
    try:
        waiting = migrations_waiting()
        beats = list(Heartbeat.objects.values_list("name", "at", "detail")) if not waiting else []
    except DatabaseError:
        logger.exception("not ready", extra={"action": "readyz"})
        yield "database: no connection, or it refuses to answer."
        return
    if waiting:
        yield f"migrations: {len(waiting)} not applied, the first is {waiting[0]}."
        return
    alive = {name: at for name, at, _ in beats}
    oldest = timezone.now() - ALIVE_WITHIN
    for name in LOOPS:
        yield from _silent(name, [at for each, at in alive.items() if each == name], oldest)
    yield from (f"{name}: {why}" for name, _, detail in beats if name in LOOPS and (why := halted(detail)))
    yield from _silent("receiver", [at for each, at in alive.items() if each.startswith(RECEIVER)], oldest)


def halted(detail: dict[str, str]) -> str:
    """Why a loop that is alive does not work until a person has acted; empty if it works."""
    return detail.get("halted", "")


def _silent(name: str, seen: list[dt.datetime], oldest: dt.datetime) -> Iterator[str]:
    if not seen:
        yield f"{name}: it has never run."
    elif max(seen) < oldest:
        yield f"{name}: no sign of life since {max(seen):%Y-%m-%d %H:%M:%S} UTC."


def migrations_waiting(login: str = "default") -> list[str]:
    """The migrations of this code that the database has not seen, by name."""
    with connections[login].cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return sorted(_migrations_known())
        cursor.execute("SELECT app || '.' || name FROM django_migrations")
        return sorted(_migrations_known() - {name for (name,) in cursor.fetchall()})


@functools.cache
def _migrations_known() -> frozenset[str]:
    """Those of this process's code; reading them takes a tenth of a second, and they do not change while it runs."""
    return frozenset(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations)
