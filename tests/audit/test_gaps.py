"""event.sequence counts per process: on through /clear, anew at resume, several at once (wire-claude-code.md A2)."""

import datetime as dt
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import completeness, projector
from audit.folding.gaps import Point, find
from audit.models import DueChain, Gap, Session
from tests.factories import draft, evidence, raw

START = dt.datetime(2026, 11, 21, 6, tzinfo=dt.UTC)
LATER = START + dt.timedelta(days=1)
A, B, C = (UUID(int=number) for number in (1, 2, 3))


def points(*rows, start=0):
    """(session, sequence) pairs one second apart."""
    return [
        Point(
            START + dt.timedelta(seconds=start + second),
            sequence,
            session,
            START + dt.timedelta(seconds=start + second),
        )
        for second, (session, sequence) in enumerate(rows)
    ]


def found(rows):
    return [(gap.session, gap.after, gap.before, gap.missing) for gap in find(sorted(rows), LATER)]


def run(session, *numbers):
    return [(session, number) for number in numbers]


def test_an_unbroken_run_has_no_gap():
    assert found(points(*run(A, *range(100)))) == []


def test_missing_numbers_are_named():
    assert found(points(*run(A, *(n for n in range(100) if n not in (17, 41, 42))))) == [(A, 16, 18, 1), (A, 40, 43, 2)]


def test_a_run_without_its_beginning_lacks_it():
    assert found(points(*run(A, 3, 4))) == [(A, None, 3, 3)]


def test_the_counter_goes_on_through_clear():
    assert found(points(*run(A, 0, 1, 2), *run(B, 3, 4))) == []


def test_a_loss_at_clear_is_found():
    assert found(points(*run(A, 0, 1, 2), *run(B, 5, 6))) == [(B, 2, 5, 2)]


def test_a_resumed_session_counts_anew():
    assert found(points(*run(A, *range(60)), *run(A, 0, 1, 2))) == []


def test_a_resume_starts_under_a_session_that_is_thrown_away():
    rows = [*run(A, *range(3)), *run(B, 0, 1, 2, 3), *run(A, 4, 5)]
    assert found(points(*rows)) == []


def test_two_processes_at_once_are_told_apart():
    first, second = points(*run(A, *range(10))), points(*run(B, *range(10)), start=0.5)
    assert found([*first, *second]) == []


def test_a_gap_in_one_of_two_processes_is_its_own():
    first = points(*run(A, *range(10)))
    second = points(*run(B, 0, 1, 2, 5, 6, 7), start=0.5)
    assert found([*first, *second]) == [(B, 2, 5, 2)]


def test_the_same_number_again_is_no_gap():
    assert found(points(*run(A, 0, 1, 2, 2, 3))) == []


def test_a_young_gap_may_still_be_filled():
    rows = points(*run(A, 0, 5))
    assert find(rows, rows[-1].received_at) == []
    assert len(find(rows, rows[-1].received_at + dt.timedelta(seconds=1))) == 1


@given(st.sets(st.integers(1, 199), max_size=30))
def test_every_number_lost_in_one_run_is_counted(lost):
    rows = points(*run(A, *(number for number in range(201) if number not in lost)))
    assert sum(gap.missing for gap in find(rows, LATER)) == len(lost)


@pytest.mark.parametrize(
    ("events", "missing", "grade"),
    [(62, 0, "a"), (0, 0, "a"), (62, 3, "b"), (90, 10, "b"), (89, 10, "d"), (1, 50, "d")],
)
def test_it_grades_completeness(events, missing, grade):
    assert Session(chains=[1], events=events, missing=missing).grade == grade
    assert Session(chains=[1, 2], unjudged=[2], events=events, missing=missing).grade == "unjudged"
    assert Session(events=events, missing=missing).grade == "c"


@pytest.mark.django_db
def test_a_session_shows_what_is_missing_a_minute_later():
    now = dt.datetime.now(dt.UTC)
    evidence(*(draft(sequence=number, occurred_at=now + dt.timedelta(milliseconds=number)) for number in (0, 1, 4, 5)))
    assert completeness.find_due(raw(), now) == 0
    assert completeness.find_due(raw(), now + dt.timedelta(seconds=70)) == 1
    session = Session.objects.get()
    assert (session.missing, session.gaps) == (2, 1)
    gap = Gap.objects.get()
    assert (gap.after, gap.before, gap.missing, gap.session_id) == (1, 4, 2, session.id)


