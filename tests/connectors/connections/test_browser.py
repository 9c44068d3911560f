"""Connections in Chromium: connect, wrong and revoked keys, a backfill with its progress."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import tasks
from connectors.models import Backfill, Connection, Page, Pull
from connectors.pulls import backfills, work
from connectors.vendors.shape import Organization, VendorError
from tests.connectors.canned import KEY, OTHER_KEY, WRONG_KIND, connect
from tests.connectors.people import person
from tests.connectors.test_browser import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def administrator():
    return person("Connector administrator")


@pytest.fixture(autouse=True)
def without_broker(monkeypatch):
    """Nobody is told of work; the tests do it when they want it done."""
    for task in (tasks.do_pulls, tasks.plan_pulls):
        monkeypatch.setattr(task, "apply_async", lambda *_, **__: None)


def url(page, row=None, model="connection"):
    return reverse(f"admin:connectors_{model}_{page}", args=[row.pk] if row else [])


@pytest.mark.parametrize("width", [1280, 390])
def test_it_connects_after_a_wrong_and_a_revoked_key(browser, vendor, administrator, width):
    visit = browser.open(url("changelist"), administrator, width=width)
    visit.page.wait_for_selector("text=Nothing is connected yet")
    visit.page.click("a.addlink")
    visit.assert_harmless()
    visit.page.click("a[href='?vendor=canned']")
    visit.page.fill("#id_name", "Claude, engineering")
    for key, told in ((WRONG_KIND, "This is a plain key"), (OTHER_KEY, "The vendor refuses this key")):
        visit.page.fill("#id_key", key)
        visit.page.press("#id_key", "Enter")
        visit.page.wait_for_selector(f".errorlist >> text={told}")
        assert visit.page.input_value("#id_key") == ""
        assert visit.page.input_value("#id_name") == "Claude, engineering"
        assert key not in visit.page.content()
        visit.assert_harmless()
    assert not Connection.objects.exists()
    visit.page.fill("#id_key", KEY)
    visit.page.click("input[name=_save]")
    visit.page.wait_for_selector("text=is connected")
    visit.page.wait_for_selector("text=What the key may read")
    visit.page.wait_for_selector("text=…KLMN")
    assert KEY not in visit.page.content()
    assert visit.unnamed == []
    visit.assert_harmless()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_revoked_key_is_seen_at_first_glance_and_mended(browser, vendor, administrator, width):
    connect()
    vendor.organizations.clear()
    work.do_due(60)
    visit = browser.open(reverse("admin:index"), administrator, width=width)
    visit.page.click("text=Connections that fail")
    visit.page.wait_for_selector("text=Failing")
    visit.page.click("text=Claude, engineering")
    visit.page.wait_for_selector(".note.bad >> text=is revoked")
    vendor.organizations[OTHER_KEY] = Organization("org-1", "Acme")
    visit.page.click("text=Change key")
    visit.page.fill("#id_key", OTHER_KEY)
    visit.page.click("input[name=_save]")
    visit.page.wait_for_selector("text=The new key is in use")
    assert not visit.page.is_visible(".note.bad")
    assert OTHER_KEY not in visit.page.content()
    visit.assert_harmless()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_backfill_shows_what_it_takes_and_how_far_it_is(browser, vendor, administrator, width):
    connection = connect()
    connection.pulls.all().delete()
    visit = browser.open(url("change", connection), administrator, width=width)
    visit.page.click(".object-tools >> text=Backfill")
    visit.page.fill("#id_first_day", "2026-01-01")
    visit.page.fill("#id_last_day", "2026-01-10")
    visit.page.click("text=Show what it takes")
    visit.page.wait_for_selector("text=Requests, about")
    visit.assert_harmless()
    visit.page.click("input[name=_start]")
    visit.page.wait_for_selector("text=0 of 20 days")
    assert visit.unnamed == []
    for _ in range(5):
        work.do(work.claims.claim())
    visit.page.wait_for_selector("text=5 of 20 days")
    assert visit.page.eval_on_selector("progress", "bar => bar.value / bar.max") == 0.25
    visit.assert_harmless()
    work.do_due(60)
    visit.page.wait_for_selector("text=20 of 20 days")
    visit.page.wait_for_selector(".page-head >> text=Done")
    visit.assert_harmless()


def test_without_script_a_link_looks_again_and_stop_stops(browser, vendor, administrator):
    connection = connect()
    connection.pulls.all().delete()
    asked = backfills.ask(connection, dt.date(2026, 1, 1), dt.date(2026, 1, 3), by="rosa")
    visit = browser.open(url("change", asked, "backfill"), administrator, script=False)
    work.do(work.claims.claim())
    visit.page.click("text=Look again")
    visit.page.wait_for_selector("text=1 of 6 days")
    visit.page.click("input[value=Stop]")
    visit.page.wait_for_selector(".page-head >> text=Stopped")
    assert Pull.objects.filter(state="stopped").count() == 5


def test_a_check_is_waited_for(browser, vendor, administrator):
    connection = connect()
    vendor.always["cost"] = VendorError("The key lacks the scope read:cost.", status=403, refused=True)
    visit = browser.open(url("change", connection), administrator)
    visit.page.click("text=Check again")
    visit.page.wait_for_selector("text=Every endpoint is asked again")
    tasks.do_pulls()
    visit.page.wait_for_selector("text=The key lacks the scope read:cost.")
    visit.page.wait_for_selector("text=Partly refused")
    visit.assert_harmless()


def test_deleting_takes_a_tick(browser, vendor, administrator):
    visit = browser.open(url("change", connect()), administrator)
    visit.page.click(".object-tools >> text=Delete")
    visit.page.click("input[name=_save]")
    visit.page.wait_for_selector("text=Confirm that you have read it")
    visit.page.check("#id_sure")
    visit.page.click("input[name=_save]")
    visit.page.wait_for_selector("text=is deleted")
    assert not Connection.objects.exists()


def test_hostile_text_stays_text_on_every_page(browser, vendor, administrator):
    vendor.organizations[KEY] = Organization(HOSTILE, HOSTILE)
    day = timezone.now().date() - dt.timedelta(days=3)
    vendor.pages["cost", day] = [[[HOSTILE, HOSTILE]]]
    vendor.errors["users"] = [VendorError(HOSTILE, status=403, refused=True)]
    connection = connect()
    vendor.errors["usage"] = [VendorError(HOSTILE, status=404, refused=True)]
    work.do_due(60)
    asked = backfills.ask(connection, day, day, by=HOSTILE, again=True)
    pull, reported = Pull.objects.get(state="failed"), connection.reports.get()
    Pull.objects.filter(pk=pull.pk).update(backfill=asked)
    assert Backfill.objects.count() == 1
    assert Page.objects.exists()
    Connection.objects.update(trouble=HOSTILE, trouble_at=timezone.now(), key_kind=HOSTILE, key_set_by=HOSTILE)
    pages = [url(page, connection) for page in ("change", "key", "rename", "delete", "backfill", "history")]
    pages += [url("changelist"), *(url("changelist", model=model) for model in ("pull", "backfill", "reported"))]
    pages += [url("change", pull, "pull"), url("change", asked, "backfill"), url("change", reported, "reported")]
    visit = browser.open(reverse("admin:index"), administrator, width=390)
    for page in pages:
        visit.go(page)
        assert visit.status == 200, page
        assert not visit.page.query_selector("img[src='x']"), page
        visit.assert_harmless()
