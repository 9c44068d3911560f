"""Two ways into the portal: over HTTP to the receiver of a running `up`, or in this process, through the same code."""

import contextlib
import datetime as dt
import http.client
import time
from collections.abc import Callable, Iterator, Sequence

import psycopg
from django.conf import settings
from django.db import connection
from django.utils import timezone

from audit import completeness, projector, sealer
from audit.models import Heartbeat
from connectors import scopes, tokens
from connectors.coverage import looking
from connectors.models import Source
from connectors.people import join, memberships
from connectors.roster import folding
from connectors.usage import rollup
from ingest.receiving.recording import record
from ingest.receiving.requests import Outcome, Request, Route
from ingest.replaying.captures import Captured
from ingest.replaying.client import Client
from portal.health import ALIVE_WITHIN, RECEIVER

SOURCE = "Demo"
BY = "demo"
REQUESTS_AT_ONCE = 16
SETTLED_WITHIN = 30.0
Answered = Callable[[int], None]
"""Told the status of each request."""


def source() -> Source | None:
    return Source.objects.filter(name=SOURCE).first()


@contextlib.contextmanager
def token() -> Iterator[str]:
    """A token of the source "Demo" that works while the block lasts."""
    expires_at = timezone.now() + dt.timedelta(hours=1)
    issued, secret = tokens.issue(
        scopes.INGEST, SOURCE, by=BY, scopes=("logs", "metrics"), expires_at=expires_at, source=source()
    )
    try:
        yield secret
    finally:
        tokens.revoke(issued, "the demonstration data is sent", by=BY)


def receiver_is_up() -> bool:
    """Whether the receiver of this portal's database runs and answers."""
    since = timezone.now() - ALIVE_WITHIN
    if not Heartbeat.objects.filter(name__startswith=RECEIVER, at__gte=since).exists():
        return False
    host = http.client.HTTPConnection(settings.OTLP_HTTP_HOST, settings.OTLP_HTTP_PORT, timeout=2)
    with contextlib.closing(host), contextlib.suppress(OSError, http.client.HTTPException):
        host.request("GET", "/healthz")
        return host.getresponse().status == 200
    return False


def send(requests: Sequence[Captured], secret: str, answered: Answered) -> None:
    """Over HTTP; then waits until everything is numbered and folded, or says nothing if that takes too long."""
    endpoint = f"http://{settings.OTLP_HTTP_HOST}:{settings.OTLP_HTTP_PORT}"
    with contextlib.closing(Client(endpoint, secret)) as client:
        for request in requests:
            answered(client.send(request).status)
    deadline = time.monotonic() + SETTLED_WITHIN
    while _waiting() and time.monotonic() < deadline:
        time.sleep(0.2)


def _waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM audit_unfolded) OR EXISTS (SELECT FROM audit_unsealed)")
        return bool(cursor.fetchone()[0])


def record_here(requests: Sequence[Captured], secret: str, answered: Answered) -> None:
    """Without a receiver: decoded, mapped and appended in this process, then numbered and folded."""
    database = _database()
    for start in range(0, len(requests), REQUESTS_AT_ONCE):
        batch = requests[start : start + REQUESTS_AT_ONCE]
        outcomes = record(database, [_request(each, secret) for each in batch])
        _note_use(database, outcomes)
        for outcome in outcomes:
            answered(outcome.refusal.status if outcome.refusal else 200)
    while sealer.seal(database):
        pass
    while projector.fold_waiting(database) or completeness.find_due(database):
        pass


def look_at_it() -> None:
    """What the schedules would make of it within ten minutes: people, user-days, installations, coverage."""
    rollup.run()
    while folding.fold():
        pass
    join.all_due()
    memberships.refresh_claims()
    looking.look()


def _request(captured: Captured, secret: str) -> Request:
    return Request(Route(captured.signal, None), captured.encoding, secret, "127.0.0.1", captured.body)


def _note_use(database: psycopg.Connection, outcomes: Sequence[Outcome]) -> None:
    used = {each.token_id for each in outcomes if each.records}
    tokens.touch(database, [tokens.Use(token_id, "127.0.0.1", recorded=True) for token_id in used])


def _database() -> psycopg.Connection:
    """Django's connection as psycopg sees it."""
    connection.ensure_connection()
    database: psycopg.Connection = connection.connection
    return database
