"""What the portal itself does, as events in the same ledger (DESIGN §3.2): docs/ledger.md, "The portal's own acts"."""

import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection

from audit import identifiers, leaf, ledger, pasted
from audit.drafts import Attribute, EventDraft, Receipt
from audit.exceptions import IdentityErased, NotRecorded
from audit.vocabulary import Agent, Kind

logger = logging.getLogger(__name__)

SOURCE = "portal"
"""The name of the source of the portal's own acts; its id is 0."""

HOUR = dt.timedelta(hours=1)
LONGEST_TEXT = 4000
"""Characters that are kept of one text of an act: a query comes from an address, which nothing else bounds."""

_ONCE_TAG = b"agp/act/v1\n"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account of the portal. An address is only what an administrator wrote down; accounts are one."""

    account: str
    email: str = ""

    def __str__(self) -> str:
        return self.account


Who = Person | str
Fact = tuple[str, str | int | bool]
Facts = Mapping[str, Any] | Sequence[Fact]


def person(user: Any) -> Person:
    """Django's user as the one who did something."""
    return Person(user.get_username(), user.email or "")


def record(
    name: str,
    *,
    by: Who = "",
    facts: Facts = (),
    content: Mapping[str, str] | None = None,
    kind: Kind = Kind.ADMIN,
    database: psycopg.Connection | None = None,
) -> UUID:
    """Records one act inside the caller's transaction, or in one of its own; its id. Raises the driver's errors.

    `name` is dotted (`ledger.epoch_opened`); `by`, who did it, is an identity and kept as one. `facts` are texts, whole
    numbers and truth values, in pairs where one is told more than once; what may be sensitive, or name a person, is
    `content`. `database` is the application's connection unless it is named.
    """
    recorded = _record(name, by, _told(facts), content, kind, database or _connected(), key=None)
    assert recorded is not None
    return recorded


def record_once(
    span: dt.timedelta,
    name: str,
    *,
    by: Who = "",
    facts: Facts = (),
    content: Mapping[str, str] | None = None,
    kind: Kind = Kind.ADMIN,
) -> None:
    """As `record`; the same name, person and facts again within the same span are one act, in however many processes.

    If it is there already, that costs one look-up of a key. Spans are counted from 1970, in UTC.
    """
    told = _told(facts)
    key = _key(name, _subject(by), told, span)
    if not _is_known(key):
        _record(name, by, told, content, kind, _connected(), key)


def require(name: str, *, once: dt.timedelta | None = None, **told: Any) -> None:
    """As `record`, for what must not happen or be shown unless it is recorded; `once` in a span. Raises NotRecorded."""
    try:
        if once:
            record_once(once, name, **told)
        else:
            record(name, **told)
    except (DatabaseError, psycopg.Error, IdentityErased) as error:
        logger.error("an act could not be recorded", extra={"action": name, "error": type(error).__name__})
        raise NotRecorded(name) from error


def _record(
    name: str,
    by: Who,
    told: list[Attribute],
    content: Mapping[str, str] | None,
    kind: Kind,
    database: psycopg.Connection,
    key: str | None,
) -> UUID | None:
    """Its id; None if an act of this key was recorded meanwhile."""
    now_us = time.time_ns() // 1000
    act = EventDraft(
        agent=Agent.PORTAL.value,
        kind=kind.value,
        event_name=name,
        subject=_subject(by),
        facts=[("time_unix_nano", "int", now_us * 1000), ("@event.name", "string", name), *told],
        content=[(f"@{key}", "string", _text(value)) for key, value in (content or {}).items()],
        occurred_at=identifiers.moment(now_us),
    )
    recorded = ledger.record(database, Receipt(now_us, 0, SOURCE, 0, ""), [act], key)
    return recorded[0].id if recorded else None


def _told(facts: Facts) -> list[Attribute]:
    pairs = facts.items() if isinstance(facts, Mapping) else facts
    return [_attribute(f"@{key}", value) for key, value in pairs]


def _subject(by: Who) -> list[Attribute]:
    who = by if isinstance(by, Person) else Person(by)
    email = who.email or (who.account if "@" in who.account else "")
    told = (("@user.email", email), ("@user.account_id", who.account))
    return [(key, "string", _text(value)) for key, value in told if value]


def _attribute(key: str, value: Any) -> Attribute:
    if isinstance(value, bool):
        return (key, "bool", value)
    return (key, "int", value) if isinstance(value, int) else (key, "string", _text(str(value)))


def _text(value: str) -> str:
    """Bounded, and without the secrets that people paste into reasons and queries."""
    return pasted.masked(value)[:LONGEST_TEXT]


def _key(name: str, subject: list[Attribute], told: list[Attribute], span: dt.timedelta) -> str:
    """The key of audit_seen under which this act is known in its span."""
    seconds = int(span.total_seconds())
    place = f"{name} {seconds} {time.time_ns() // 10**9 // seconds}".encode()
    return ledger.duplicate_key(_ONCE_TAG, 0, (place, leaf.encode_part(subject), leaf.encode_part(told)))


def _connected() -> psycopg.Connection:
    """Django's connection as psycopg sees it. In a transaction of the caller's that one has begun: psycopg would take
    the transaction of the first statement for its own, and commit it."""
    connection.ensure_connection()
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    database: psycopg.Connection = connection.connection
    return database


def _is_known(key: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM audit_seen WHERE key = %s", [key])
        return cursor.fetchone() is not None
