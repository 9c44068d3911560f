"""Connecting, changing keys, ending: what is kept, what is told, what is refused."""

import datetime as dt
import logging

import pytest
from django.utils import timezone

from audit.models import Event
from connectors import credentials
from connectors.connections import checking, health, keys, lifecycle, rechecks
from connectors.connections.lifecycle import NotConnected
from connectors.models import Backfill, Capability, Connection, Page, Pull, Reported, Seat, UsageDay
from connectors.pulls import backfills, work
from connectors.vendors.shape import Organization, VendorError
from tests.connectors.canned import KEY, OTHER_KEY, WRONG_KIND, connect

pytestmark = pytest.mark.django_db
State = Pull.State


def acts_of(name: str) -> list[dict[str, str]]:
    events = Event.objects.filter(agent="portal", event_name=name)
    return [{"facts": bytes(event.facts).decode()} for event in events]


def test_it_keeps_the_key_sealed_and_knows_it_by_kind_fingerprint_and_end(vendor):
    connection = connect()
    assert KEY.encode() not in bytes(connection.secret)
    assert credentials.unseal(connection, "secret") == KEY
    assert (connection.key_kind, connection.last_four) == ("canned", "KLMN")
    assert connection.fingerprint == keys.fingerprint(KEY) != keys.fingerprint(OTHER_KEY)
    assert len(connection.fingerprint) == 16
    assert (connection.organization_id, connection.organization_name) == ("org-1", "Acme")


def test_every_endpoint_is_tried_before_the_key_is_kept(vendor):
    vendor.errors["cost"] = [VendorError("The key lacks the scope read:cost.", status=403, refused=True)]
    vendor.errors["users"] = [VendorError("Overloaded.", status=529)]
    connect()
    matrix = {each.endpoint: (each.allowed, each.status, each.told) for each in Capability.objects.all()}
    assert matrix == {
        "usage": (True, 200, "It answers."),
        "cost": (False, 403, "The key lacks the scope read:cost."),
        "users": (None, 529, "Overloaded."),
    }
    found = health.of(Connection.objects.get(), timezone.now())
    assert found.state == "partial"


def test_a_day_that_is_not_there_yet_is_an_answer(vendor):
    vendor.errors["usage"] = [VendorError("The newest day is the one before.", status=400, refused=True)]
    connect()
    assert Capability.objects.get(endpoint="usage").allowed is True


def test_a_vendor_that_answers_slowly_keeps_nobody_waiting(vendor):
    moments = iter([0.0, 1.0, 26.0, 26.0])
    checked = checking.check(vendor, KEY, lambda: next(moments))
    assert [answer.allowed for answer in checked.answers] == [True, None, None]
    assert "Not asked yet" in checked.answers[1].told


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("", "Paste the key."),
        (WRONG_KIND, "This is a plain key, which reads no usage."),
        ("hunter2", "does not look like a key for Canned"),
        (KEY + " ", "one word"),
        (KEY + "ü", "one word"),
        (KEY[:9] + "x" * 5000, "one word"),
    ],
)
def test_what_is_no_key_of_this_vendor_is_refused_in_words_and_never_sent(vendor, key, told):
    with pytest.raises(keys.WrongKey, match=told) as refusal:
        lifecycle.connect("canned", "Claude", key, by="rosa")
    assert vendor.asked == []
    assert not key or key not in str(refusal.value)
    assert not Connection.objects.exists()


def test_a_key_that_the_vendor_refuses_is_not_kept_and_not_told(vendor, caplog):
    vendor.organizations.clear()
    with caplog.at_level(logging.DEBUG), pytest.raises(NotConnected, match=r"refuses this key.*\[key\]") as refusal:
        connect()
    assert KEY not in str(refusal.value) + caplog.text
    assert not Connection.objects.exists()


def test_a_vendor_that_cannot_be_asked_is_no_reason_to_keep_a_key(vendor):
    vendor.always["organization"] = VendorError("The vendor cannot be reached: a proxy refused.")
    with pytest.raises(NotConnected, match="could not be checked, so it is not kept"):
        connect()
    assert not Connection.objects.exists()


def test_a_key_that_opens_nothing_is_not_kept(vendor):
    for endpoint in ("usage", "cost", "users"):
        vendor.always[endpoint] = VendorError("No scope.", status=403, refused=True)
    with pytest.raises(NotConnected, match="opens nothing"):
        connect()


def test_an_organisation_is_connected_once(vendor):
    connect()
    vendor.organizations[OTHER_KEY] = vendor.organizations[KEY]
    with pytest.raises(NotConnected, match=r"Acme is connected already, as “Claude, engineering”"):
        connect("Again", OTHER_KEY)


