"""The portal's own records: runs, the canary's token, what the overview says of them. What is sent is taken here by a
stand-in that stores it as the receiver does; the real receiver is in tests/ingest/receiving/test_endpoint.py."""

import datetime as dt
from uuid import uuid4

import pytest
from django.contrib import admin
from django.utils import timezone

from audit.models import Event
from connectors import canary, credentials, tasks, tokens
from connectors.canary import record, runs, sender, sending
from connectors.models import Canary, CanaryRun, Source, Token
from portal import dashboard
from portal.dashboard import evidence, work
from portal.dashboard.lists import Lists
from tests import factories
from tests.portal import people

pytestmark = pytest.mark.django_db

NOW = timezone.now


@pytest.fixture
def path(monkeypatch):
    """What lies between: `taken` are the secrets that came, `sees` says whether what is sent becomes an event."""

    class Path:
        taken: list[str] = []
        sees, error, status = True, "", 200

    def send(endpoint, to, secret, body):
        Path.taken.append(secret)
        if Path.sees and not Path.error:
            run = CanaryRun.objects.latest("pk")
            store(runs.NAMES[run.cause], run.mark.hex)
        return sending.Sent([("answer", not Path.error, "told")], Path.status, Path.error)

    Path.taken = []
    monkeypatch.setattr(sending, "send", send)
    return Path


def store(name, mark, **more):
    facts = (("time_unix_nano", "int", 1), ("trace_id", "string", mark), ("@event.name", "string", name))
    values = {"agent": "other", "event_name": name, "facts": facts, "session_id": None, "subject": (), "origin": ()}
    return factories.record(factories.draft("other", **{**values, **more}))


def issue(scopes=("logs", "metrics"), **source):
    token, secret = tokens.issue("ingest", "laptops", by="rosa", scopes=list(scopes))
    Source.objects.filter(pk=token.source_id).update(**source)
    token.source.refresh_from_db()
    return token, secret


def aged(run, **ago):
    CanaryRun.objects.filter(pk=run.pk).update(sent_at=NOW() - dt.timedelta(**ago))
    run.refresh_from_db()
    return run


# ── Runs ────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_that_arrives_is_found_by_its_mark_and_later_has_a_number():
    token, _ = issue()
    run = runs.begin(runs.PERSON, token, "rosa")
    store(canary.PROBE, runs.begin(runs.PERSON, token).mark.hex)
    runs.look(run)
    assert run.found_at is None, "another's mark"
    CanaryRun.objects.filter(pk=run.pk).update(status=200)
    run.refresh_from_db()
    (event,) = store(canary.PROBE, run.mark.hex)
    runs.look(run)
    run.refresh_from_db()
    assert (run.found_id, run.error) == (event.id, "")
    assert runs.sealed(run) is None
    factories.seal()
    assert runs.sealed(run).event_id == event.id


@pytest.mark.parametrize(
    "facts",
    [
        (("trace_id", "string", "0" * 32),),
        (("span_id", "string", "MARK"),),
        (("@event.name", "string", "MARK"),),
    ],
)
def test_only_the_mark_in_its_place_counts(facts):
    run = runs.begin(runs.PERSON, issue()[0])
    CanaryRun.objects.filter(pk=run.pk).update(status=200)
    run.refresh_from_db()
    store(canary.PROBE, "", facts=tuple((k, t, v.replace("MARK", run.mark.hex)) for k, t, v in facts))
    runs.look(run)
    assert run.found_at is None


def test_what_is_not_found_in_time_was_taken_by_something_else():
    run = runs.begin(runs.PERSON, issue()[0])
    CanaryRun.objects.filter(pk=run.pk).update(status=200)
    runs.look(aged(run, seconds=29))
    assert run.error == ""
    runs.look(aged(run, seconds=31))
    assert "another database" in run.error


def test_a_run_that_was_broken_off_says_so():
    run = runs.begin(runs.SCHEDULE, None)
    runs.look(aged(run, seconds=50))
    assert run.error == ""
    runs.look(aged(run, seconds=70))
    assert "broken off" in run.error


@pytest.mark.parametrize(
    ("scopes", "source", "signal"),
    [
        (["logs", "metrics"], {}, "logs"),
        (["metrics"], {}, "metrics"),
        (["logs", "metrics"], {"signals": "metrics"}, "metrics"),
    ],
)
def test_it_sends_a_count_where_no_event_is_taken(scopes, source, signal):
    assert runs.begin(runs.PERSON, issue(scopes, **source)[0]).signal == signal


def test_old_runs_go():
    kept = [runs.begin(runs.SCHEDULE, None), aged(runs.begin(runs.PERSON, None), days=40)]
    aged(runs.begin(runs.SCHEDULE, None), days=31)
    aged(runs.begin(runs.PERSON, None), days=366)
    assert runs.prune(NOW()) == 2
    assert set(CanaryRun.objects.all()) == set(kept)


# ── The canary ──────────────────────────────────────────────────────────────────────────────────


def test_it_makes_a_source_and_a_token_of_its_own_and_seals_the_token(path):
    run = sender.run()
    assert (run.cause, run.status, run.error) == ("schedule", 200, "")
    assert run.found_at is not None
    token = Token.objects.get(pk=run.token_id)
    assert (token.source.name, token.scopes, token.created_by) == ("Canary", ["logs"], "canary")
    row = Canary.objects.get()
    assert path.taken == [credentials.unseal(row, "secret")]
    assert path.taken[0].encode() not in bytes(row.secret)
    assert tokens.digest(path.taken[0]) == bytes(token.digest)


