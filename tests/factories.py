"""Evidence for tests: override only what the test is about."""

import datetime as dt
import itertools
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection

from audit import ledger, projector, sealer
from audit.drafts import EventDraft, Receipt

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
        "subject": (("@user.email", "string", "dana@acme.example"), ("@user.id", "string", "5f1d")),
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
    """Records drafts as the receiver does, received together."""
    database = raw()
    prepared = ledger.prepare(database, receipt(**receipt_overrides), drafts)
    with database.transaction():
        ledger.append(database, prepared)
    return prepared


def seal() -> int:
    return sealer.seal(raw())


def fold() -> int:
    return projector.fold_waiting(raw())


def evidence(*drafts: EventDraft, **receipt_overrides: Any) -> Sequence[ledger.PreparedEvent]:
    """Recorded, numbered and folded."""
    prepared = record(*drafts, **receipt_overrides)
    seal()
    fold()
    return prepared