def test_another_key_of_the_same_organisation_takes_its_place(vendor):
    connection = connect()
    vendor.organizations = {OTHER_KEY: Organization("org-1", "Acme")}
    Connection.objects.update(trouble="revoked", trouble_at=timezone.now())
    changed = lifecycle.change_key(connection, OTHER_KEY, by="kim")
    assert credentials.unseal(Connection.objects.get(), "secret") == OTHER_KEY
    assert (changed.trouble, changed.last_four, changed.key_set_by) == ("", "QRST", "kim")
    work.do_due(60)
    assert set(Pull.objects.values_list("state", flat=True)) == {"done"}


def test_a_key_of_another_organisation_is_refused(vendor):
    connection = connect()
    vendor.organizations[OTHER_KEY] = Organization("org-2", "Other")
    with pytest.raises(NotConnected, match="another organisation"):
        lifecycle.change_key(connection, OTHER_KEY, by="kim")
    assert credentials.unseal(Connection.objects.get(), "secret") == KEY


def test_what_a_backfill_could_not_read_for_the_key_is_read_with_the_next(vendor):
    connection = connect()
    connection.pulls.all().delete()
    today = timezone.now().date()
    asked = backfills.ask(connection, today - dt.timedelta(days=9), today - dt.timedelta(days=5), by="rosa")
    vendor.organizations.clear()
    work.do_due(60)
    assert asked.pulls.filter(state=State.FAILED, status=401).count() == 1
    vendor.organizations[OTHER_KEY] = Organization("org-1", "Acme")
    lifecycle.change_key(connection, OTHER_KEY, by="kim")
    work.do_due(60)
    assert set(asked.pulls.values_list("state", flat=True)) == {"done"}


def test_a_check_is_done_by_a_worker_and_acknowledges_what_fails(vendor):
    connection = connect()
    vendor.always["cost"] = VendorError("No scope.", status=403, refused=True)
    work.do_due(60)
    assert health.of(Connection.objects.get(), timezone.now()).state == "failing"
    lifecycle.ask_check(connection, by="rosa")
    assert rechecks.do_asked() == 1
    connection = Connection.objects.get()
    assert connection.check_asked_at is None
    assert health.of(connection, timezone.now()).state == "partial"
    vendor.always.clear()
    lifecycle.ask_check(connection, by="rosa")
    rechecks.do_asked()
    assert health.of(Connection.objects.get(), timezone.now()).state == "working"


def test_a_check_finds_a_revoked_key_and_one_that_came_back(vendor):
    connection = connect()
    organization = vendor.organizations.pop(KEY)
    rechecks.recheck(connection)
    connection = Connection.objects.get()
    assert connection.trouble == "The key [key] is revoked or never was."
    assert set(connection.capabilities.values_list("allowed", "told")) == {(None, rechecks.UNASKED)}
    assert health.of(connection, timezone.now()).lag_days is None
    vendor.organizations[KEY] = organization
    rechecks.recheck(connection)
    assert Connection.objects.get().trouble == ""


def test_a_check_during_an_outage_says_so_and_changes_no_right(vendor):
    connection = connect()
    vendor.always["organization"] = VendorError("No answer within 30 seconds.")
    rechecks.recheck(connection)
    capability = Capability.objects.get(endpoint="usage")
    assert (capability.allowed, capability.told) == (True, "Could not be asked. No answer within 30 seconds.")
    assert Connection.objects.get().trouble == ""
    assert health.of(Connection.objects.get(), timezone.now()).state == "failing"
    vendor.always.clear()
    rechecks.recheck(connection)
    assert health.of(Connection.objects.get(), timezone.now()).state != "failing"


def test_a_check_of_a_key_that_does_not_open_says_so(vendor):
    connection = connect()
    connection.secret = bytes(connection.secret)[:-1] + b"\0"
    rechecks.recheck(connection)
    assert "does not open" in Connection.objects.get().trouble


def test_it_tells_what_goes_and_deletes_it(vendor):
    connection = connect()
    for back in range(2, 6):
        day = timezone.now().date() - dt.timedelta(days=back)
        vendor.pages["usage", day] = [[["dana@acme.example", 1]]]
        vendor.pages["cost", day] = [[["workspace", "1"]]]
    vendor.pages["users", None] = [["dana"]]
    work.do_due(60)
    claimed = Pull.objects.create(connection=connection, endpoint="usage", cause="person", day=day)
    effect = lifecycle.effect_of_deleting(connection)
    assert (effect["user-days"], effect["seats"], effect["reported figures"]) == (4, 1, 4)
    assert effect["runs"] == Pull.objects.count()
    lifecycle.delete(connection, by="rosa")
    for model in (Connection, Capability, Pull, Page, UsageDay, Seat, Reported, Backfill):
        assert not model.objects.exists(), model
    work.do(claimed)  # whoever was at it finds nothing to write to
    lifecycle.delete(connection, by="rosa")


