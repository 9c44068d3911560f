"""Looks who reports, and keeps what it found as rows, each under the same id as long as it is there."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import acts, alone
from connectors.coverage import judging, reading
from connectors.coverage.judging import NO_USE, Rule, Seen, Verdict
from connectors.coverage.reading import Fleet, host_names
from connectors.models import CoverageRule, Covered, Identity

Kind = Covered.Kind
_TOLD = ("state", "rank", "reason", "since", "last_seen", "usage_days", "switches_off")
_ABOUT = ("person_id", "seat_id", "device_id", "identity_id", "subject_id")


def rule() -> CoverageRule:
    """How it is judged."""
    return CoverageRule.objects.order_by("pk").first() or CoverageRule()


def change_rule(silent_after_days: int, window_days: int, *, by: acts.Who) -> None:
    """Judges otherwise from now on, and at once."""
    with transaction.atomic():
        kept = rule()
        kept.silent_after_days, kept.window_days = silent_after_days, window_days
        kept.save()
        facts = {"coverage.silent_after_days": silent_after_days, "coverage.window_days": window_days}
        acts.require("coverage.rule_changed", by=by, facts=facts)
    look()


def look(now: dt.datetime | None = None) -> int | None:
    """Computes all rows anew; how many there are. None: another process is at it."""
    with alone.at("coverage") as is_alone:
        return _look(now or timezone.now()) if is_alone else None


def _look(now: dt.datetime) -> int:
    kept = rule()
    today = now.astimezone(dt.UTC).date()
    judged_by = Rule(kept.silent_after_days, kept.window_days)
    with transaction.atomic():
        fleet = reading.read(judged_by, today)
        rows = {(row.kind, row.key): row for row in judged(fleet, judged_by, today)}
        _keep(rows, now)
        kept.computed_at = now
        kept.save()
    return len(rows)


def judged(fleet: Fleet, rule: Rule, today: dt.date) -> Iterator[Covered]:
    """A row for each seat, device, person without a seat who was seen lately, sender nobody knows, and API key."""
    told = fleet.tells_use
    for seat, person, since in fleet.seats:
        verdict = judging.judge(*_of(fleet, person), rule, today, since=since, told=told)
        yield _row(Kind.SEAT, str(seat), verdict, seat_id=seat, person_id=person)
    owned: dict[int, int] = {}
    for _, _, owner, _ in fleet.devices:
        if owner is not None:
            owned[owner] = owned.get(owner, 0) + 1
    for device, host, owner, since in fleet.devices:
        verdict = _device(fleet, host, owner, owned.get(owner or 0, 0), rule, today, since)
        yield _row(Kind.DEVICE, str(device), verdict, device_id=device, person_id=owner)
    yield from _people(fleet, rule, today)
    yield from _strangers(fleet)
    for identity, used in fleet.keys.items():
        yield _row(Kind.API_KEY, str(identity), judging.api_key(used), identity_id=identity)


def _of(fleet: Fleet, person: int | None) -> tuple[Seen | None, judging.Used]:
    return fleet.seen.get(person or 0), fleet.used.get(person or 0, NO_USE)


def _device(
    fleet: Fleet, host: str, owner: int | None, owners_devices: int, rule: Rule, today: dt.date, since: dt.date
) -> Verdict:
    """By the host that senders say; else by its owner, where that leaves no doubt."""
    seen = next((fleet.hosts[name] for name in host_names(host) if name in fleet.hosts), None) if host else None
    if seen is not None:
        return judging.judge(seen, NO_USE, rule, today, since=since, told=False)
    owners, used = _of(fleet, owner)
    if owners_devices == 1:
        verdict = judging.judge(owners, used, rule, today, since=since, told=fleet.tells_use)
        by_owner = " By its owner: the client does not say its host." if owners else ""
        return Verdict(
            verdict.state, verdict.reason + by_owner, verdict.since, verdict.last_seen, verdict.usage_days, verdict.off
        )
    if owners is not None:
        reason = f"Its owner reports, from one of {owners_devices} machines: the client does not say which. "
        return Verdict(judging.UNSEEN, reason + _ADD_HOST, owners.first, owners.last)
    if fleet.seen and not fleet.hosts:
        return Verdict(judging.UNSEEN, f"No client says its host, and it has no owner who is known. {_ADD_HOST}", since)
    return judging.judge(None, used, rule, today, since=since, told=fleet.tells_use)


_ADD_HOST = "host.name in OTEL_RESOURCE_ATTRIBUTES tells."


def _people(fleet: Fleet, rule: Rule, today: dt.date) -> Iterator[Covered]:
    """Those without a seat who were seen, or of whose use a vendor knows, in the window."""
    seated = {person for _, person, _ in fleet.seats if person is not None}
    after = today - dt.timedelta(days=rule.window_days)
    for person in sorted((fleet.seen.keys() | fleet.used.keys()) - seated):
        seen, used = _of(fleet, person)
        if not (used.days or used.unseeable or (seen and seen.last > after)):
            continue
        verdict = judging.judge(seen, used, rule, today, since=None, told=fleet.tells_use)
        if fleet.seats and verdict.state in judging.REPORTS:
            reason = "Reports, but no connected vendor lists a seat of theirs."
            verdict = Verdict(
                judging.UNSEATED, reason, verdict.since, verdict.last_seen, verdict.usage_days, verdict.off
            )
        yield _row(Kind.PERSON, str(person), verdict, person_id=person)


def _strangers(fleet: Fleet) -> Iterator[Covered]:
    """Without those whose host is a known device: that one reports."""
    devices = {name for _, host, _, _ in fleet.devices if host for name in host_names(host)}
    for each in fleet.strangers:
        if each.host and devices.intersection(host_names(each.host)):
            continue
        if each.says:
            account = each.says != Identity.Kind.INSTALL
            verdict = judging.sender(shared=each.shared, account=account, seen=each.seen)
        else:
            verdict = judging.nameless(each.seen)
        yield _row(Kind.SENDER, each.key, verdict, subject_id=each.subject_id, identity_id=each.identity_id)


def _row(kind: str, key: str, verdict: Verdict, **about: Any) -> Covered:
    return Covered(
        kind=kind, key=key, state=verdict.state, rank=verdict.rank, reason=verdict.reason, since=verdict.since,
        last_seen=verdict.last_seen, usage_days=verdict.usage_days, switches_off=list(verdict.off), **about,
    )  # fmt: skip


def _keep(rows: Mapping[tuple[str, str], Covered], now: dt.datetime) -> None:
    """Writes what differs from what is there."""
    known = {(row.kind, row.key): row for row in Covered.objects.all()}
    gone = [row.pk for name, row in known.items() if name not in rows]
    Covered.objects.filter(pk__in=gone).delete()
    changed: list[Covered] = []
    for name, row in rows.items():
        row.computed_at = now
        old = known.get(name)
        if old is None:
            continue
        row.pk = old.pk
        if any(getattr(row, each) != getattr(old, each) for each in (*_TOLD, *_ABOUT)):
            changed.append(row)
    Covered.objects.bulk_create([row for name, row in rows.items() if name not in known], 1000)
    Covered.objects.bulk_update(
        changed, [*_TOLD, *(name.removesuffix("_id") for name in _ABOUT[:-1]), "subject_id"], 1000
    )
