"""The canary: every five minutes the portal sends a record to itself, from outside, as any agent does.

It has a source and a token of its own. The token is made here, replaced every month, and after it was revoked.
"""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit.exceptions import NotRecorded
from connectors import credentials, scopes, tokens
from connectors.canary import runs
from connectors.models import Canary, CanaryRun, Source, Token

BY = "canary"
EVERY = dt.timedelta(minutes=5)
EARLIEST = EVERY * 0.8
"""A run that comes sooner after the last is not sent: the task may be told twice."""

SILENT_AFTER = EVERY * 3
ROTATED_EVERY = dt.timedelta(days=30)
OVERLAP = dt.timedelta(hours=1)
SOURCE_NAMES = ("Canary", "Portal canary")


def run(now: dt.datetime | None = None) -> CanaryRun | None:
    """Sends one and looks for it, if it is time to; None if not, or if it is switched off."""
    now = now or timezone.now()
    this = _claimed(now) if settings.CONNECTORS_CANARY else None
    if this is None:
        return None
    runs.prune(now)
    try:
        token, secret = _token(now)
    except (credentials.NoKey, credentials.Unreadable) as error:
        runs.fail(this, f"The canary's token does not open: {error} If it stays so, revoke that token.")
        return this
    except NotRecorded:
        runs.fail(this, "A new token for the canary could not be recorded in the ledger, so none was made.")
        return this
    this.token_id = token.pk
    this.save(update_fields=["token_id"])
    runs.send(this, secret)
    runs.wait(this)
    return this


def _claimed(now: dt.datetime) -> CanaryRun | None:
    """A new run, as a row that others see; None if there was one just now."""
    with transaction.atomic():
        _queue()
        if CanaryRun.objects.filter(cause=runs.SCHEDULE, sent_at__gt=now - EARLIEST).exists():
            return None
        return runs.begin(runs.SCHEDULE, None)


def _queue() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('connectors.canary', 0))")


@sensitive_variables("secret")
def _token(now: dt.datetime) -> tuple[Token, str]:
    """The canary's token and its secret. Raises NoKey and Unreadable, and the portal's NotRecorded."""
    with transaction.atomic():
        _queue()
        canary = Canary.objects.select_related("token__source").order_by("pk").first()
        if canary is not None and canary.token.works:
            rotated = canary.token.valid_until is not None  # by a person: it is used until it stops
            if rotated or now - canary.set_at < ROTATED_EVERY:
                return canary.token, credentials.unseal(canary, "secret")
            token, secret = tokens.rotate(canary.token, OVERLAP, by=BY)
        else:
            source = canary.token.source if canary else _source()
            token, secret = tokens.issue(scopes.INGEST, SOURCE_NAMES[0], by=BY, scopes=["logs"], source=source)
        canary = canary or Canary(pk=1)
        canary.token, canary.set_at = token, now
        credentials.seal(canary, "secret", secret)
        canary.save()
        return token, secret


def _source() -> Source:
    """A source of its own: not one that somebody else named so."""
    taken = {name.lower() for name in Source.objects.values_list("name", flat=True)}
    name = next(name for name in SOURCE_NAMES if name.lower() not in taken)
    return Source(name=name, environment="portal")


@dataclass(frozen=True, slots=True)
class Standing:
    """How the public endpoint fares: `state` is off, new, ok, failing or silent.

    `at` is when the last record was sent that arrived; `failed` counts those since, `failing_since` the first of them.
    """

    state: str
    at: dt.datetime | None
    reason: str
    failed: int = 0
    failing_since: dt.datetime | None = None


def standing(now: dt.datetime) -> Standing:
    """From the runs on the schedule; one that is still looked for does not count yet."""
    if not settings.CONNECTORS_CANARY:
        return Standing("off", None, "switched off (CONNECTORS_CANARY)")
    scheduled = CanaryRun.objects.filter(cause=runs.SCHEDULE)
    at = scheduled.filter(found_at__isnull=False).order_by("-sent_at").values_list("sent_at", flat=True).first()
    bad = scheduled.filter(~Q(error="") | Q(found_at=None, sent_at__lt=now - runs.BROKEN_OFF))
    bad = bad.filter(sent_at__gt=at) if at else bad
    last = scheduled.order_by("-sent_at").first()
    if last is None:
        return Standing("new", None, "none was sent yet")
    since = bad.aggregate(first=Min("sent_at"), runs=Count("pk"))
    told = {"failed": since["runs"], "failing_since": since["first"]}
    if now - last.sent_at > SILENT_AFTER:
        return Standing("silent", at, "none is sent: is a worker running, and the schedule on?", **told)
    if worst := bad.order_by("-sent_at").first():
        return Standing("failing", at, worst.error or "It was broken off.", **told)
    return Standing("ok" if at else "new", at, "sent, stored and found")
