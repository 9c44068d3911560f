import datetime as dt
import re
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from audit import acts, identifiers
from audit.listing import counting
from audit.models import Heartbeat, McpServer, Session, ToolUse
from connectors import tokens
from ingest.models import Answered, Quarantined
from portal import dashboard, trust
from portal.dashboard import evidence, posture, usage, work
from portal.dashboard.lists import Lists
from portal.dashboard.parts import per_cent
from tests import factories
from tests.portal import people

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def lists(rf):
    request = rf.get("/admin/")
    request.user = people.superuser()
    return Lists(admin.site, request)


@pytest.fixture
def client():
    client = Client()
    client.force_login(people.superuser(), backend=people.BACKEND)
    return client


def session(**overrides: object) -> Session:
    at = timezone.now()
    values = {"id": uuid4(), "source_id": 1, "agent": "claude_code", "session_id": str(uuid4()), "first_at": at}
    values |= {"last_at": at, "first_event": uuid4(), "last_event": uuid4(), "events": 10}
    return Session.objects.create(**values | overrides)


def use(session: Session, **overrides: object) -> ToolUse:
    at = session.first_at
    values = {"id": uuid4(), "source_id": 1, "agent": "claude_code", "session": session, "tool_name": "Bash", "at": at}
    values |= {"position": identifiers.lower_bound(at), "decision": "accept", "decided_by": "policy", "decisions": 1}
    return ToolUse.objects.create(**values | overrides)


def window() -> tuple[dt.datetime, dt.datetime]:
    now = timezone.now()
    return (now - 13 * DAY).replace(hour=0, minute=0, second=0, microsecond=0), now


def tile(tiles, label):
    return next(each for each in tiles if each.label == label)


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 0, "–"), (0, 5, "0"), (5, 5, "100"), (9999, 10_000, "99.9"), (1, 10_000, "0.1"), (972, 1000, "97.2")],
)
def test_it_rounds_no_remainder_away(part, whole, told):
    assert per_cent(part, whole) == told


def test_it_says_what_to_do_until_the_first_event(client):
    html = client.get("/admin/").content.decode()
    assert "No event has arrived yet" in html
    assert "Issue an ingestion token" in html
    factories.evidence(factories.draft())
    assert "No event has arrived yet" not in client.get("/admin/").content.decode()


def test_it_ticks_off_the_token(lists):
    from portal.dashboard import first_run

    assert [step.done for step in first_run.steps(lists)] == [False, False, False, False]
    assert first_run.steps(lists)[0].url == "/admin/connectors/ingesttoken/add/"
    assert first_run.steps(lists)[3].url == "/admin/connectors/connection/add/"


def test_it_answers_four_questions(client):
    factories.evidence(factories.draft())
    html = client.get("/admin/").content.decode()
    for question in ("Can I trust the evidence?", "What needs me?", "Posture", "Use and cost"):
        assert question in html


def test_it_tells_how_far_the_ledger_is_sealed(lists):
    factories.evidence(*(factories.draft() for _ in range(3)))
    assert tile(evidence.tiles(lists, *window()), "Sealed to").value == "#2"


def test_it_tells_the_lag_from_happening_to_receiving(lists):
    now = timezone.now()
    factories.evidence(*(factories.draft(occurred_at=now - dt.timedelta(seconds=7)) for _ in range(20)))
    lag = tile(evidence.tiles(lists, *window()), "Ingest lag")
    assert 7 <= float(lag.value) < 60
    assert lag.unit == "s at p99"


def test_it_says_that_there_is_too_little_to_tell_the_lag(lists):
    assert tile(evidence.tiles(lists, *window()), "Ingest lag").note == "not enough data"


def test_the_portals_own_acts_are_no_activity_of_agents(lists):
    for number in range(3):
        acts.record("evidence.viewed", by="rosa", facts={"object.id": number})
    factories.seal()
    factories.fold()
    assert tile(evidence.tiles(lists, *window()), "Ingest lag").note == "not enough data"
    assert tile(evidence.tiles(lists, *window()), "Sessions complete").note == "no session in this time"
    assert "first_run" in dashboard.context(admin.site, lists.request)


