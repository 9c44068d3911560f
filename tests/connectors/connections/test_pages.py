"""Connections in the admin, through real requests."""

import datetime as dt
import logging

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.models import Event
from connectors import tasks
from connectors.models import Backfill, Connection, Page, Pull, Reported
from connectors.pulls import backfills, work
from connectors.vendors.shape import Organization, VendorError
from tests.connectors.canned import KEY, OTHER_KEY, WRONG_KIND, connect
from tests.connectors.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    client.force_login(person("Connector administrator"))
    return client


@pytest.fixture(autouse=True)
def without_broker(monkeypatch):
    """Who tells a worker finds none: the rows are what counts."""

    def refused(*_, **__):
        raise OperationalError

    for task in (tasks.do_pulls, tasks.plan_pulls):
        monkeypatch.setattr(task, "apply_async", refused)


def url(page, row=None, model="connection"):
    return reverse(f"admin:connectors_{model}_{page}", args=[row.pk] if row else [])


def text(response):
    return response.content.decode()


def posted(client, key=KEY, name="Claude, engineering", vendor="canned"):
    return client.post(f"{url('add')}?vendor={vendor}", {"name": name, "key": key})


def test_it_asks_first_how_agents_are_bought(administrator, vendor):
    page = text(administrator.get(url("add")))
    assert "How do you buy your agents?" in page
    assert 'href="?vendor=canned"' in page
    assert reverse("admin:connectors_ingesttoken_add") in page
    assert "Bedrock, Vertex or Foundry" in page


def test_it_says_where_the_key_is_made(administrator, vendor):
    page = text(administrator.get(f"{url('add')}?vendor=canned"))
    assert "Made at canned.example by an owner." in page
    assert 'type="password"' in page
    assert "never shown again" in page


def test_it_connects_and_queues_the_last_days(administrator, vendor):
    response = posted(administrator)
    connection = Connection.objects.get()
    assert response["Location"] == url("change", connection)
    assert connection.created_by == "rosa"
    assert connection.pulls.count() > 10


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("", "Paste the key."),
        (WRONG_KIND, "This is a plain key, which reads no usage."),
        ("hunter2-and-some-more", "does not look like a key for Canned"),
    ],
)
def test_a_wrong_key_is_refused_in_words_and_not_shown(administrator, vendor, key, told):
    page = text(posted(administrator, key))
    assert told in page
    assert not key or key not in page
    assert not Connection.objects.exists()


def test_a_revoked_key_is_refused_in_words_and_not_shown(administrator, vendor):
    vendor.organizations.clear()
    page = text(posted(administrator))
    assert "The vendor refuses this key. The key [key] is revoked or never was." in page
    assert KEY not in page
    assert not Connection.objects.exists()


def test_a_name_is_taken_once_and_the_key_is_typed_again(administrator, vendor):
    connect()
    vendor.organizations[OTHER_KEY] = Organization("org-2", "Other")
    page = text(posted(administrator, OTHER_KEY, "claude, ENGINEERING"))
    assert "There is a connection of this name already." in page
    assert OTHER_KEY not in page


def test_no_page_shows_the_key(administrator, vendor, caplog):
    vendor.pages["cost", timezone.now().date() - dt.timedelta(days=3)] = [[["workspace", "1.5"]]]
    with caplog.at_level(logging.DEBUG):
        posted(administrator)
        vendor.errors["usage"] = [VendorError(f"{KEY} is bad", status=404, refused=True)]
        work.do_due(60)
        connection = Connection.objects.get()
        asked = backfills.ask(connection, dt.date(2026, 1, 1), dt.date(2026, 1, 2), by="rosa")
        pages = [
            url(name, connection) for name in ("change", "key", "rename", "delete", "history", "state", "backfill")
        ]
        pages += [url("changelist"), url("changelist") + "download.csv", url("changelist") + "download.ndjson"]
        pages += [url("change", Pull.objects.filter(state="failed").get(), "pull"), url("change", asked, "backfill")]
        pages += [url("changelist", model=model) for model in ("pull", "backfill", "reported")]
        pages += [url("change", Reported.objects.get(), "reported"), reverse("admin:index")]
        for address in pages:
            response = administrator.get(address)
            assert response.status_code == 200, address
            body = b"".join(response.streaming_content) if response.streaming else response.content
            assert KEY.encode() not in body, address
    assert KEY not in caplog.text


def test_the_page_says_what_the_key_may_read_and_what_is_wrong(administrator, vendor):
    vendor.errors["cost"] = [VendorError("The key lacks the scope read:cost.", status=403, refused=True)]
    connection = connect()
    page = text(administrator.get(url("change", connection)))
    assert "The key lacks the scope read:cost." in page
    assert "HTTP 403" in page
    assert "Partly refused" in page
    assert connection.fingerprint in page
    assert "…KLMN" in page


