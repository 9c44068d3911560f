"""How a connection is: what its last answers were, how far behind it is, when it reads next.

Written by the pulls and checks into connection and capabilities, read by pages, API and overview.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

from connectors.connections.checking import ANSWERS, Answer
from connectors.models import Capability, Connection, Pull
from connectors.pulls import claims, planning
from connectors.vendors import registry
from connectors.vendors.shape import Endpoint

STATES = {
    "failing": "Failing",
    "paused": "Paused",
    "partial": "Partly refused",
    "new": "Nothing read yet",
    "working": "Working",
}


def in_state(state: str) -> Q:
    """The connections in one of STATES."""
    paused, unread = ~Q(paused_at=None), Q(last_read_at=None)
    failing = ~Q(trouble="") | Q(Exists(_capabilities(failing_since__isnull=False)))
    refused = Q(Exists(_capabilities(allowed=False)))
    return {
        "paused": paused,
        "failing": failing & ~paused,
        "partial": refused & ~failing & ~paused,
        "new": unread & ~refused & ~failing & ~paused,
        "working": ~unread & ~refused & ~failing & ~paused,
    }[state]


def _capabilities(**conditions: Any) -> QuerySet[Capability]:
    return Capability.objects.filter(connection=OuterRef("pk"), **conditions)


@dataclass(frozen=True, slots=True)
class Health:
    """`state` of STATES. `told`: what is wrong, in words, worst first. `since`: when that began. `lag_days`: how many
    days that the vendor has are not read yet, at the endpoint that is furthest behind; None if no day was read yet, or
    the key is refused.
    `next_at`: when something is read next; in the past: as soon as a worker is free. None: not before somebody acts.
    """

    state: str
    told: Sequence[str]
    since: dt.datetime | None
    lag_days: int | None
    next_at: dt.datetime | None


def of(connection: Connection, now: dt.datetime) -> Health:
    """Two queries, one if its capabilities were fetched already."""
    known = list(connection.capabilities.all())
    told = [connection.trouble] if connection.trouble else []
    told += [f"{title(connection, each)}: {each.told}" for each in known if each.failing_since and each.told]
    since = min(filter(None, [connection.trouble_at, *(each.failing_since for each in known)]), default=None)
    return Health(
        state=_state(connection, known),
        told=told,
        since=since if told else None,
        lag_days=None if connection.trouble else _lag(connection, known, now),
        next_at=_next_at(connection, known, now),
    )


def _state(connection: Connection, known: Iterable[Capability]) -> str:
    if connection.paused_at:
        return "paused"
    if connection.trouble or any(each.failing_since for each in known):
        return "failing"
    if any(each.allowed is False for each in known):
        return "partial"
    return "working" if connection.last_read_at else "new"


def title(connection: Connection, capability: Capability) -> str:
    return registry.endpoint_title(connection.vendor, capability.endpoint)


def _allowed(connection: Connection, known: Iterable[Capability]) -> list[tuple[Capability, Endpoint]]:
    found = ((each, registry.endpoint(connection.vendor, each.endpoint)) for each in known if each.allowed is not False)
    return [(each, endpoint) for each, endpoint in found if endpoint is not None]


def _lag(connection: Connection, known: Iterable[Capability], now: dt.datetime) -> int | None:
    days = [
        (planning.newest_day(endpoint, now) - each.last_pulled_day).days
        for each, endpoint in _allowed(connection, known)
        if endpoint.daily and each.last_pulled_day
    ]
    return max(0, *days) if days else None


def _next_at(connection: Connection, known: Iterable[Capability], now: dt.datetime) -> dt.datetime | None:
    if connection.paused_at:
        return None
    refused = [each.endpoint for each in known if each.allowed is False]
    queued = connection.pulls.filter(state__in=Pull.UNFINISHED).exclude(endpoint__in=refused)
    waiting = queued.aggregate(at=Min("not_before"))["at"]
    planned = planning.next_at([endpoint for _, endpoint in _allowed(connection, known)], now)
    next_at: dt.datetime | None = min(filter(None, (waiting, planned)), default=None)
    if connection.trouble and connection.trouble_at and next_at:
        return max(next_at, connection.trouble_at + claims.TROUBLE_REST)
    return next_at


# ── What the answers change ─────────────────────────────────────────────────────────────────────


def answered(pull: Pull, now: dt.datetime, *, has_figures: bool) -> None:
    """A pull is done: its endpoint answers, and so does the key."""
    values: dict[str, Any] = {"allowed": True, "status": 200, "told": ANSWERS, "checked_at": now, "failing_since": None}
    capability, _ = Capability.objects.update_or_create(
        connection=pull.connection, endpoint=pull.endpoint, defaults=values
    )
    if pull.day is not None:
        capability.last_pulled_day = max(filter(None, (capability.last_pulled_day, pull.day)))
        if has_figures:
            capability.last_data_day = max(filter(None, (capability.last_data_day, pull.day)))
        capability.save(update_fields=["last_pulled_day", "last_data_day"])
    Connection.objects.filter(pk=pull.connection_id).update(trouble="", trouble_at=None, last_read_at=now)


def failed(pull: Pull, told: str, status: int | None, now: dt.datetime, *, of_key: bool, of_endpoint: bool) -> None:
    """A pull was given up: its connection is failing until the endpoint answers, or somebody checks it."""
    if of_key:
        refused(pull.connection, told, now)
        if status is None:  # the key was not even sent: that says nothing of the endpoint
            return
    values: dict[str, Any] = {"status": status, "told": told, "checked_at": now}
    if of_endpoint:
        values["allowed"] = False
    capability, _ = Capability.objects.update_or_create(
        connection=pull.connection, endpoint=pull.endpoint, defaults=values
    )
    if not of_key and capability.failing_since is None:
        capability.failing_since = now
        capability.save(update_fields=["failing_since"])


def checked(connection: Connection, answers: Iterable[Answer], now: dt.datetime) -> None:
    """Every endpoint was asked on somebody's behalf: what fails is known to them now."""
    for answer in answers:
        values: dict[str, Any] = {
            "allowed": answer.allowed,
            "status": answer.status,
            "told": answer.told,
            "checked_at": now,
            "failing_since": None,
        }
        if answer.has_figures:
            values["last_data_day"] = Greatest(Coalesce("last_data_day", answer.has_figures), answer.has_figures)
        Capability.objects.update_or_create(
            connection=connection,
            endpoint=answer.endpoint,
            defaults=values,
            create_defaults=values | {"last_data_day": answer.has_figures},
        )
    Connection.objects.filter(pk=connection.pk).update(trouble="", trouble_at=None)


def unreachable(connection: Connection, told: str, status: int | None, now: dt.datetime) -> None:
    """No endpoint could be asked: that fails until one answers."""
    since = Coalesce("failing_since", now)
    connection.capabilities.update(status=status, told=told, checked_at=now, failing_since=since)


def refused(connection: Connection, told: str, now: dt.datetime) -> None:
    """The key itself was refused, or does not open."""
    Connection.objects.filter(pk=connection.pk).update(trouble=told, trouble_at=now)