def test_it_tells_which_sessions_are_complete(lists):
    for missing in (0, 0, 0, 3):
        session(missing=missing, gaps=bool(missing))
    session(last_at=timezone.now() - 30 * DAY, missing=9, gaps=1)
    complete = tile(evidence.tiles(lists, *window()), "Sessions complete")
    assert (complete.value, complete.unit, complete.state) == ("75.0", "%", "due")
    assert complete.note == "1 of 4 have a gap"


def test_it_counts_no_session_as_complete_that_is_not_judged_yet(lists):
    session(chains=[1], unjudged=[1])
    complete = tile(evidence.tiles(lists, *window()), "Sessions complete")
    assert (complete.value, complete.unit, complete.note) == ("–", "", "1 not judged yet")
    session(chains=[1])
    session(chains=[1], unjudged=[1], missing=2, gaps=1)
    complete = tile(evidence.tiles(lists, *window()), "Sessions complete")
    assert (complete.value, complete.note) == ("50.0", "1 of 2 have a gap; 1 not judged yet")


def quarantined(**overrides: object) -> None:
    values = {"received_at": timezone.now(), "token_id": 1, "source_id": 1, "source_name": "laptops", "whole": True}
    values |= {"signal": "logs", "encoding": "json", "reason": "bad", "length": 1, "sha256": b"", "request": b"{"}
    Quarantined.objects.create(**values | overrides)


def test_it_counts_what_waits_in_quarantine(lists):
    quarantined()
    quarantined(replayed_at=timezone.now())
    quarantined(set_aside_at=timezone.now())
    found = tile(evidence.tiles(lists, *window()), "Quarantine")
    assert (found.value, found.state) == ("1", "due")


def test_it_counts_refused_requests(lists):
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for outcome, hour, requests in (
        ("stored", now, 900),
        ("401 unknown", now, 7),
        ("413 size", now, 2),
        ("x", now - 3 * DAY, 5),
    ):
        Answered.objects.create(hour=hour, outcome=outcome, requests=requests, last_at=now, last_address="192.0.2.1")
    refused = tile(evidence.tiles(lists, *window()), "Refused requests")
    assert (refused.value, refused.window, refused.note) == ("9", "last 24 hours", "most: 401 unknown")


def test_it_says_which_process_is_silent(lists):
    now = timezone.now()
    Heartbeat.objects.create(name="sealer", at=now)
    Heartbeat.objects.create(name="projector", at=now - dt.timedelta(minutes=5))
    Heartbeat.objects.create(name="receiver:127.0.0.1:4318", at=now - dt.timedelta(minutes=5))
    Heartbeat.objects.create(name="receiver:127.0.0.1:4319", at=now)
    found = evidence.loops_only(now)[0]
    assert (found.value, found.note, found.state) == ("2 of 3", "projector silent for 5 min", "bad")


@pytest.mark.parametrize(
    ("beat", "events", "state", "verdict"),
    [
        (None, 0, "warn", "Nothing sealed"),
        (0, 0, "ok", "Nothing to seal"),
        (0, 2, "ok", "Sealed"),
        (300, 2, "bad", "Sealing stopped"),
        (None, 2, "bad", "Sealing stopped"),
    ],
)
def test_it_puts_trust_into_words(beat, events, state, verdict):
    if beat is not None:
        Heartbeat.objects.create(name="sealer", at=timezone.now() - dt.timedelta(seconds=beat))
    if events:
        factories.evidence(*(factories.draft() for _ in range(events)))
    found = trust.trust()
    assert (found.state, found.verdict) == (state, verdict)


