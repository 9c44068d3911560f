"""Applies the retention rules: contents and facts by kind, identities that nobody uses any more, whole months.

What is due is found by when it was received. What a hold covers stays, and the run says so. A run that was cut off is
simply run again: what is gone is not found a second time.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from audit import acts, alone, identifiers, projector
from audit.exceptions import AuditError, Held
from audit.models import RetentionRule, RetentionRun
from audit.privacy import erasing, forgetting, holds, purging, tombstones
from audit.privacy.forgetting import Found
from audit.privacy.purging import Month
from audit.vocabulary import Kind

SUBJECTS_AT_ONCE = 2000
Progress = Callable[[RetentionRun], None]

_CONTENTS = """
    SELECT e.id::text, e.content_commitment, e.session::text
    FROM audit_event e JOIN audit_content c ON c.event_id = e.id
    WHERE e.kind = %(kind)s AND e.id < %(before)s AND e.id > %(after)s ORDER BY e.id LIMIT %(limit)s
"""
_FACTS = """
    SELECT e.id::text, e.facts_commitment, e.session::text FROM audit_event e
    WHERE e.kind = %(kind)s AND e.agent <> 'portal' AND e.facts IS NOT NULL
        AND e.id < %(before)s AND e.id > %(after)s ORDER BY e.id LIMIT %(limit)s
"""
_IDENTITIES = """
    SELECT u.id, u.commitment FROM audit_subject u
    WHERE u.bytes IS NOT NULL AND u.id > %(after)s
        AND EXISTS (SELECT FROM audit_event e WHERE e.subject_id = u.id)
        AND NOT EXISTS (SELECT FROM audit_event e WHERE e.subject_id = u.id AND e.id >= %(before)s)
    ORDER BY u.id LIMIT %(limit)s
