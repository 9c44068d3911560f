"""Workers that are killed, and several at once: every user-day once, totals as the vendor's."""

import datetime as dt
import random
import threading

import pytest
from django.db import connections
from django.db.models import Sum
from django.utils import timezone

from connectors.models import Page, Pull, UsageDay
from connectors.pulls import backfills, claims, work
from connectors.usage import store
from tests.connectors.canned import USAGE, connect

DAYS, PEOPLE, A_PAGE = 12, 40, 9


class Killed(BaseException):
    """As kill -9: nothing after it runs, and what was not committed is gone."""


@pytest.fixture
def asked(vendor):
    """A backfill of many days with several pages each; how many sessions the vendor counts."""
    vendor.endpoints = (USAGE,)
    made = connect()
    made.pulls.all().delete()
    today = timezone.now().date()
    total = 0
    for back in range(2, DAYS + 2):
        rows = [[f"person-{number}@acme.example", back * number + 1] for number in range(PEOPLE)]
        total += sum(count for _, count in rows)
        day = today - dt.timedelta(days=back)
        vendor.pages["usage", day] = [rows[start : start + A_PAGE] for start in range(0, PEOPLE, A_PAGE)]
    backfills.ask(made, today - dt.timedelta(days=DAYS + 1), today - dt.timedelta(days=2), by="rosa")
    return total


def assert_all_there(total):
    assert UsageDay.objects.count() == DAYS * PEOPLE
    assert UsageDay.objects.aggregate(total=Sum("sessions"))["total"] == total
    assert set(Pull.objects.values_list("state", "restated")) == {("done", 0)}
    pages = -(-PEOPLE // A_PAGE)
    assert Page.objects.count() == DAYS * pages
    assert Pull.objects.aggregate(rows=Sum("rows"))["rows"] == DAYS * PEOPLE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_ten_random_points_and_taken_up_again(asked, vendor, monkeypatch, seed):
    chance = random.Random(seed)
    left = 0

    def dying(function):
        def called(*arguments, **options):
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return function(*arguments, **options)

        return called

    places = ((vendor, "fetch"), (work.pages, "keep"), (work.folding, "fold"), (store.UsageDay.objects, "bulk_create"))
    for owner, name in (*places, (work.pages, "drop_if_same"), (work.health, "answered"), (work.claims, "change")):
        monkeypatch.setattr(owner, name, dying(getattr(owner, name)))
    for _ in range(10):
        left = chance.randrange(1, 40)
        with pytest.raises(Killed):
            work.do_due(60)
        Pull.objects.filter(state="running").update(lease_until=timezone.now())
    left = 0
    work.do_due(60)
    assert_all_there(asked)


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_do_each_pull_once(asked, vendor):
    fetched = []
    fetch = vendor.fetch
    vendor.fetch = lambda key, endpoint, day, cursor: (
        fetched.append((day, cursor)),
        fetch(key, endpoint, day, cursor),
    )[1]
    done, together = [], threading.Barrier(3)

    def worker():
        together.wait()
        try:
            done.append(work.do_due(60))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == DAYS
    assert len(fetched) == len(set(fetched))
    assert_all_there(asked)


@pytest.mark.django_db(transaction=True)
def test_a_pull_that_somebody_is_at_is_skipped_not_waited_for(asked):
    first = claims.claim()
    second = claims.claim()
    assert first.pk != second.pk


@pytest.mark.django_db(transaction=True)
def test_the_same_day_twice_is_one_unfinished_pull(asked):
    taken = Pull.objects.first()
    Pull.objects.bulk_create(
        [Pull(connection=taken.connection, endpoint=taken.endpoint, day=taken.day, cause="schedule")],
        ignore_conflicts=True,
    )
    assert Pull.objects.filter(endpoint=taken.endpoint, day=taken.day).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_renewed_while_a_vendor_takes_its_time(asked, vendor, settings, monkeypatch):
    settings.CONNECTORS_LEASE_SECONDS = 1
    renewed, renew, fetch = threading.Event(), claims.renew, vendor.fetch

    def told(pull):
        renew(pull)
        if threading.current_thread() is not threading.main_thread():
            renewed.set()

    def slow(key, endpoint, day, cursor):
        assert renewed.wait(10)
        return fetch(key, endpoint, day, cursor)

    monkeypatch.setattr(claims, "renew", told)
    monkeypatch.setattr(vendor, "fetch", slow)
    pull = claims.claim()
    work.do(pull)
    assert Pull.objects.get(pk=pull.pk).state == "done"
