"""A connection, its endpoints and its pulls in words and badges."""

import datetime as dt
from http import HTTPStatus
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.listing import markup, words
from connectors.admin.states import NEVER
from connectors.connections.health import STATES, Health
from connectors.models import Backfill, Capability, Connection, Pull
from connectors.pulls.backfills import Progress
from connectors.vendors import registry
from connectors.vendors.shape import Endpoint

_LOOKS = {
    "failing": ("bad", "x"),
    "paused": ("off", "slash"),
    "partial": ("warn", "warn"),
    "new": ("off", "clock"),
    "working": ("ok", "check"),
}
_PULL_LOOKS = {
    Pull.State.QUEUED: ("off", "clock"),
    Pull.State.RUNNING: ("warn", "clock"),
    Pull.State.DONE: ("ok", "check"),
    Pull.State.FAILED: ("bad", "x"),
    Pull.State.STOPPED: ("off", "slash"),
}
NOTHING = SafeString('<span class="faint">none</span>')


def badge(health: Health) -> SafeString:
    kind, icon = _LOOKS[health.state]
    return markup.state(kind, STATES[health.state], icon)


def key(connection: Connection) -> SafeString:
    """The kind and the end of the key, by which a person knows it."""
    vendor = registry.VENDORS.get(connection.vendor)
    kind = connection.key_kind or (vendor.title if vendor else "")
    return format_html('{} key <span class="id">…{}</span>', markup.visible(kind), markup.visible(connection.last_four))


def lag(health: Health) -> SafeString:
    """How far behind what the vendor has."""
    if health.lag_days is None and health.state == "failing":
        return SafeString('<span class="faint">not known</span>')
    if health.lag_days is None:
        return SafeString('<span class="faint">nothing read yet</span>')
    if health.lag_days == 0:
        return markup.state("ok", "up to date")
    return markup.state("warn", f"{words.counted(health.lag_days, 'day')} behind", "clock")


def next_run(health: Health, now: dt.datetime) -> SafeString:
    if health.next_at is None:
        return SafeString('<span class="quiet">not until somebody acts</span>')
    if health.next_at <= now:
        return SafeString("as soon as a worker is free")
    return markup.time(health.next_at, "ago")


def allowed(capability: Capability) -> SafeString:
    if capability.failing_since:
        return markup.state("bad", "failing")
    if capability.status == HTTPStatus.UNAUTHORIZED:
        return markup.state("bad", "not with this key")
    if capability.allowed is None:
        return markup.state("off", "not known", "q")
    return markup.state("ok", "yes") if capability.allowed else markup.state("bad", "no")


def days(capability: Capability, endpoint: Endpoint | None) -> tuple[SafeString, SafeString]:
    """The newest day with figures, and up to which day it was read; a list has none."""
    if endpoint and not endpoint.daily:
        return (SafeString('<span class="faint">a list</span>'), SafeString('<span class="faint">a list</span>'))
    return day(capability.last_data_day), day(capability.last_pulled_day)


def day(value: dt.date | None) -> SafeString:
    return format_html("{}", value.isoformat()) if value else NOTHING


def moment(value: dt.datetime | None) -> SafeString:
    return markup.time(value, "ago") if value else NEVER


def done_by(at: dt.datetime | None, who: str) -> SafeString:
    return format_html("{} by {}", markup.time(at), markup.visible(who))


def pull_state(pull: Pull) -> SafeString:
    kind, icon = _PULL_LOOKS[Pull.State(pull.state)]
    if pull.state == Pull.State.QUEUED and pull.error:
        return markup.state("warn", "Waiting to try again", "clock")
    return markup.state(kind, str(Pull.State(pull.state).label), icon)


def pull_day(pull: Pull) -> str:
    return pull.day.isoformat() if pull.day else "as it was then"


def backfill_state(backfill: Backfill, progress: Progress) -> SafeString:
    if backfill.stopped_at:
        return markup.state("off", "Stopped", "slash")
    if progress.is_unfinished:
        return markup.state("warn", "Under way", "clock")
    if progress.failed:
        return markup.state("bad", f"{words.counted(progress.failed, 'day')} failed")
    return markup.state("ok", "Done")


def backfill_told(progress: Progress) -> str:
    """How far it is, with an estimate while it is under way. A day is one day of one endpoint."""
    told = f"{words.number(progress.ended)} of {words.counted(progress.total, 'day')}"
    more = [f"{words.number(progress.rows)} rows"]
    if progress.failed:
        more.append(f"{words.number(progress.failed)} failed")
    if progress.is_unfinished and progress.left is not None:
        more.append(f"about {words.span(progress.left)} left")
    return ", ".join([told, *more])


def run_facts(pull: Pull) -> dict[str, Any]:
    """What the page of one run tells."""
    took = pull.finished_at - pull.started_at if pull.finished_at and pull.started_at else None
    waits = pull.state == Pull.State.QUEUED and pull.not_before > timezone.now()
    return {
        "Day": pull_day(pull),
        "Because of": pull.get_cause_display(),
        "Queued": markup.time(pull.created_at),
        "Started": markup.time(pull.started_at) if pull.started_at else "not yet",
        "Finished": markup.time(pull.finished_at) if pull.finished_at else "",
        "Took": words.span(took) if took else "",
        "Tried again": markup.time(pull.not_before, "ago") if waits else "",
        "Attempts": words.number(pull.attempts),
        "Pages": words.number(pull.pages_taken),
        "Rows": words.number(pull.rows),
        "Restated": words.number(pull.restated),
        "Last HTTP status": str(pull.status) if pull.status else "",
    }
