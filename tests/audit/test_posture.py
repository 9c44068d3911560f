import datetime as dt
from itertools import pairwise

import pytest

from audit.models import Gap, Session
from audit.timeline import posture
from audit.timeline.posture import Point
from tests import captures
from tests.audit.admin.evidence import a_session, at, decided
from tests.factories import draft, evidence

START = dt.datetime(2026, 11, 21, 6, tzinfo=dt.UTC)


def minute(count: float) -> dt.datetime:
    return START + dt.timedelta(minutes=count)


def strip(*points: Point, until: float = 10):
    return posture.strip(points, START, minute(until))


def told(drawn) -> list[tuple[str, float, float]]:
    return [(segment.mode, segment.x, segment.width) for segment in drawn.segments]


def test_modes_fill_the_session_from_end_to_end():
    drawn = strip(Point(START, "default"), Point(minute(5), "plan"), Point(minute(8), "default"))
    assert told(drawn) == [("default", 0, 50), ("plan", 50, 30), ("default", 80, 20)]


def test_what_changes_nothing_makes_no_segment():
    assert told(strip(Point(START, "plan"), Point(minute(2), "plan"), Point(minute(4), "plan"))) == [("plan", 0, 100)]


def test_before_the_first_record_its_mode_is_derived():
    drawn = strip(Point(minute(5), "plan"), Point(minute(8), "default"))
    assert told(drawn) == [("plan", 0, 80), ("default", 80, 20)]
    assert [segment.stated for segment in drawn.segments] == [False, True]


def test_a_change_tells_the_mode_before_it():
    drawn = strip(Point(minute(5), "plan", before="default"))
    assert told(drawn) == [("default", 0, 50), ("plan", 50, 50)]


def test_without_a_record_there_is_nothing_to_draw():
    drawn = strip()
    assert (drawn.segments, drawn.at_end) == ([], None)
    assert "No record of this session states a permission mode" in drawn.summary


def test_points_outside_of_the_session_stay_on_the_strip():
    drawn = strip(Point(minute(-5), "plan"), Point(minute(12), "auto"))
    assert all(segment.x >= 0 and segment.width > 0 and segment.x + segment.width <= 100 for segment in drawn.segments)


def test_a_session_of_a_moment_is_drawn():
    assert told(strip(Point(START, "plan"), until=0)) == [("plan", 0.0, 0.2)]


def test_times_stand_where_there_is_room():
    crowded = strip(*(Point(minute(0.1 * n), f"m{n % 2}") for n in range(90)))
    places = [x for x, _ in crowded.labels]
    assert all(later - earlier >= 9 for earlier, later in pairwise(places))
    assert max(places) <= 91


def test_too_many_changes_are_cut_and_it_is_said():
    drawn = strip(*(Point(minute(0.01 * n), f"m{n % 2}") for n in range(posture.MOST_CHANGES + 50)))
    assert (len(drawn.segments), drawn.cut) == (posture.MOST_CHANGES, True)


def test_it_sums_up_how_long_each_mode_lasted():
    drawn = strip(Point(START, "default"), Point(minute(2), "plan"), Point(minute(4), "default"))
    assert drawn.by_mode == {"default": "8 min", "plan": "2 min"}


@pytest.mark.django_db
def test_it_reads_modes_and_ticks_from_a_session():
    session = a_session()
    Gap.objects.create(id=session.pk, session=session, chain=1, after=1, before=3, missing=1, at=at(6))
    Session.objects.filter(pk=session.pk).update(gaps=1)
    drawn = posture.read(Session.objects.get())
    assert [segment.mode for segment in drawn.segments] == ["default", "bypassPermissions"]
    assert drawn.totals == {"person": 1, "rejected": 1, "cancelled": 0, "mcp": 1, "gap": 1}
    assert {tick.kind for tick in drawn.ticks} == {"person", "rejected", "mcp", "gap"}
    assert all(0 <= tick.x <= 100 for tick in drawn.ticks)


@pytest.mark.django_db
def test_ticks_too_near_to_tell_apart_are_drawn_once_and_all_counted():
    evidence(
        draft("prompt", occurred_at=at(0)),
        *(decided(f"t-{n}", 1 + n / 1000, decision="reject") for n in range(50)),
        draft("prompt", occurred_at=at(3000)),
    )
    drawn = posture.read(Session.objects.get())
    assert (len(drawn.ticks), drawn.totals["rejected"]) == (1, 50)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("scenario", "modes"),
    [
        ("g-bypass.json", {"bypassPermissions"}),
        ("g-plan-approved.json", {"plan", "acceptEdits"}),
        ("f-interactive-decisions.json", {"default", "acceptEdits"}),
    ],
)
def test_captures_are_drawn_in_their_modes(scenario, modes):
    captures.evidence(scenario)
    seen = {segment.mode for each in Session.objects.all() for segment in posture.read(each).segments}
    assert seen == modes
