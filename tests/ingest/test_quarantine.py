import asyncio
import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from audit.models import Event
from connectors import tokens
from ingest import agents
from ingest.models import Quarantined
from ingest.receiving.budget import Budgets
from ingest.receiving.receiver import Receiver
from ingest.receiving.recording import record as receive
from ingest.receiving.requests import Outcome, Request, Route
from tests.factories import raw
from tests.ingest.receiving.bodies import logs, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def secret():
    return tokens.issue("ingest", "laptops", by="test", scopes=("logs", "metrics"))[1]


def export(body, secret, **overrides):
    request = Request(Route("logs", None), "json", secret, "192.0.2.7", **{"body": body} | overrides)
    return receive(raw(), [request], Budgets())[0]


@pytest.fixture
def poisoned(monkeypatch):
    """A mapping that makes of some records what PostgreSQL refuses, until it is mended."""
    mapped = agents.drafts

    def drafts(records, **more):
        made = mapped(records, **more)
        for draft in made:
            if any(key == "@poison" for key, _, _ in draft.content):
                draft.tool_name = "nul\x00"
        return made

    monkeypatch.setattr(agents, "drafts", drafts)
    return lambda: monkeypatch.setattr(agents, "drafts", mapped)


@pytest.mark.parametrize("position", [0, 49, 99])
def test_a_record_the_database_refuses_stands_alone_in_quarantine(secret, poisoned, position):
    records = [record(**({"poison": 1} if number == position else {})) for number in range(100)]
    outcome = export(logs(*records), secret)
    assert (outcome.refusal, outcome.records, outcome.rejected) == (None, 99, 1)
    assert (Event.objects.count(), Quarantined.objects.count()) == (99, 1)


def test_its_neighbours_in_the_same_transaction_are_stored(secret, poisoned):
    requests = [
        Request(Route("logs", None), "json", secret, "192.0.2.7", body=logs(record(**more)))
        for more in ({}, {"poison": 1}, {})
    ]
    outcomes = receive(raw(), requests, Budgets())
    assert [outcome.rejected for outcome in outcomes] == [0, 1, 0]
    assert Event.objects.count() == 2


def test_what_was_refused_can_be_replayed_when_it_is_mended(secret, poisoned, client):
    export(logs(record(), record(poison=1)), secret)
    item = Quarantined.objects.get()
    assert "refuses" in item.reason
    poisoned()
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(reverse("admin:ingest_quarantined_change", args=[item.pk]))
    assert "Replay" in page.content.decode()
    client.post(reverse("admin:ingest_quarantined_replay", args=[item.pk]))
    item.refresh_from_db()
    assert item.replayed_at is not None
    assert item.replay_outcome == "recorded: 1 new"
    assert Event.objects.count() == 2


def test_a_record_a_mapping_fails_on_costs_no_other(secret, monkeypatch):
    mapped = agents.drafts

    def failing(records, **more):
        if any({key: value for key, _, value in each.attributes}.get("bad") for each in records):
            raise KeyError("a bug")
        return mapped(records, **more)

    monkeypatch.setattr(agents, "drafts", failing)
    outcome = export(logs(record(), record(bad=1), record()), secret)
    assert (outcome.records, outcome.rejected) == (2, 1)
    assert "KeyError" in Quarantined.objects.get().reason


def test_the_same_session_and_number_with_other_content_are_both_kept(secret):
    export(logs(*(record(**{"event.sequence": 7, "text": text}) for text in ("one", "two"))), secret)
    assert Event.objects.filter(sequence=7).count() == 2


def test_a_role_without_the_right_may_neither_see_nor_replay(client, secret):
    export(b"{", secret)
    item = Quarantined.objects.get()
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.get(name="Connector administrator"))
    client.force_login(user)
    assert client.get(reverse("admin:ingest_quarantined_changelist")).status_code == 403
    assert client.post(reverse("admin:ingest_quarantined_replay", args=[item.pk])).status_code == 403


def test_the_lists_show_hostile_text_harmlessly(client, secret):
    export(json.dumps({"resourceLogs": "<script>alert(1)</script>"}).encode(), secret)
    client.force_login(User.objects.create_superuser("root"))
    for name in ("ingest_quarantined_changelist", "ingest_answered_changelist"):
        page = client.get(reverse(f"admin:{name}"))
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()


def test_many_records_a_mapping_fails_on_are_kept_as_one_request(secret, monkeypatch):
    def failing(records, **more):
        raise KeyError("a bug")

    monkeypatch.setattr(agents, "drafts", failing)
    outcome = export(logs(*(record() for _ in range(50))), secret)
    assert (outcome.records, outcome.rejected) == (0, 50)
    assert "and 49 more" in Quarantined.objects.get().reason


def test_nothing_is_unpacked_before_its_token_is_found_good():
    packed = gzip.compress(bytes(1 << 20))
    request = Request(Route("logs", None), "json", tokens.generate("ingest"), "192.0.2.7", body=packed, gzip=True)
    (outcome,) = receive(raw(), [request], Budgets())
    assert outcome.refusal.status == 401
    assert request.body == packed


def test_what_waits_is_counted_as_it_came_whatever_a_writer_makes_of_it():
    """A writer unpacks the body while the receiver counts: the count must come back to nothing."""

    async def decide() -> int:
        receiver = Receiver()
        receiver._loop = asyncio.get_running_loop()
        request = Request(Route("logs", None), "json", secret="", address="", body=b"packed", size=6)
        decided = asyncio.ensure_future(receiver._decide(request))
        await asyncio.sleep(0)
        assert receiver._held_bytes == 6
        request.body = b"unpacked to more"
        receiver._release([(request, Outcome())])
        await decided
        return receiver._held_bytes

    with ThreadPoolExecutor(1) as thread:  # the browser tests leave a running loop in this one
        assert thread.submit(lambda: asyncio.run(decide())).result() == 0
