import pytest

from audit.loop import IDLE_SECONDS, Halted, Loop
from audit.models import Heartbeat

pytestmark = pytest.mark.django_db


def detail() -> dict:
    return Heartbeat.objects.get(name="a loop").detail


def test_a_halted_loop_says_why_at_once_and_goes_on_asking():
    why = ["", "an old database", "an old database", ""]

    def work(connection):
        if reason := why.pop(0):
            raise Halted(reason)
        return 0

    loop = Loop("a loop", work)
    told = []
    while why:
        assert loop.round() == IDLE_SECONDS
        told.append(detail()["halted"])
    assert told == ["", "an old database", "an old database", ""]


def test_rounds_with_work_begin_no_closer_together_than_the_pace():
    assert 0 < Loop("a loop", lambda connection: 1).round() <= 0.1