def test_it_puts_first_what_needs_somebody(lists):
    now = timezone.now()
    session(modes_seen=["default", "bypassPermissions"])
    session(decisions_seen=["reject:person"])
    for number, (first_at, failures) in enumerate([(now, 0), (now - 20 * DAY, 2), (now - 20 * DAY, 0)]):
        McpServer.objects.create(id=uuid4(), name=str(number), first_at=first_at, last_at=now, failures=failures)
    items = work.items(lists, *window())
    assert {item.label: item.count for item in items} == {
        "Sessions that asked nobody": "1",
        "Sessions in which a person refused": "1",
        "MCP servers in use that have failed to connect": "1",
        "MCP servers first seen": "1",
        "Connections that fail": "0",
        "Ingestion tokens that expire soon": "0",
        "API tokens that expire soon": "0",
    }
    assert [item.count for item in items][-3:] == ["0", "0", "0"]


def test_it_counts_decisions_by_authority_and_day(lists):
    since, now = window()
    made = session()
    decided = [("accept", "policy")] * 3 + [
        ("accept", "person"),
        ("reject", "hook"),
        ("accept", "nobody"),
        (None, None),
    ]
    for decision, decided_by in decided:
        use(made, decision=decision, decided_by=decided_by, decisions=int(decision is not None))
    use(made, at=since)
    use(made, at=since, decision="cancel", decided_by="person")
    use(made, at=since - dt.timedelta(seconds=1))
    picture = posture.picture(lists, since, now)
    totals = {series.label: total for series, total in picture.chart.totals}
    assert totals == {
        "Accepted by policy": 4,
        "Accepted, nobody asked": 1,
        "Accepted by person": 1,
        "Rejected": 1,
        "Cancelled": 1,
    }
    assert picture.total == "8 decisions"
    assert len(picture.chart.columns) == 14
    assert sum(picture.chart.columns[0].values) == 2
    assert sum(picture.chart.columns[-1].values) == 6
    assert tile(picture.tiles, "Human oversight").value == "16.7"


def test_it_draws_an_empty_fortnight(lists):
    picture = posture.picture(lists, *window())
    assert picture.total == "0 decisions"
    assert picture.chart.segments == []


def test_it_names_the_tools_most_rejected_by_when_it_happened(lists):
    since, now = window()
    made = session(first_at=since)
    for tool in ("Bash", "Bash", 'a "quoted" tool', None):
        use(made, decision="reject", decided_by="policy", tool_name=tool)
    use(made, tool_name="Edit")
    arrived = identifiers.lower_bound(now)
    use(made, decision="reject", decided_by="person", tool_name="Old", at=since - DAY, position=arrived)
    picture = posture.picture(lists, since, now)
    assert tile(picture.tiles, "Rejected").note == "4 tool uses"
    assert [row[:3] for row in picture.rejected] == [
        ("Bash", "2", "50.0 %"),
        ('a "quoted" tool', "1", "25.0 %"),
        ("not named", "1", "25.0 %"),
    ]


def test_it_tells_use_and_cost(lists):
    since, now = window()
    session(cost_usd=Decimal("12.34"), input_tokens=100, cache_read_tokens=800, cache_creation_tokens=100)
    session(cost_usd=Decimal("0.66"), output_tokens=500)
    session(last_at=since - DAY)
    told = {each.label: each.value for each in usage.tiles(lists, since, now)}
    assert told == {
        "Active people": "0",
        "Sessions": "2",
        "Cost": "$13.00",
        "Tokens": "1\u202f500",
        "Cache share": "80.0",
    }
    assert tile(usage.tiles(lists, since, now), "Sessions").note == "+100 % on the 14 days before"


def test_links_spell_a_midnight_in_full(lists):
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert "T00%3A00%3A00Z" in lists.url("ingest.answered", hour__gte=midnight)


