"""Evidence for tests: override only what the test is about."""

import datetime as dt
import itertools
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.models import QuerySet

from audit import ledger, parts, projector, sealer
from audit.drafts import EventDraft, Receipt
from audit.models import Content, Event
from connectors.models import Token
from connectors.tokens import spelling

_numbers = itertools.count()


def receipt(**overrides: Any) -> Receipt:
    values = {
        "received_at_us": time.time_ns() // 1000,
        "source_id": 1,
        "source_name": "laptops",
        "token_id": 1,
        "address": "192.0.2.7",
    }
    return Receipt(**values | overrides)


def draft(kind: str = "api_request", **overrides: Any) -> EventDraft:
    """A Claude Code event of Dana's in session s-1; each differs from the last by its number."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "agent": "claude_code",
        "kind": kind,
        "event_name": kind,
        "subject": (("@user.email", "string", "dana@acme.example"), ("@user.id", "string", "install-5f1d")),
        "origin": (
            ("resource@service.name", "string", "claude-code"),
            ("@team.id", "string", "payments"),
            ("@repo", "string", "payments-api"),
            ("scope.version", "string", "2.1.329"),
        ),
        "facts": (("@event.name", "string", kind), ("@number", "int", number)),
        "occurred_at": dt.datetime.now(dt.UTC),
        "session_id": "s-1",
    }
    return EventDraft(**values | overrides)


def raw() -> psycopg.Connection:
    """Django's connection as psycopg sees it, inside the test's transaction if there is one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # psycopg would take the first statement's transaction for its own, and commit it
    return connection.connection


def record(*drafts: EventDraft, **receipt_overrides: Any) -> list[ledger.PreparedEvent]:
    """Records drafts as the receiver does, received together; those that were there already, too."""
    ledger.subjects.forget()  # who was erased in another process is nobody here
    prepared = ledger.prepare(raw(), receipt(**receipt_overrides), drafts)
    with raw().transaction():
        ledger.append(raw(), prepared)
    return prepared


def seal() -> int:
    return sealer.seal(raw())


def fold() -> int:
    return projector.fold_waiting(raw())


def of_agents() -> QuerySet[Event]:
    """Events without the portal's own acts: it records that a test logged in, issued a token, looked at a page."""
    return Event.objects.exclude(agent="portal")


def acts(*names: str) -> list[dict[str, Any]]:
    """The portal's own acts of these names (all without any), oldest first, as what they say: their facts and content
    by name, `name`, and `by` for who did it."""
    found = Event.objects.filter(agent="portal").select_related("subject", "content").order_by("id")
    return [_told(event) for event in found if not names or event.event_name in names]


def _told(event: Event) -> dict[str, Any]:
    content = Content.objects.filter(pk=event.pk).first()
    told = [*parts.attributes(event.facts), *parts.attributes(content and content.bytes)]
    told = [each for each in told if each[0] not in ("time_unix_nano", "@event.name")]
    return {"name": event.event_name, "by": event.subject and event.subject.account_id} | parts.values(told)


def older_token(kind: str, *scopes: str) -> str:
    """The secret of a token that is older than the ledger, so that the first event there is one of the test's own."""
    secret = spelling.generate(kind)
    Token.objects.create(
        kind=kind, name="SIEM", digest=spelling.digest(secret), prefix=secret[:12], last_four=secret[-4:],
        scopes=list(scopes), created_by="a test",
    )  # fmt: skip
    return secret


def evidence(*drafts: EventDraft, **receipt_overrides: Any) -> Sequence[ledger.PreparedEvent]:
    """Recorded, numbered and folded."""
    prepared = record(*drafts, **receipt_overrides)
    seal()
    fold()
    return prepared