@pytest.mark.django_db
def test_what_comes_late_fills_the_gap():
    now = dt.datetime.now(dt.UTC)
    for numbers in ((0, 3), (1, 2)):
        evidence(*(draft(sequence=number, occurred_at=now + dt.timedelta(milliseconds=number)) for number in numbers))
        completeness.find_due(raw(), now + dt.timedelta(minutes=5))
    assert not Gap.objects.exists()
    assert Session.objects.get().missing == 0


@pytest.mark.django_db
def test_a_gap_that_was_too_young_is_looked_for_as_soon_as_it_is_not():
    """Its chain was due a minute after its first event; the gap came half a minute later."""
    now = dt.datetime.now(dt.UTC)
    evidence(*(draft(sequence=number, occurred_at=now + dt.timedelta(milliseconds=number)) for number in (0, 5)))
    completeness.find_due(raw(), now + dt.timedelta(seconds=61))
    earlier = Gap.objects.count()
    evidence(draft(sequence=9, occurred_at=now + dt.timedelta(milliseconds=9)))
    completeness.find_due(raw(), now + dt.timedelta(seconds=140))
    assert (earlier, Gap.objects.count()) == (1, 2)


def numbered(session_id, *numbers, **overrides):
    now = dt.datetime.now(dt.UTC)
    return [
        draft(session_id=session_id, sequence=number, occurred_at=now + dt.timedelta(milliseconds=number), **overrides)
        for number in numbers
    ]


def grade(session_id="s-1"):
    return Session.objects.get(session_id=session_id).grade


def in_seconds(seconds):
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


@pytest.mark.django_db
def test_a_session_has_no_grade_until_its_numbers_are_judged():
    evidence(*numbered("s-1", 0, 1, 4))
    assert grade() == "unjudged"
    completeness.find_due(raw(), in_seconds(30))
    assert grade() == "unjudged"
    completeness.find_due(raw(), in_seconds(70))
    assert grade() == "d"


@pytest.mark.django_db
def test_a_session_that_goes_on_is_judged_anew():
    evidence(*numbered("s-1", 0, 1))
    completeness.find_due(raw(), in_seconds(70))
    earlier = grade()
    evidence(*numbered("s-1", 2))
    assert (earlier, grade()) == ("a", "unjudged")


@pytest.mark.django_db
def test_what_is_too_young_when_its_chain_is_looked_through_stays_unjudged():
    long_ago = in_seconds(-300)
    evidence(*numbered("s-1", 0, 1), received_at_us=int(long_ago.timestamp() * 1_000_000))
    evidence(*numbered("s-2", 2, 3))
    completeness.find_due(raw(), in_seconds(50))
    assert (grade("s-1"), grade("s-2")) == ("unjudged", "unjudged")
    DueChain.objects.update(due_at=long_ago)
    completeness.find_due(raw(), in_seconds(50))
    assert (grade("s-1"), grade("s-2")) == ("a", "unjudged")


@pytest.mark.django_db
def test_every_chain_of_a_session_is_waited_for():
    evidence(*numbered("s-1", 0, 1), *numbered("s-1", 0, 1, origin=(("scope.version", "string", "2.1.330"),)))
    _, second = DueChain.objects.order_by("chain")
    DueChain.objects.filter(pk=second.pk).update(due_at=in_seconds(600))
    completeness.find_due(raw(), in_seconds(70))
    assert Session.objects.get().unjudged == [second.chain]
    completeness.find_due(raw(), in_seconds(601))
    assert grade() == "a"


@pytest.mark.django_db
def test_a_judged_session_keeps_its_grade_while_another_of_its_chain_runs():
    evidence(*numbered("s-1", 0, 1))
    completeness.find_due(raw(), in_seconds(70))
    evidence(*numbered("s-2", 2, 3))
    assert (grade("s-1"), grade("s-2")) == ("a", "unjudged")


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_leaves_nothing_graded_that_was_not_looked_through():
    evidence(*numbered("s-1", 0, 4))
    completeness.find_due(raw(), in_seconds(70))
    projector.rebuild(raw())
    assert grade() == "unjudged"