"""
_FIRST = str(UUID(int=0))


@dataclass(frozen=True, slots=True)
class Plan:
    """What the rules say of this moment. Kinds without a rule of their own follow the one without a kind."""

    contents: dict[str, dt.datetime] = field(default_factory=dict)
    facts: dict[str, dt.datetime] = field(default_factory=dict)
    identities: dt.datetime | None = None
    months: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """How much is due now, by part; `contents` and `facts` by kind. Months with what stands in their way."""

    contents: dict[str, int]
    facts: dict[str, int]
    identities: int
    months: Sequence[Month]


def plan(rules: Sequence[RetentionRule], now: dt.datetime) -> Plan:
    """Before which moment of receipt each part of each kind is due.

    Whole months go when the facts of every kind in them are due; facts of kinds with a shorter rule go before that.
    """
    days = {(rule.part, rule.kind): rule.days for rule in rules}

    def cut(part: str, kind: str = "") -> dt.datetime | None:
        found = days.get((part, kind), days.get((part, "")))
        return None if found is None else now - dt.timedelta(days=found)

    kinds = [kind.value for kind in Kind]
    facts = {kind: at for kind in kinds if (at := cut(RetentionRule.FACTS, kind))}
    months = min(facts.values()) if len(facts) == len(kinds) else None
    return Plan(
        contents={kind: at for kind in kinds if (at := cut(RetentionRule.CONTENT, kind))},
        facts={kind: at for kind, at in facts.items() if months is None or at > months},
        identities=cut(RetentionRule.IDENTITY),
        months=months,
    )


def preview(now: dt.datetime | None = None) -> Preview:
    """What a run would find. Counts; changes nothing."""
    wanted = plan(list(RetentionRule.objects.all()), now or timezone.now())
    return Preview(
        contents=_counted(_CONTENTS, wanted.contents),
        facts=_counted(_FACTS, wanted.facts),
        identities=_count(_IDENTITIES, {"before": _bound(wanted.identities)}) if wanted.identities else 0,
        months=purging.due(wanted.months) if wanted.months else [],
    )


def _counted(statement: str, cuts: dict[str, dt.datetime]) -> dict[str, int]:
    counts = {kind: _count(statement, {"kind": kind, "before": _bound(at)}) for kind, at in cuts.items()}
    return {kind: count for kind, count in counts.items() if count}


def _count(statement: str, wanted: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        every = {"after": _FIRST, "limit": None, **wanted}
        cursor.execute(f"SELECT count(*) FROM ({statement}) AS due", every)  # noqa: S608 - one of the three above
        return int(cursor.fetchone()[0])


def _bound(moment: dt.datetime | None) -> str:
    assert moment is not None
    return str(identifiers.lower_bound(moment))


class AtItAlready(AuditError):
    """Another process applies the rules at this moment."""


def run(by: str, now: dt.datetime | None = None, progress: Progress = lambda done: None) -> RetentionRun:
    """Applies the rules and says what went and what stayed: the certificate.

    Raises AtItAlready, and what the database raises.
    """
    with alone.at("retention") as is_alone:
        if not is_alone:
            raise AtItAlready("Another process applies the rules at this moment.")
        return _run(by, now, progress)


def _run(by: str, now: dt.datetime | None, progress: Progress) -> RetentionRun:
    rules = list(RetentionRule.objects.order_by("part", "kind"))
    told = [{"part": r.part, "kind": r.kind, "days": r.days, "exception": r.exception} for r in rules]
    done = RetentionRun.objects.create(asked_by=by, rules=told)
    try:
        holds.refresh()
        _Run(done, plan(rules, now or timezone.now()), progress).all()
        done.state = RetentionRun.DONE
    except Exception as error:
        done.state, done.error = RetentionRun.FAILED, type(error).__name__
        raise
    finally:
        done.finished_at = timezone.now()
        _record(done)
    return done


def _record(done: RetentionRun) -> None:
    counts = {"contents": done.contents, "identities": done.identities, "facts": done.facts, "events": done.events}
    with transaction.atomic():
        done.save()
        acts.record(
            "retention.run",
            by=done.asked_by,
            facts={"retention.id": done.pk, "retention.state": done.state, **_named(counts)},
        )


def _named(counts: dict[str, int]) -> dict[str, int]:
    return {f"retention.{name}": count for name, count in counts.items()}


class _Run:
    def __init__(self, done: RetentionRun, plan: Plan, progress: Progress) -> None:
        self.done, self.plan, self.progress = done, plan, progress
        self.about = [("retention.id", done.pk)]

    def all(self) -> None:
        for kind, before in self.plan.contents.items():
            for found, kept in self._due(_CONTENTS, kind, before):
                self.done.contents += self._erase("retention.contents_erased", found, forgetting.erase_contents)
                self._kept(f"content of {kind}", kept)
        for kind, before in self.plan.facts.items():
            for found, kept in self._due(_FACTS, kind, before):
                self.done.facts += self._erase("retention.facts_erased", found, forgetting.erase_facts)
                self._kept(f"facts of {kind}", kept)
        if self.plan.identities:
            self._identities(self.plan.identities)
        if self.plan.months:
            self._months(self.plan.months)
        if self.done.facts or self.done.events or self._cut_off_before():
            self._fold_anew()

    def _cut_off_before(self) -> bool:
        """Whether an earlier run took events away and never came to fold what was left."""
        earlier = RetentionRun.objects.exclude(state=RetentionRun.DONE).exclude(pk=self.done.pk)
        last = RetentionRun.objects.filter(state=RetentionRun.DONE).order_by("-pk").first()
        if last:
            earlier = earlier.filter(pk__gt=last.pk)
        return earlier.filter(Q(facts__gt=0) | Q(events__gt=0)).exists()

    def _fold_anew(self) -> None:
        connection.ensure_connection()
        projector.rebuild(connection.connection)

    def _due(self, statement: str, kind: str, before: dt.datetime) -> Iterator[tuple[list[Found], int]]:
        """Portion after portion of what is due and not held, with how many are held."""
        after = _FIRST
        while True:
            with connection.cursor() as cursor:
                wanted = {"kind": kind, "before": _bound(before), "after": after}
                cursor.execute(statement, {**wanted, "limit": tombstones.COMMITMENTS_AT_ONCE})
                found = [Found(event, bytes(commitment), session) for event, commitment, session in cursor.fetchall()]
                cursor.execute(
                    "SELECT DISTINCT event_id::text FROM audit_holds_on_v1(%s::uuid[])",
                    [[each.event for each in found]],
                )
                held = {event for (event,) in cursor.fetchall()}
            if not found:
                return
            after = found[-1].event
            yield [each for each in found if each.event not in held], len(held)

    def _erase(self, name: str, found: Sequence[Found], erase: Callable[[Sequence[Found], UUID], None]) -> int:
        if found:
            with transaction.atomic():
                forgetting.lock_projections()
                erase(found, tombstones.of_parts(name, (each.commitment for each in found), self.about))
            self._tell()
        return len(found)

    def _identities(self, before: dt.datetime) -> None:
        after = UUID(int=0)
        while True:
            wanted: dict[str, Any] = {"before": _bound(before), "after": after, "limit": SUBJECTS_AT_ONCE}
            with transaction.atomic(), connection.cursor() as cursor:
                forgetting.lock_projections()
                erasing.lock_out_recorders()
                cursor.execute(_IDENTITIES, wanted)
                found = cursor.fetchall()
                if not found:
                    return
                after = found[-1][0]
                free = [row for row in found if not holds.covering([row[0]])] if holds.any_in_force() else found
                if free:
                    subjects = [subject for subject, _ in free]
                    commitments = (bytes(commitment) for _, commitment in free)
                    act = tombstones.of_subjects("retention.identities_erased", commitments, self.about)
                    erasing.erase_subjects(subjects, act)
            self.done.identities += len(free)
            self._kept("identities", len(found) - len(free))
            self._tell()

    def _months(self, before: dt.datetime) -> None:
        for month in purging.due(before):
            if month.hold is not None or month.unsealed:
                why = (
                    f"legal hold {month.hold}" if month.hold is not None else f"{month.unsealed} events have no number"
                )
                self.done.kept.append({"what": f"{month} and what is younger", "count": month.events, "why": why})
                return
            try:
                self.done.events += purging.purge(month, self.about)
            except Held as held:  # placed while this ran
                self.done.kept.append({"what": str(month), "count": month.events, "why": f"legal hold {held.hold}"})
                return
            self.done.months.append(str(month))
            self._tell()

    def _kept(self, what: str, count: int) -> None:
        if count:
            told = next((each for each in self.done.kept if each["what"] == what), None)
            if told is None:
                self.done.kept.append({"what": what, "count": count, "why": "legal hold"})
            else:
                told["count"] += count

    def _tell(self) -> None:
        self.done.save()
        self.progress(self.done)