def test_a_failing_connection_is_first_on_the_overview_even_without_events(administrator, vendor):
    connect()
    assert "Connections that fail" not in text(administrator.get(reverse("admin:index")))
    vendor.organizations.clear()
    work.do_due(60)
    page = text(administrator.get(reverse("admin:index")))
    assert "Connections that fail" in page
    assert "Claude, engineering: The key [key] is revoked." in page
    assert "not with this key" in text(administrator.get(url("change", Connection.objects.get())))
    listed = text(administrator.get(f"{url('changelist')}?state=failing"))
    assert "The key [key] is revoked." in listed
    assert "Failing" in listed


@pytest.mark.parametrize("state", ["failing", "paused", "partial", "new", "working"])
def test_the_list_has_each_connection_in_one_state(administrator, vendor, state):
    connect()
    shown = "Claude, engineering" in text(administrator.get(f"{url('changelist')}?state={state}"))
    assert shown == (state == "new")


def test_a_key_is_changed_without_showing_either(administrator, vendor):
    connection = connect()
    vendor.organizations[OTHER_KEY] = Organization("org-2", "Other")
    page = text(administrator.post(url("key", connection), {"key": OTHER_KEY}))
    assert "another organisation" in page
    assert OTHER_KEY not in page
    vendor.organizations[OTHER_KEY] = Organization("org-1", "Acme")
    response = administrator.post(url("key", connection), {"key": OTHER_KEY}, follow=True)
    assert "The new key is in use" in text(response)
    assert OTHER_KEY not in text(response)
    assert Connection.objects.get().last_four == "QRST"


def test_it_is_renamed_paused_and_resumed(administrator, vendor):
    connection = connect()
    administrator.post(url("rename", connection), {"name": "Claude, all"})
    administrator.post(url("pause", connection))
    connection.refresh_from_db()
    assert (connection.name, connection.paused_by) == ("Claude, all", "rosa")
    assert "nothing is read" in text(administrator.get(url("change", connection)))
    administrator.post(url("resume", connection))
    connection.refresh_from_db()
    assert connection.paused_at is None


def test_its_key_is_no_name_for_it(administrator, vendor):
    connection = connect()
    page = text(administrator.post(url("rename", connection), {"name": "sk-ant-admin01-" + "Aa0" * 20}))
    assert "A token or key stands in this" in page
    connection.refresh_from_db()
    assert "sk-ant" not in connection.name


@pytest.mark.parametrize("act", ["pause", "resume", "check"])
def test_what_changes_something_takes_a_post(administrator, vendor, act):
    assert administrator.get(url(act, connect())).status_code == 405


def test_a_check_is_asked_of_a_worker_and_waited_for(administrator, vendor):
    connection = connect()
    administrator.post(url("check", connection))
    assert "Every endpoint is asked again" in text(administrator.get(url("change", connection)))
    assert administrator.get(url("state", connection)).json()["unfinished"] is True
    tasks.do_pulls()
    assert administrator.get(url("state", connection)).json()["unfinished"] is False


def test_it_tells_what_goes_before_it_is_deleted(administrator, vendor):
    connection = connect()
    work.do_due(60)
    page = text(administrator.get(url("delete", connection)))
    assert "All that was read through it goes with it" in page
    assert "Raw pages" in page
    assert "Confirm that you have read it" in text(administrator.post(url("delete", connection), {"_save": "Delete"}))
    administrator.post(url("delete", connection), {"sure": "on"})
    assert not Connection.objects.exists()
    assert not Page.objects.exists()


def test_a_backfill_says_what_it_takes_before_it_starts(administrator, vendor):
    connection = connect()
    asked = {"first_day": "2026-01-01", "last_day": "2026-01-10"}
    page = text(administrator.post(url("backfill", connection), asked | {"_estimate": "1"}))
    assert not Backfill.objects.exists()
    assert "<dd>20</dd>" in page
    response = administrator.post(url("backfill", connection), asked | {"_start": "1"}, follow=True)
    backfill = Backfill.objects.get()
    assert response.redirect_chain == [(url("change", backfill, "backfill"), 302)]
    assert "0 of 20 days" in text(response)
    work.do_due(60)
    state = administrator.get(url("state", backfill, "backfill")).json()
    assert state == {"unfinished": False, "done": 20, "total": 20, "told": "20 of 20 days, 0 rows"}


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        ("2026-02-01", "2026-01-01", "before the first day"),
        ("2020-01-01", "2026-01-01", "At most 400 days at once"),
        ("2999-01-01", "2999-01-02", "has not come yet"),
        ("nonsense", "", "Enter a valid date"),
    ],
)
def test_a_range_that_cannot_be_is_refused(administrator, vendor, first, last, told):
    page = administrator.post(url("backfill", connect()), {"first_day": first, "last_day": last, "_start": "1"})
    assert told in text(page)
    assert not Backfill.objects.exists()


