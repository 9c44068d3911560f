"""Erases a person: contents with their words and projections, metric points, identities, and what else names them.

Each step is one transaction that begins with the portal's own event and goes on where it was cut off. What is left of
an event is its facts and the commitments of what is gone, so every proof still holds.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit import acts, alone, pasted
from audit.acts import Fact
from audit.exceptions import Held
from audit.models import Erasure
from audit.packs import work as packs
from audit.privacy import forgetting, holds, people, tombstones
from audit.privacy.forgetting import Found
from audit.signals import person_erased

ADVISORY_LOCK = 7018702099306406259  # "agp_eras", as audit_erasures_v1() takes it

Progress = Callable[[Erasure], None]

_THEIRS = """
    SELECT e.id::text, e.content_commitment, e.session::text
    FROM audit_event e JOIN audit_content c ON c.event_id = e.id
    WHERE e.subject_id = ANY(%(subjects)s) OR e.subject_id IS NULL AND e.session IN (
        SELECT id FROM audit_session WHERE subject_id = ANY(%(subjects)s))
    LIMIT %(limit)s
"""
_ACTS_NAMING_THEM = """
    SELECT e.id::text, e.content_commitment, e.session::text
    FROM audit_event e JOIN audit_content c ON c.event_id = e.id
    WHERE e.agent = 'portal' AND e.kind IN ('admin', 'auth') AND EXISTS (
        SELECT FROM unnest(%(names)s::text[]) AS name WHERE position(name IN lower(convert_from(c.bytes, 'UTF8'))) > 0)
    LIMIT %(limit)s
"""


def ask(subjects: Sequence[UUID], *, reason: str, by: str) -> Erasure:
    """Records the wish, which is carried out by `run`."""
    reason = pasted.masked(reason)
    with transaction.atomic():
        erasure = Erasure.objects.create(subjects=list(subjects), reason=reason, asked_by=by)
        acts.record(
            "erasure.requested",
            by=by,
            facts=[("erasure.id", erasure.pk), *(("erasure.subject", str(subject)) for subject in subjects)],
            content={"reason": reason},
        )
    return erasure


def run(erasure: Erasure, progress: Progress = lambda erasure: None) -> Erasure:
    """Carries it out, or goes on with it, unless another process is at it. Under a hold it waits (state `held`).

    Raises what the database raises; the state says `failed` then, and running it again goes on.
    """
    with alone.at(f"erasure {erasure.pk}") as is_alone:
        erasure.refresh_from_db()
        if is_alone and erasure.state != Erasure.DONE:
            _run(erasure, progress)
    return erasure


def _run(erasure: Erasure, progress: Progress) -> None:
    holds.refresh()
    subjects = erasure.subjects
    try:
        if held := holds.covering(subjects):
            raise Held(held[0])
        erasure.total = erasure.contents + people.overview(subjects).contents
        _note(erasure, Erasure.RUNNING)
        while done := _erase_contents(erasure):
            erasure.contents += done
            _note(erasure, Erasure.RUNNING)
            progress(erasure)
        _erase_identities(erasure)
        packs.discard(f"erasure {erasure.pk}")  # after the commit: one that is begun later holds nothing of it
        erasure.finished_at, erasure.hold_id, erasure.error = timezone.now(), None, ""
        _note(erasure, Erasure.DONE)
    except Held as held_by:
        erasure.hold_id = held_by.hold
        _note(erasure, Erasure.HELD)
    except Exception as error:
        erasure.error = type(error).__name__
        _note(erasure, Erasure.FAILED)
        raise


def _erase_contents(erasure: Erasure) -> int:
    """One portion of their contents, or of the portal's own records that name them; how many."""
    with transaction.atomic(), forgetting.refusals():
        found = _found(erasure)
        if found:
            _erase_found(erasure, found)
    return len(found)


def _found(erasure: Erasure) -> list[Found]:
    wanted: dict[str, Any] = {
        "subjects": erasure.subjects,
        "names": people.names(erasure.subjects),
        "limit": tombstones.COMMITMENTS_AT_ONCE,
    }
    with connection.cursor() as cursor:
        for statement in (_THEIRS, _ACTS_NAMING_THEM):
            cursor.execute(statement, wanted)
            if rows := cursor.fetchall():
                return [Found(event, bytes(commitment), session) for event, commitment, session in rows]
    return []


def _erase_found(erasure: Erasure, found: Sequence[Found]) -> None:
    forgetting.lock_projections()
    about = [("erasure.id", erasure.pk)]
    act = tombstones.of_parts("erasure.contents_erased", (each.commitment for each in found), about)
    forgetting.erase_contents(found, act)


def _erase_identities(erasure: Erasure) -> None:
    """Whoever records waits for it, so nothing new can come to point to an identity that is gone."""
    subjects = erasure.subjects
    with transaction.atomic(), forgetting.refusals(), connection.cursor() as cursor:
        forgetting.lock_projections()
        lock_out_recorders()
        while found := _found(erasure):
            _erase_found(erasure, found)
            erasure.contents += len(found)
        names = people.names(subjects)
        cursor.execute("SELECT commitment FROM audit_subject WHERE id = ANY(%s) AND bytes IS NOT NULL", [subjects])
        commitments = [bytes(commitment) for (commitment,) in cursor.fetchall()]
        if not commitments:
            return  # done before it was cut off
        act = tombstones.of_subjects("erasure.identity_erased", commitments, [("erasure.id", erasure.pk)])
        cursor.execute("SELECT audit_forget_points_v1(%s, %s)", [subjects, act])
        (erasure.points,) = cursor.fetchone()
        erasure.identities = erase_subjects(subjects, act)
        person_erased.send(sender=Erasure, names=names)
        _note(erasure, Erasure.RUNNING)


def erase_acts_naming(names: Sequence[str], about: Sequence[Fact]) -> int:
    """Contents of the portal's own records that name somebody of whom there is no evidence; how many. Raises Held.

    Inside the caller's transaction, which takes its other locks after this.
    """
    erased = 0
    forgetting.lock_projections()
    lock_out_recorders()
    wanted: dict[str, Any] = {"names": list(names), "limit": tombstones.COMMITMENTS_AT_ONCE}
    with forgetting.refusals(), connection.cursor() as cursor:
        while True:
            cursor.execute(_ACTS_NAMING_THEM, wanted)
            found = [Found(event, bytes(commitment), session) for event, commitment, session in cursor.fetchall()]
            if not found:
                return erased
            act = tombstones.of_parts("erasure.contents_erased", (each.commitment for each in found), about)
            forgetting.erase_contents(found, act)
            erased += len(found)


def lock_out_recorders() -> None:
    """Until the transaction ends nobody records: no event can come to point to an identity that is about to go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])


def erase_subjects(subjects: Sequence[UUID], act: UUID) -> int:
    """The identities that the act names, and what sessions say of their hosts; how many."""
    with connection.cursor() as cursor:
        sessions = forgetting.sessions_of(cursor, subjects)
        cursor.execute("SELECT audit_erase_subjects_v1(%s, %s)", [list(subjects), act])
        (erased,) = cursor.fetchone()
        forgetting.retell_hosts(cursor, sessions)
    return int(erased)


def _note(erasure: Erasure, state: str) -> None:
    erasure.state = state
    erasure.save()