def test_every_change_leaves_an_act_without_name_or_key_in_its_facts(vendor):
    connection = connect()
    lifecycle.rename(connection, "Renamed", by="rosa")
    lifecycle.pause(connection, by="rosa")
    lifecycle.pause(connection, by="rosa")
    lifecycle.resume(connection, by="rosa")
    lifecycle.resume(connection, by="rosa")
    lifecycle.ask_check(connection, by="rosa")
    today = timezone.now().date()
    asked = backfills.ask(connection, today - dt.timedelta(days=20), today - dt.timedelta(days=15), by="rosa")
    backfills.stop(asked, by="rosa")
    backfills.stop(asked, by="rosa")
    vendor.organizations[OTHER_KEY] = vendor.organizations[KEY]
    lifecycle.change_key(connection, OTHER_KEY, by="rosa")
    lifecycle.delete(connection, by="rosa")
    names = ("connected", "renamed", "paused", "resumed", "check_asked", "key_changed", "deleted")
    for name in (*(f"connection.{name}" for name in names), "backfill.asked", "backfill.stopped"):
        (act,) = acts_of(name)
        assert str(connection.pk) in act["facts"], name
    everything = " ".join(bytes(event.facts).decode() for event in Event.objects.filter(agent="portal"))
    for word in (KEY, OTHER_KEY, "Acme", "Renamed", "engineering"):
        assert word not in everything


def test_the_estimate_of_a_backfill_is_what_it_then_asks(vendor):
    connection = connect()
    connection.pulls.all().delete()
    first, last = dt.date(2025, 12, 30), dt.date(2026, 1, 2)
    estimate = backfills.estimate(connection, first, last)
    assert (estimate.days, estimate.known, estimate.requests, estimate.seconds) == (6, 0, 6, 6.0)
    asked = backfills.ask(connection, first, last, by="rosa")
    assert asked.pulls.count() == 6  # cost has no days before 2026
    vendor.asked.clear()
    work.do_due(60)
    assert len(vendor.asked) == 6
    again = backfills.estimate(connection, first, last)
    assert (again.days, again.known) == (0, 6)
    assert backfills.estimate(connection, first, last, again=True).days == 6
    progress = backfills.progress(asked, timezone.now())
    assert (progress.done, progress.total, progress.is_unfinished) == (6, 6, False)


def test_a_limited_vendor_takes_longer(vendor, monkeypatch, settings):
    from connectors.vendors import registry

    monkeypatch.setattr(registry, "LIMITED", frozenset({"canned"}))
    settings.CONNECTORS_REQUESTS_PER_MINUTE = 20
    connection = connect()
    estimate = backfills.estimate(connection, dt.date(2026, 1, 1), dt.date(2026, 1, 10))
    assert (estimate.requests, estimate.seconds) == (20, 60.0)


def test_a_stopped_backfill_reads_no_more_and_keeps_what_it_has(vendor):
    connection = connect()
    connection.pulls.all().delete()
    asked = backfills.ask(connection, dt.date(2026, 1, 1), dt.date(2026, 1, 3), by="rosa")
    work.do(work.claims.claim())
    claimed = work.claims.claim()
    backfills.stop(asked, by="rosa")
    vendor.asked.clear()
    work.do(claimed)
    assert work.do_due(60) == 0
    assert vendor.asked == []
    assert sorted(asked.pulls.values_list("state", flat=True)) == ["done", *["stopped"] * 5]


def test_failed_days_are_tried_again_once_each(vendor):
    connection = connect()
    connection.pulls.all().delete()
    vendor.always["usage"] = VendorError("No such thing.", status=404, refused=True)
    asked = backfills.ask(connection, dt.date(2026, 1, 1), dt.date(2026, 1, 3), by="rosa")
    work.do_due(60)
    assert backfills.progress(asked, timezone.now()).failed == 3
    vendor.always.clear()
    assert backfills.try_again(asked, by="rosa") == 3
    assert backfills.try_again(asked, by="rosa") == 0
    work.do_due(60)
    assert backfills.progress(asked, timezone.now()).done == 6


def test_a_name_that_somebody_took_meanwhile_is_refused(vendor):
    connect()
    vendor.organizations[OTHER_KEY] = Organization("org-2", "Other")
    with pytest.raises(NotConnected, match="of this name already"):
        connect("CLAUDE, engineering", OTHER_KEY)