def test_a_backfill_is_stopped_and_its_failed_days_are_tried_again(administrator, vendor):
    connection = connect()
    connection.pulls.all().delete()
    vendor.always["usage"] = VendorError("No such thing.", status=404, refused=True)
    backfill = backfills.ask(connection, dt.date(2026, 1, 1), dt.date(2026, 1, 3), by="rosa")
    work.do_due(60)
    page = text(administrator.get(url("change", backfill, "backfill")))
    assert "No such thing." in page
    assert "Try the failed days again" in page
    vendor.always.clear()
    administrator.post(url("again", backfill, "backfill"))
    administrator.post(url("stop", backfill, "backfill"))
    assert sorted(backfill.pulls.values_list("state", flat=True)) == [*["done"] * 3, *["stopped"] * 3]
    assert "Stopped" in text(administrator.get(url("change", backfill, "backfill")))


def test_a_run_gives_out_its_pages_as_they_came_and_leaves_an_act(administrator, vendor):
    day = timezone.now().date() - dt.timedelta(days=3)
    vendor.pages["usage", day] = [[["dana@acme.example", 1]]]
    connect()
    work.do_due(60)
    pull = Pull.objects.get(endpoint="usage", day=day)
    assert "Pages as they came" in text(administrator.get(url("change", pull, "pull")))
    response = administrator.get(reverse("admin:connectors_pull_page", args=[pull.pk, 1]))
    assert response.content == b'[["dana@acme.example", 1]]'
    assert "attachment" in response["Content-Disposition"]
    assert Event.objects.filter(event_name="connection.page_downloaded").count() == 1


@pytest.mark.parametrize("role", ["Compliance reviewer", "Portal administrator", "Privacy officer"])
def test_others_may_not(client, vendor, role):
    connection = connect()
    client.force_login(person(role))
    pages = ("change", "key", "rename", "delete", "backfill", "state")
    for address in [url("add"), url("changelist"), *(url(page, connection) for page in pages)]:
        assert client.get(address).status_code == 403, address
    for act in ("pause", "resume", "check", "key"):
        assert client.post(url(act, connection), {"key": OTHER_KEY}).status_code == 403, act
    assert client.get(url("changelist", model="pull")).status_code == 403


def test_who_may_only_look_is_offered_nothing_to_press(client, vendor):
    connection = connect()
    viewer = person()
    viewer.user_permissions.set(Permission.objects.filter(codename="view_connection"))
    client.force_login(viewer)
    page = text(client.get(url("change", connection)))
    assert "What the key may read" in page
    for word in ("Change key", "Pause", "Check again", "Delete"):
        assert word not in page
    assert client.post(url("pause", connection)).status_code == 403


def test_a_connection_of_a_vendor_that_is_not_known_is_shown_all_the_same(administrator, vendor):
    connection = connect()
    Connection.objects.update(vendor="gone")
    assert administrator.get(url("change", connection)).status_code == 200
    assert administrator.get(url("changelist")).status_code == 200
    assert administrator.get(url("key", connection)).status_code == 302
    work.do_due(60)
    assert "knows no vendor" in text(administrator.get(url("changelist", model="pull")))


def test_a_day_is_read_again_on_demand(administrator, vendor):
    connection = connect()
    work.do_due(60)
    pull = connection.pulls.filter(endpoint="usage").first()
    assert "Read it again" in text(administrator.get(url("change", pull, "pull")))
    administrator.post(url("again", pull, "pull"))
    administrator.post(url("again", pull, "pull"))
    queued = Pull.objects.get(state="queued")
    assert (queued.day, queued.cause) == (pull.day, "person")
    assert Event.objects.filter(event_name="connection.pull_asked").count() == 1


def test_a_backfill_says_what_waits_for_an_endpoint_that_refuses(administrator, vendor):
    connection = connect()
    connection.pulls.all().delete()
    vendor.always["cost"] = VendorError("No scope.", status=403, refused=True)
    backfill = backfills.ask(connection, dt.date(2026, 1, 1), dt.date(2026, 1, 5), by="rosa")
    work.do_due(60)
    page = text(administrator.get(url("change", backfill, "backfill")))
    assert "4 of these days wait at endpoints that refuse the key" in page


@pytest.mark.parametrize("model", ["connection", "pull", "backfill", "reported"])
def test_lists_are_searched_and_downloaded(administrator, vendor, model):
    vendor.pages["cost", timezone.now().date() - dt.timedelta(days=3)] = [[["=workspace", "1.5"]]]
    backfills.ask(connect(), dt.date(2026, 1, 1), dt.date(2026, 1, 2), by="rosa")
    work.do_due(60)
    assert administrator.get(f"{url('changelist', model=model)}?q=2026").status_code == 200
    for form in ("csv", "ndjson"):
        response = administrator.get(f"{url('changelist', model=model)}download.{form}")
        assert response.status_code == 200
        assert b"\n" in b"".join(response.streaming_content)


@pytest.mark.parametrize(("body", "told"), [(b"", "was erased"), (b"forged", "its hash differs")])
def test_a_page_that_is_not_what_came_is_not_given_out(administrator, vendor, body, told):
    connect()
    work.do_due(60)
    page = Page.objects.first()
    Page.objects.filter(pk=page.pk).update(body=body)
    address = reverse("admin:connectors_pull_page", args=[page.pull_id, page.number])
    assert told in text(administrator.get(address, follow=True))
    assert not Event.objects.filter(event_name="connection.page_downloaded").exists()
