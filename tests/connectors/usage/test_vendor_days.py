"""The same days from a vendor over HTTP and from what a real client sent: one total, and the overlap shown."""

import datetime as dt
from collections import Counter
from decimal import Decimal

import pytest

from audit import acts
from connectors.connections import lifecycle
from connectors.models import Identity, Person, Pull, UsageDay
from connectors.pulls import work
from connectors.usage import reading
from connectors.usage.believing import COUNTS, Question
from connectors.vendors import registry
from tests import captures
from tests.connectors.usage.telling import at, recorded_points, rolled_up
from tests.factories import seal
from tests.vendor import FakeVendor, truth

pytestmark = pytest.mark.django_db
SCENARIOS = ("a-plain-prompt.json", "c-edit-acceptEdits.pb", "m-git-commit-pr.json")


@pytest.fixture
def telemetry_day():
    """The day of captures that somebody sent; all of theirs was sent within it."""
    for scenario in SCENARIOS:
        captures.record(scenario)
        seal()
        recorded_points(scenario)
    rolled_up()
    (day,) = set(UsageDay.objects.values_list("day", flat=True))
    return day


@pytest.fixture
def company(telemetry_day, monkeypatch, settings, tmp_path):
    settings.CONNECTORS_KEY_FOLDER = tmp_path / "keys"
    now = at(telemetry_day + dt.timedelta(days=3))
    with FakeVendor(12, 3, last_day=telemetry_day, now=lambda: now) as running:
        slug = "anthropic_admin"
        monkeypatch.setitem(registry.VENDORS, slug, type(registry.VENDORS[slug])(running.url))
        connection = lifecycle.connect(slug, "Claude", running.keys.admin, by=acts.Person("rosa"))
        connection.pulls.all().delete()
        Pull.objects.create(connection=connection, endpoint="claude_code", day=telemetry_day, cause="person")
        assert work.do_due(60) == 1
        # as if it had been pulled on the next days: what was captured may be of today
        Pull.objects.update(finished_at=now)
        yield running


def test_one_total_and_the_overlap(telemetry_day, company):
    question = Question(telemetry_day, telemetry_day)
    telemetry = Counter()
    for row in UsageDay.objects.filter(connection=None):
        telemetry.update({name: getattr(row, name) for name in COUNTS})
    sender = Identity.objects.get(usage__connection=None, usage__model="")
    said = truth.claude_code(company, telemetry_day, telemetry_day)
    apart = reading.summary(question)
    assert apart.total.counts["sessions"] == said.sessions + telemetry["sessions"]
    assert apart.overlap.user_days == 0

    somebody = Identity.objects.filter(usage__connection__isnull=False, kind="email").distinct().first()
    Identity.objects.filter(pk__in=[sender.pk, somebody.pk]).update(person=Person.objects.create(name="Ada"))
    joined = reading.summary(question)
    total, overlap = joined.total, joined.overlap
    for name in ("sessions", "lines_added", "commits", "input_tokens", "output_tokens", "cache_read_tokens"):
        assert total.counts[name] == getattr(said, name), name
    assert total.cost_reported == pytest.approx(said.cost, abs=Decimal("0.000001"))
    assert total.counts["prompts"] == telemetry["prompts"] > 0
    assert (overlap.people, overlap.user_days) == (1, 1)
    left_out, believed = overlap.feeds
    assert left_out.sessions_left_out == telemetry["sessions"] > 0
    assert left_out.tokens_left_out == sum(telemetry[name] for name in COUNTS if name.endswith("_tokens")) > 0
    assert (believed.sessions_left_out, believed.tokens_left_out, believed.cost_left_out) == (0, 0, 0)