def test_told_twice_it_sends_once(path):
    assert sender.run() is not None
    assert sender.run() is None
    aged(CanaryRun.objects.get(), minutes=5)
    assert sender.run() is not None
    assert path.taken[0] == path.taken[1], "with the same token"
    assert Token.objects.count() == 1


def test_switched_off_it_does_nothing(path, settings):
    settings.CONNECTORS_CANARY = False
    tasks.send_canary()
    assert not CanaryRun.objects.exists()
    assert not Token.objects.exists()
    assert sender.standing(NOW()).state == "off"


def test_the_task_sends_one(path):
    tasks.send_canary()
    assert CanaryRun.objects.get().found_at is not None


def again(**ago):
    CanaryRun.objects.update(sent_at=NOW() - dt.timedelta(minutes=5))
    Canary.objects.update(set_at=NOW() - dt.timedelta(**ago))
    return sender.run()


def test_it_rotates_its_token_every_month_with_an_overlap(path):
    sender.run()
    again(days=29)
    again(days=31)
    assert path.taken[0] == path.taken[1] != path.taken[2]
    old, new = Token.objects.order_by("pk")
    assert new.rotated_from == old
    assert (old.state, new.works) == ("rotating", True)
    assert Canary.objects.get().token == new


def test_a_revoked_token_is_replaced_in_the_same_source(path):
    run = sender.run()
    old = Token.objects.get(pk=run.token_id)
    tokens.revoke(old, "leaked", by="rosa")
    again(days=1)
    new = Token.objects.latest("pk")
    assert new.pk != old.pk
    assert new.source == old.source
    assert path.taken[-1] != path.taken[0]


def test_a_token_that_a_person_rotated_is_used_until_it_stops_and_then_replaced(path):
    run = sender.run()
    old = Token.objects.get(pk=run.token_id)
    tokens.rotate(old, dt.timedelta(hours=1), by="rosa")
    assert again(days=40).token_id == old.pk
    Token.objects.filter(pk=old.pk).update(valid_until=NOW())
    assert again(days=40).token_id not in {old.pk, old.pk + 1}
    assert CanaryRun.objects.filter(error="").count() == 3


def test_it_takes_nobodys_source(path):
    Source.objects.create(name="canary")
    run = sender.run()
    assert Token.objects.get(pk=run.token_id).source.name == "Portal canary"


def test_a_token_that_was_tampered_with_fails_closed_and_is_told(path):
    sender.run()
    row = Canary.objects.get()
    Canary.objects.update(secret=bytes(row.secret)[:-1] + bytes([bytes(row.secret)[-1] ^ 1]))
    run = again(days=1)
    assert "does not open" in run.error
    assert len(path.taken) == 1, "nothing was sent"
    tokens.revoke(Token.objects.get(), "does not open", by="rosa")
    assert again(days=1).error == ""


def test_its_own_making_leaves_acts(path):
    sender.run()
    (act,) = factories.acts("token.issued")
    assert act["by"] == "canary"


# ── The overview ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lists(rf):
    request = rf.get("/admin/")
    request.user = people.superuser()
    return Lists(admin.site, request)


def tile(lists):
    return next(each for each in evidence.tiles(lists, NOW(), NOW()) if each.label == "Public endpoint")


def items(lists):
    return [each for each in work.items(lists, NOW(), NOW()) if "endpoint" in each.label]


def test_the_overview_shows_when_a_record_last_arrived(lists, path):
    assert (tile(lists).value, tile(lists).state) == ("–", "")
    sender.run()
    assert (tile(lists).unit, tile(lists).state, items(lists)) == ("s ago", "", [])


def test_failures_show_with_their_age_and_count(lists, path):
    sender.run()
    path.error, path.status = "Nothing listens: really", None
    again(days=1)
    aged(CanaryRun.objects.earliest("pk"), minutes=10)
    assert (tile(lists).value, tile(lists).unit, tile(lists).state) == ("10", "min ago", "bad")
    (item,) = items(lists)
    assert (item.count, item.detail) == ("1", "Nothing listens: really")
    path.error, path.status = "", 200
    again(days=1)
    assert (tile(lists).state, items(lists)) == ("", [])


def test_the_first_failure_shows_as_well(lists, path):
    path.error = "Nothing listens"
    sender.run()
    assert (tile(lists).value, tile(lists).state) == ("never", "bad")


def test_its_absence_shows(lists, path):
    aged(sender.run(), minutes=20)
    assert (tile(lists).value, tile(lists).state) == ("20", "bad")
    (item,) = items(lists)
    assert "no test is sent" in item.label
    assert "worker" in item.detail


def test_a_run_that_is_under_way_is_no_failure(lists, path):
    sender.run()
    CanaryRun.objects.update(sent_at=NOW() - dt.timedelta(minutes=5))
    runs.begin(runs.SCHEDULE, None)
    assert (tile(lists).state, items(lists)) == ("", [])


def test_the_portals_own_records_are_no_agents_events(lists, path, rf):
    sender.run()
    store(canary.PROBE, "0" * 32)
    assert Event.objects.filter(agent="other").count() == 2
    steps = dashboard.context(admin.site, lists.request)["first_run"]
    assert not any(step.done for step in steps), "its token is nobody's first"
    factories.record(factories.draft("user_prompt"))
    assert "first_run" not in dashboard.context(admin.site, lists.request)


def test_the_body_names_no_agent_and_no_session():
    for signal in ("logs", "metrics"):
        text = record.body(signal, canary.CANARY, uuid4())
        assert b"session" not in text
        assert b"claude" not in text
