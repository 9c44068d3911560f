"""Records of our own that are sent through the public endpoint, and looked for as evidence.

The receiver answers 200 only for what is committed, so that a record which is not found soon after was taken by
something else. A run is a row before it is sent, so that one that was broken off is seen.
"""

import datetime as dt
import json
import time
from collections.abc import Callable
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit import identifiers
from audit.models import Event, MetricPoint, Seal
from audit.vocabulary import Kind
from connectors.canary import record, sending
from connectors.models import CanaryRun, Token

SCHEDULE, PERSON = "schedule", "person"
NAMES = {SCHEDULE: record.CANARY, PERSON: record.PROBE}
SEARCHED = dt.timedelta(seconds=30)
"""How long a record that was taken is looked for."""

BROKEN_OFF = dt.timedelta(minutes=1)
CLOCKS = dt.timedelta(minutes=5)
"""By how much the clocks of the receiver's host and of this one may differ."""

KEPT = {SCHEDULE: dt.timedelta(days=30), PERSON: dt.timedelta(days=365)}


def begin(cause: str, token: Token | None, asked_by: str = "") -> CanaryRun:
    """A run that is about to be sent."""
    return CanaryRun.objects.create(
        mark=uuid4(),
        cause=cause,
        token_id=token.pk if token else None,
        asked_by=asked_by,
        sent_at=timezone.now(),
        signal=_signal(token) if token else "logs",
    )


def _signal(token: Token) -> str:
    """Events, unless the token or its source takes only counts."""
    takes = token.source.signals if token.source else "all"
    return "logs" if "logs" in token.scopes and takes != "metrics" else "metrics"


@sensitive_variables("secret")
def send(run: CanaryRun, secret: str) -> None:
    """Sends the run's record to the public endpoint, and notes what became of it."""
    body = record.body(run.signal, NAMES[run.cause], run.mark)
    sent = sending.send(settings.OTLP_PUBLIC_URL, f"/v1/{run.signal}", secret, body)
    run.status, run.steps, run.error = sent.status, [list(step) for step in sent.steps], sent.error
    run.save(update_fields=["status", "steps", "error"])


def fail(run: CanaryRun, why: str) -> None:
    run.error = why
    run.save(update_fields=["error"])


def look(run: CanaryRun, now: dt.datetime | None = None) -> None:
    """Looks for the run's record if it is not found yet; gives up after a while. Does nothing to a finished run."""
    if run.found_at or run.error:
        return
    now = now or timezone.now()
    if run.status is None:
        if now - run.sent_at > BROKEN_OFF:
            fail(run, "It was broken off before it was sent.")
        return
    run.found_id = _found(run)
    if run.found_id is not None:
        run.found_at = now
        run.save(update_fields=["found_id", "found_at"])
    elif now - run.sent_at > SEARCHED:
        fail(
            run,
            "Answered with 200, and not found here: what answers at OTLP_PUBLIC_URL writes into another database, or "
            "is not this portal's receiver.",
        )


def _found(run: CanaryRun) -> UUID | None:
    """The id of its event or data point. Asked by kind or name and time, which have an index."""
    since = identifiers.lower_bound(run.sent_at - CLOCKS)
    name = NAMES[run.cause]
    if run.signal == "metrics":
        points = MetricPoint.objects.filter(name=name, id__gte=since).values_list("id", "attributes")
        return _marked(points, record.MARK, run.mark)
    events = Event.objects.filter(kind=Kind.OTHER, id__gte=since, event_name=name).values_list("id", "facts")
    return _marked(events, "trace_id", run.mark)


def _marked(rows: object, key: str, mark: UUID) -> UUID | None:
    for found, held in rows:  # type: ignore[attr-defined]
        if held is not None and any(
            name.rpartition("@")[2] == key and value == mark.hex for name, _, value in json.loads(bytes(held))
        ):
            return found  # type: ignore[no-any-return]
    return None


def sealed(run: CanaryRun) -> Seal | None:
    """The number its event has in the ledger; counts get none."""
    if run.found_id is None or run.signal != "logs":
        return None
    return Seal.objects.filter(event_id=run.found_id).first()


def wait(run: CanaryRun, seconds: float = 10.0, sleep: Callable[[float], None] = time.sleep) -> None:
    """Looks until it is found or has failed, for so long. That is at once, where all is well."""
    deadline = time.monotonic() + seconds
    look(run)
    while not (run.found_at or run.error) and time.monotonic() < deadline:
        sleep(0.5)
        look(run)


def prune(now: dt.datetime) -> int:
    """Deletes runs that are old; how many."""
    return sum(
        CanaryRun.objects.filter(cause=cause, sent_at__lt=now - kept).delete()[0] for cause, kept in KEPT.items()
    )
