"""One feed is believed for a user-day, and the same one in Python and in SQL."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal

import hypothesis
import pytest
from hypothesis import strategies as st

from connectors.models import Connection, Identity, Person, Pull, UsageDay
from connectors.usage import groups, reading
from connectors.usage.believing import COUNTS, Question
from connectors.usage.precedence import GROUPS, TELEMETRY, Feed, Said, believed

DAY = dt.date(2026, 11, 3)
FEEDS = [TELEMETRY, Feed("a", "claude_code"), Feed("a", "users"), Feed("b", "claude_code")]
said = st.builds(Said, st.sampled_from(FEEDS), st.booleans(), st.sets(st.sampled_from(sorted(GROUPS))).map(frozenset))


@hypothesis.given(st.lists(said, unique_by=lambda each: each.feed), st.randoms())
def test_the_order_in_which_feeds_come_does_not_matter(feeds, random):
    expected = believed(feeds)
    random.shuffle(feeds)
    assert believed(feeds) == expected


@hypothesis.given(st.lists(said, unique_by=lambda each: each.feed))
def test_one_feed_that_speaks_of_it_is_believed_in_each_group(feeds):
    found = believed(feeds)
    assert set(found) == {group for each in feeds for group in each.groups}
    for group, feed in found.items():
        assert any(each.feed == feed and group in each.groups for each in feeds)


@pytest.mark.parametrize(
    ("settled", "expected"), [(True, Feed("a", "claude_code")), (False, TELEMETRY)], ids=["settled", "not settled"]
)
def test_a_settled_day_of_a_vendor_goes_before_telemetry(settled, expected):
    both = [Said(TELEMETRY, False, {"activity", "prompts"}), Said(Feed("a", "claude_code"), settled, {"activity"})]
    assert believed(both) == {"activity": expected, "prompts": TELEMETRY}


numbers = st.sampled_from([0, 0, 1, 7])
row = st.fixed_dictionaries(
    {
        "feed": st.integers(0, 3),
        "who": st.integers(0, 2),
        "model": st.sampled_from(["", "claude-opus-5"]),
        "agent": st.sampled_from(["claude_code", "codex"]),
        "cost_reported": st.sampled_from([None, Decimal(0), Decimal("0.000000001"), Decimal("12.345678901")]),
        **dict.fromkeys(COUNTS, numbers),
    }
)


@pytest.mark.django_db(transaction=True)
@hypothesis.settings(max_examples=20, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(st.lists(row, max_size=14), st.sets(st.integers(1, 3)))
def test_sql_believes_what_python_believes(rows, settled):
    """Totals are those of the believed feeds alone: nothing of another is added."""
    for model in (UsageDay, Pull, Connection, Identity, Person):
        model.objects.all().delete()
    connections = [None, *(Connection.objects.create(vendor="v", name=f"c{n}", secret=b"sealed") for n in range(3))]
    endpoints = ["", "users", "users-2", "users"]
    identities = [Identity.objects.create(kind="email", value=f"{n}@acme.example", basis="vendor") for n in range(3)]
    joined = Person.objects.create(email="0@acme.example")
    Identity.objects.filter(pk__in=[each.pk for each in identities[:2]]).update(person=joined)
    for feed in settled:
        Pull.objects.create(
            connection=connections[feed], endpoint=endpoints[feed], day=DAY, cause="schedule", state="done",
            finished_at=dt.datetime(2026, 11, 4, tzinfo=dt.UTC),
        )  # fmt: skip
    kept = {(each["feed"], each["who"], each["model"], each["agent"]): each for each in rows}
    for each in kept.values():
        values = {name: each[name] for name in (*COUNTS, "cost_reported", "model", "agent")}
        UsageDay.objects.create(
            day=DAY, connection=connections[each["feed"]], endpoint=endpoints[each["feed"]],
            identity=identities[each["who"]], **values,
        )  # fmt: skip

    expected = _naive(list(kept.values()), connections, endpoints, settled)
    summary = reading.summary(Question(DAY, DAY))
    found = summary.total
    assert {name: found.counts[name] for name in COUNTS} == {name: expected[name] for name in COUNTS}
    assert (found.cost_reported or 0) == expected["cost_reported"]
    for name, dimension in (
        ("day", "day"),
        ("team", "team"),
        ("who", "person"),
        ("model", "model"),
        ("agent", "agent"),
    ):
        grouped = {group.keys[dimension]: group.sums for group in groups.read(Question(DAY, DAY), [dimension], 100)}
        assert {str(key): sums for key, sums in summary.by[name].items()} == grouped
    feeds_of = defaultdict(set)
    for each in kept.values():
        feeds_of[each["who"] == 2, each["agent"]].add(each["feed"])
    shared = {key: feeds for key, feeds in feeds_of.items() if len(feeds) > 1}
    overlap = summary.overlap
    assert (overlap.people, overlap.user_days) == (len({who for who, _ in shared}), len(shared))
    assert sum(each.user_days for each in overlap.feeds) == sum(map(len, shared.values()))


def _naive(rows, connections, endpoints, settled):
    user_days = defaultdict(list)
    for each in rows:
        user_days[each["who"] if each["who"] == 2 else 0, each["agent"]].append(each)
    total = defaultdict(Decimal)
    for same in user_days.values():
        by_feed = defaultdict(list)
        for each in same:
            by_feed[each["feed"]].append(each)
        names = {n: Feed(str(connections[n].pk) if n else "", endpoints[n]) for n in by_feed}
        speaks = {
            n: {
                group
                for group, columns in GROUPS.items()
                for each in told
                if (each["cost_reported"] is not None if group == "cost" else any(each.get(name) for name in columns))
            }
            for n, told in by_feed.items()
        }
        chosen = believed(Said(names[n], n in settled, speaks[n]) for n in by_feed)
        for n, told in by_feed.items():
            for group, columns in GROUPS.items():
                for name in columns:
                    if chosen.get(group) == names[n]:
                        total[name] += sum(each.get(name) or 0 for each in told)
    return total
