import gzip
import json

import psycopg
import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from audit.models import Event
from connectors import tokens
from ingest import agents
from ingest.models import Quarantined
from ingest.receiving import recording, setting_aside
from ingest.receiving.recording import record as receive
from ingest.receiving.requests import Request, Route
from tests.factories import of_agents, raw
from tests.ingest.receiving.bodies import logs, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def secret():
    return tokens.issue("ingest", "laptops", by="test", scopes=("logs", "metrics"))[1]


def export(body, secret, **overrides):
    request = Request(Route("logs", None), "json", secret, "192.0.2.7", **{"body": body} | overrides)
    return receive(raw(), [request])[0]


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
    assert (of_agents().count(), Quarantined.objects.count()) == (99, 1)


def test_its_neighbours_in_the_same_transaction_are_stored(secret, poisoned):
    requests = [
        Request(Route("logs", None), "json", secret, "192.0.2.7", body=logs(record(**more)))
        for more in ({}, {"poison": 1}, {})
    ]
    outcomes = receive(raw(), requests)
    assert [outcome.rejected for outcome in outcomes] == [0, 1, 0]
    assert of_agents().count() == 2


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
    assert of_agents().count() == 2


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
    assert of_agents().filter(sequence=7).count() == 2


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
    (outcome,) = receive(raw(), [request])
    assert outcome.refusal.status == 401
    assert request.body == packed


@pytest.fixture
def in_slices(monkeypatch):
    monkeypatch.setattr(recording, "RECORDS_AT_ONCE", 10)


def test_a_long_request_is_recorded_in_slices_and_answered_as_one(secret, in_slices):
    body = logs(*(record() for _ in range(35)), {"timeUnixNano": "1" * 30})
    outcome = export(body, secret)
    assert (outcome.refusal, outcome.records, outcome.rejected) == (None, 35, 1)
    assert (of_agents().count(), Quarantined.objects.count()) == (35, 1)
    again = export(body, secret)
    assert (again.records, again.duplicates, of_agents().count()) == (0, 35, 35)


def test_a_long_request_that_fails_on_its_way_is_completed_by_sending_it_again(secret, in_slices, monkeypatch):
    body = logs(*(record() for _ in range(35)))
    prepared = recording.prepare
    calls = iter(range(100))

    def failing(*arguments, **named):
        if next(calls) == 2:
            raise psycopg.OperationalError("gone")
        return prepared(*arguments, **named)

    monkeypatch.setattr(recording, "prepare", failing)
    with pytest.raises(psycopg.OperationalError):
        export(body, secret)
    assert of_agents().count() == 20
    outcome = export(body, secret)
    assert (outcome.records, outcome.duplicates, of_agents().count()) == (15, 20, 35)


def test_a_long_request_goes_to_quarantine_once(secret, in_slices, monkeypatch):
    def failing(records, **more):
        raise KeyError("a bug")

    monkeypatch.setattr(agents, "drafts", failing)
    outcome = export(logs(*(record() for _ in range(35))), secret)
    assert (outcome.records, outcome.rejected) == (0, 35)
    assert Quarantined.objects.get().whole


@pytest.fixture
def hopeless(secret, client):
    """Three requests of which nothing can be read; the client is a portal administrator's."""
    for number in range(3):
        export(b"{" + bytes(str(number), "ascii"), secret)
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.get(name="Portal administrator"))
    client.force_login(user)
    return list(Quarantined.objects.order_by("id"))


def set_aside(client, *items, **data):
    chosen = {"action": "set_aside_selected", "_selected_action": [item.pk for item in items]}
    return client.post(reverse("admin:ingest_quarantined_changelist"), chosen | data)


def shown(client, **narrowed):
    page = client.get(reverse("admin:ingest_quarantined_changelist"), narrowed)
    return {item.pk for item in page.context["cl"].result_list}


def test_what_can_never_be_replayed_is_set_aside_with_a_reason(hopeless, client):
    first, second, third = hopeless
    asked = set_aside(client, first, second).content.decode()
    assert "Set 2 requests aside?" in asked
    assert Quarantined.objects.waiting().count() == 3
    assert set_aside(client, first, second, reason=" ").status_code == 200
    assert Quarantined.objects.waiting().count() == 3

    assert set_aside(client, first, second, reason="truncated by a proxy").status_code == 302
    assert list(Quarantined.objects.waiting()) == [third]
    first.refresh_from_db()
    assert (first.set_aside_by, first.set_aside_reason) == ("ada", "truncated by a proxy")
    assert first.set_aside_at is not None
    act = Event.objects.get(agent="portal", event_name="quarantine.set_aside")
    assert f"{first.pk} {second.pk}" in bytes(act.facts).decode()
    assert "truncated by a proxy" in bytes(act.content.bytes).decode()


def test_a_list_shows_what_was_set_aside_only_when_asked(hopeless, client):
    first, *others = hopeless
    set_aside(client, first, reason="no use")
    keys = {item.pk for item in others}
    assert shown(client) == shown(client, state="waiting") == keys
    assert shown(client, state="aside") == {first.pk}
    assert shown(client, state="all") == {first.pk, *keys}
    page = client.get(reverse("admin:ingest_quarantined_change", args=[first.pk])).content.decode()
    assert "no use" in page
    assert "set_aside_selected" not in page


def test_an_empty_list_does_not_hide_what_was_set_aside(hopeless, client):
    set_aside(client, *hopeless, reason="no use")
    text = client.get(reverse("admin:ingest_quarantined_changelist")).content.decode()
    assert "Nothing waits in quarantine" in text
    assert "3 requests set aside" in text
    Quarantined.objects.all().delete()
    assert "No quarantined requests yet" in client.get(reverse("admin:ingest_quarantined_changelist")).content.decode()


def test_a_token_in_the_reason_is_kept_nowhere(hopeless, client, secret):
    set_aside(client, hopeless[0], reason=f"sent with {secret} by hand")
    hopeless[0].refresh_from_db()
    assert hopeless[0].set_aside_reason == "sent with [redacted:agp_ing] by hand"
    page = client.get(reverse("admin:ingest_quarantined_changelist"), {"state": "aside"}).content.decode()
    assert secret not in page


def test_what_is_set_aside_already_keeps_its_reason(hopeless, client):
    first = hopeless[0]
    set_aside(client, first, reason="the first reason")
    assert setting_aside.set_aside(Quarantined.objects.all(), "another", by="eve") == 2
    first.refresh_from_db()
    assert (first.set_aside_by, first.set_aside_reason) == ("ada", "the first reason")
    assert setting_aside.set_aside(Quarantined.objects.all(), "another", by="eve") == 0


def test_the_page_of_a_request_leads_to_setting_it_aside(hopeless, client):
    page = client.get(reverse("admin:ingest_quarantined_change", args=[hopeless[0].pk])).content.decode()
    assert 'value="set_aside_selected"' in page
    assert "Set 1 request aside?" in set_aside(client, hopeless[0]).content.decode()