def figures(html: str) -> list[tuple[str, int]]:
    """(link, number) of every linked figure that is a count of rows, in tiles, tables and lists of work."""
    html = html[: html.index(">Cost<")]  # sums over rows follow
    found = re.findall(r'<a href="(/admin/[^"]*\?[^"]*)">([^<]*)</a>', html[html.index("<main") :])
    work = re.findall(r'<a href="(/admin/[^"]*\?[^"]*)">[^<]*</a></th><td[^>]*><b>([^<]*)</b>', html)
    counts = [(unescape(url), number.replace("\u202f", "")) for url, number in [*found, *work]]
    return [(url, int(number)) for url, number in counts if number.isdecimal()]


def test_it_leads_from_every_figure_to_its_rows(client):
    now = timezone.now()
    factories.evidence(factories.draft())
    made = session(modes_seen=["bypassPermissions"], decisions_seen=["reject:person"], missing=2, gaps=1)
    for days, decision, by in (
        (0, "reject", "person"),
        (0, "accept", "policy"),
        (3, "accept", "nobody"),
        (3, "cancel", "person"),
    ):
        use(made, at=now - days * DAY, decision=decision, decided_by=by, tool_name='say "hi" \\ tool:Bash')
    use(made, decision="accept", decided_by="unknown")
    use(made, decision="accept", decided_by="reviewer_model", at=now - 20 * DAY)
    session(decisions_seen=["reject:policy", "accept:person"])
    session(last_at=now - 20 * DAY, modes_seen=["bypassPermissions"])
    McpServer.objects.create(id=uuid4(), name="tickets", first_at=now, last_at=now, failures=1)
    McpServer.objects.create(id=uuid4(), name="old", first_at=now - 30 * DAY, last_at=now - 30 * DAY, failures=1)
    for kind, scope in (("ingest", "logs"), ("api", "events:read")):
        tokens.issue(kind, "soon", by="test", scopes=[scope], expires_at=now + 5 * DAY)
        tokens.issue(kind, "later", by="test", scopes=[scope], expires_at=now + 90 * DAY)
    quarantined()
    quarantined(replayed_at=now)
    quarantined(set_aside_at=now)
    hour = now.replace(minute=0, second=0, microsecond=0)
    Answered.objects.create(hour=hour, outcome="401 unknown", requests=1, last_at=now, last_address="192.0.2.1")

    found = figures(client.get("/admin/").content.decode())
    assert len(found) >= 14
    for url, number in found:
        assert client.get(url).context["cl"].result_count == number, url


def test_it_says_when_a_part_takes_too_long(client, monkeypatch):
    def too_slow(*args):
        raise counting.TooSlow

    factories.evidence(factories.draft())
    monkeypatch.setattr(posture, "picture", too_slow)
    monkeypatch.setattr(work, "items", too_slow)
    html = client.get("/admin/").content.decode()
    assert html.count("Not counted: it took longer than a page may wait") == 2
    assert "Use and cost" in html


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        (people.REVIEWER, ["Posture", "Use and cost", "Sessions complete"], ["tokens that expire soon", "Quarantine"]),
        (people.CONNECTOR, ["tokens that expire soon"], ["Posture", "Use and cost", "Sessions complete", "Quarantine"]),
        (
            people.ADMINISTRATOR,
            ["Quarantine", "API tokens that expire soon"],
            ["Posture", "Use and cost", "Ingestion tokens that expire soon"],
        ),
    ],
)
def test_it_shows_each_role_only_what_it_may_open(role, shown, hidden):
    factories.evidence(factories.draft())
    client = Client()
    client.force_login(people.person(role), backend=people.BACKEND)
    page = client.get("/admin/").content.decode()
    html = page[page.index("<main") :]
    assert [text for text in shown if text not in html] == []
    assert [text for text in hidden if text in html] == []


def test_it_asks_the_database_a_bounded_number_of_times(client, django_assert_max_num_queries):
    factories.evidence(factories.draft())
    for _ in range(30):
        session(gaps=1, missing=1, modes_seen=["bypassPermissions"])
    client.get("/admin/")
    with django_assert_max_num_queries(80):
        client.get("/admin/")
