"""Pulls from claim to rows, against a vendor that answers as told."""

import datetime as dt
import hashlib
import logging

import pytest
from django.db import connection as database
from django.utils import timezone
from psycopg import sql

from connectors import tasks
from connectors.connections import health, lifecycle, rechecks
from connectors.models import Capability, Connection, Page, Pull, Reported, Seat, UsageDay
from connectors.pulls import claims, pages, planning, work
from connectors.vendors.shape import VendorError
from tests.connectors.canned import KEY, OTHER_KEY, Organization, connect

pytestmark = pytest.mark.django_db
State = Pull.State


def yesterday(back: int = 1) -> dt.date:
    return timezone.now().date() - dt.timedelta(days=back)


@pytest.fixture
def connection(vendor) -> Connection:
    """Connected, with nothing queued."""
    made = connect()
    made.pulls.all().delete()
    vendor.asked.clear()
    return made


def queue(connection: Connection, endpoint: str = "usage", day: dt.date | None = None, **values: object) -> Pull:
    day = day or (None if endpoint == "users" else yesterday(3))
    return Pull.objects.create(connection=connection, endpoint=endpoint, day=day, cause="schedule", **values)


def usage() -> dict[str, int]:
    return dict(UsageDay.objects.values_list("identity__value", "sessions"))


def test_all_pages_become_rows(connection, vendor):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 3]], [["kim@acme.example", 5]], []]
    assert work.do_due(60) == 1
    pull.refresh_from_db()
    assert (pull.state, pull.rows, pull.restated, pull.pages_taken, pull.attempts) == (State.DONE, 2, 0, 3, 1)
    assert usage() == {"dana@acme.example": 3, "kim@acme.example": 5}
    assert [cursor for _, _, cursor in vendor.asked] == ["", "1", "2"]


def test_pages_are_kept_as_they_came_with_their_hash(connection, vendor):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 3]]]
    work.do_due(60)
    page = Page.objects.get(pull=pull)
    assert pages.opened(page) == b'[["dana@acme.example", 3]]'
    assert bytes(page.sha256) == hashlib.sha256(b'[["dana@acme.example", 3]]').digest()


def test_a_list_and_reported_figures_are_folded_too(connection, vendor):
    queue(connection, "users")
    cost = queue(connection, "cost")
    vendor.pages["users", None] = [["dana"], ["kim"]]
    vendor.pages["cost", cost.day] = [[["workspace 1", "1.25"]]]
    assert work.do_due(60) == 2
    assert set(Seat.objects.values_list("external_id", flat=True)) == {"dana", "kim"}
    assert Reported.objects.get().data == {"amount": "1.25"}


def test_a_restated_day_is_counted_and_replaced(connection, vendor):
    day = queue(connection).day
    vendor.pages["usage", day] = [[["dana@acme.example", 3], ["kim@acme.example", 5]]]
    work.do_due(60)
    vendor.pages["usage", day] = [[["dana@acme.example", 4], ["lee@acme.example", 1]]]
    again = queue(connection, day=day)
    work.do_due(60)
    again.refresh_from_db()
    assert (again.rows, again.restated) == (2, 3)
    assert usage() == {"dana@acme.example": 4, "lee@acme.example": 1}
    assert Page.objects.count() == 2  # both are known, as on their dates


def test_what_was_said_before_byte_for_byte_is_kept_once(connection, vendor):
    day = queue(connection).day
    vendor.pages["usage", day] = [[["dana@acme.example", 3]]]
    work.do_due(60)
    again = queue(connection, day=day)
    work.do_due(60)
    again.refresh_from_db()
    assert (again.state, again.rows, again.restated) == (State.DONE, 1, 0)
    assert not Page.objects.filter(pull=again).exists()
    assert Page.objects.count() == 1


def test_a_day_that_became_empty_has_no_rows_left(connection, vendor):
    day = queue(connection).day
    vendor.pages["usage", day] = [[["dana@acme.example", 3]]]
    work.do_due(60)
    vendor.pages["usage", day] = [[]]
    again = queue(connection, day=day)
    work.do_due(60)
    again.refresh_from_db()
    assert (again.restated, usage()) == (1, {})


def test_it_goes_on_at_the_page_where_a_killed_worker_was(connection, vendor, monkeypatch):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 1]], [["kim@acme.example", 2]], [["lee@acme.example", 3]]]

    class Killed(BaseException):
        pass

    vendor.errors["usage"] = []
    fetch = vendor.fetch

    def dies_at_the_second(key, endpoint, day, cursor):
        if cursor == "1":
            raise Killed
        return fetch(key, endpoint, day, cursor)

    with monkeypatch.context() as patched:
        patched.setattr(vendor, "fetch", dies_at_the_second)
        with pytest.raises(Killed):
            work.do_due(60)
    assert claims.claim() is None  # its lease holds
    Pull.objects.update(lease_until=timezone.now())
    vendor.asked.clear()
    work.do_due(60)
    pull.refresh_from_db()
    assert [cursor for _, _, cursor in vendor.asked] == ["1", "2"]
    assert (pull.state, pull.rows, pull.attempts) == (State.DONE, 3, 2)
    assert len(usage()) == 3


def test_killed_between_the_last_page_and_the_rows_nothing_is_asked_again(connection, vendor, monkeypatch):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 1]]]

    class Killed(BaseException):
        pass

    def dies(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("connectors.pulls.folding.fold", dies)
        with pytest.raises(Killed):
            work.do_due(60)
    Pull.objects.update(lease_until=timezone.now())
    vendor.asked.clear()
    work.do_due(60)
    assert vendor.asked == []
    assert usage() == {"dana@acme.example": 1}


def test_a_worker_that_was_away_too_long_changes_nothing(connection, vendor):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 1]]]
    away = claims.claim()
    Pull.objects.update(lease_until=timezone.now())
    work.do_due(60)
    Pull.objects.update(finished_at=None)
    work.do(away)
    pull.refresh_from_db()
    assert (pull.state, pull.finished_at) == (State.DONE, None)
    assert Page.objects.count() == 1


def test_of_two_workers_that_both_think_it_theirs_only_the_later_writes(connection, vendor):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 1]], [["kim@acme.example", 2]]]
    away = claims.claim()
    Pull.objects.update(lease_until=timezone.now())
    now_at_it = claims.claim()
    work.do(away)
    assert vendor.asked == []
    assert not Page.objects.exists()
    pull.refresh_from_db()
    assert (pull.state, pull.claimed_by) == (State.RUNNING, now_at_it.claimed_by)
    work.do(now_at_it)
    assert len(usage()) == 2


def test_it_leaves_off_between_pages_when_the_time_is_over(connection, vendor):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 1]], [["kim@acme.example", 2]]]
    answers = iter([False, True])
    work.do(claims.claim(), lambda: next(answers))
    pull.refresh_from_db()
    assert (pull.state, pull.pages_taken, pull.cursor, pull.claimed_by) == (State.QUEUED, 1, "1", "")
    work.do_due(60)
    assert len(usage()) == 2


def test_an_expired_cursor_begins_with_the_first_page(connection, vendor):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 1]], [["kim@acme.example", 2]]]
    expired = VendorError("The cursor has expired.", status=410, restart=True)
    fetch, left = vendor.fetch, [expired]

    def expires(key, endpoint, day, cursor):
        if cursor == "1" and left:
            raise left.pop()
        return fetch(key, endpoint, day, cursor)

    vendor.fetch = expires
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, pull.rows, pull.restarts, Page.objects.count()) == (State.DONE, 2, 1, 2)
    assert [cursor for _, _, cursor in vendor.asked] == ["", "", "1"]


def test_an_endpoint_whose_cursors_always_expire_is_given_up(connection, vendor):
    pull = queue(connection)
    vendor.always["usage"] = VendorError("The cursor has expired.", status=410, restart=True)
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, pull.status) == (State.FAILED, 410)


def test_it_waits_as_long_as_the_vendor_asks(connection, vendor):
    pull = queue(connection)
    vendor.errors["usage"] = [VendorError("Too many requests.", status=429, retry_after=90)]
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, pull.failures, pull.status, pull.error) == (State.QUEUED, 0, 429, "Too many requests.")
    assert 80 < (pull.not_before - timezone.now()).total_seconds() <= 90
    assert claims.claim() is None


def test_it_backs_off_from_a_vendor_in_distress_and_goes_on(connection, vendor):
    pull = queue(connection)
    vendor.errors["usage"] = [VendorError("Overloaded.", status=529)]
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, pull.failures) == (State.QUEUED, 1)
    assert pull.not_before > timezone.now()
    Pull.objects.update(not_before=timezone.now())
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, pull.failures, pull.error, pull.status) == (State.DONE, 0, "", None)


def test_it_gives_up_after_many_failures_and_says_so_at_the_connection(connection, vendor):
    pull = queue(connection, failures=9)
    vendor.errors["usage"] = [VendorError("The vendor cannot be reached.")]
    work.do_due(60)
    pull.refresh_from_db()
    assert pull.state == State.FAILED
    found = health.of(Connection.objects.get(), timezone.now())
    assert (found.state, list(found.told)) == ("failing", ["Usage by person: The vendor cannot be reached."])
    assert Connection.objects.filter(health.in_state("failing")).exists()


def test_a_refused_key_is_asked_once_and_the_rest_waits(connection, vendor):
    for back in range(3, 9):
        queue(connection, day=yesterday(back))
    vendor.organizations.clear()
    assert work.do_due(60) == 1
    assert sorted(Pull.objects.values_list("state", flat=True)) == ["failed", *["queued"] * 5]
    connection.refresh_from_db()
    assert connection.trouble == "The key [key] is revoked."
    assert health.of(connection, timezone.now()).state == "failing"
    Connection.objects.update(trouble_at=timezone.now() - dt.timedelta(days=2))
    assert work.do_due(60) == 1  # once a day
    vendor.organizations[KEY] = None
    Connection.objects.update(trouble_at=timezone.now() - dt.timedelta(days=2))
    assert work.do_due(60) == 4
    connection.refresh_from_db()
    assert (connection.trouble, connection.trouble_at) == ("", None)


def test_an_endpoint_that_refuses_keeps_nothing_else_waiting(connection, vendor):
    queue(connection, "cost")
    queue(connection, "cost", yesterday(4))
    queue(connection, "usage")
    vendor.always["cost"] = VendorError("The key lacks the scope read:cost.", status=403, refused=True)
    work.do_due(60)
    assert [endpoint for endpoint, _, _ in vendor.asked] == ["cost", "usage"]
    capability = Capability.objects.get(endpoint="cost")
    assert (capability.allowed, capability.status, capability.told) == (
        False,
        403,
        "The key lacks the scope read:cost.",
    )
    assert health.of(Connection.objects.get(), timezone.now()).state == "failing"
    Pull.objects.filter(endpoint="cost").delete()
    planning.plan(timezone.now())
    assert not Pull.objects.filter(endpoint="cost").exists()


def test_a_day_that_is_not_there_yet_waits(connection, vendor):
    pull = queue(connection, day=yesterday(1))
    vendor.errors["usage"] = [VendorError("The newest day is the one before.", status=400, refused=True)]
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, pull.failures) == (State.QUEUED, 0)
    assert pull.not_before > timezone.now() + dt.timedelta(hours=2)


def test_an_answer_that_cannot_be_understood_fails_and_changes_no_row(connection, vendor):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 1]]]
    work.do_due(60)
    again = queue(connection, day=pull.day)
    vendor.unreadable = True
    work.do_due(60)
    again.refresh_from_db()
    assert (again.state, again.error) == (State.FAILED, "The answer has a shape that is not known.")
    assert usage() == {"dana@acme.example": 1}


def test_what_nobody_expected_tells_only_its_kind(connection, vendor, caplog):
    pull = queue(connection)
    vendor.errors["usage"] = [ValueError(f"Header value must be str or bytes: {KEY}")]
    with caplog.at_level(logging.DEBUG):
        work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, "ValueError" in pull.error) == (State.QUEUED, True)
    assert KEY not in pull.error + caplog.text


def test_pages_without_end_fail(connection, vendor):
    pull = queue(connection)
    fetch = vendor.fetch
    vendor.pages["usage", pull.day] = [[], []]

    def same_again(key, endpoint, day, cursor):
        return fetch(key, endpoint, day, "0") if cursor else fetch(key, endpoint, day, "")

    vendor.fetch = same_again
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, pull.pages_taken) == (State.FAILED, 1)


def test_a_page_that_was_changed_in_the_database_is_fetched_again(connection, vendor):
    pull = queue(connection)
    vendor.pages["usage", pull.day] = [[["dana@acme.example", 1]], []]
    answers = iter([False, True])
    work.do(claims.claim(), lambda: next(answers))
    Page.objects.update(body=b"not what came")
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, usage()) == (State.DONE, {"dana@acme.example": 1})


def test_nothing_is_pulled_of_a_paused_connection(connection, vendor):
    pull = queue(connection)
    claimed = claims.claim()
    lifecycle.pause(connection, by="rosa")
    work.do(claimed)
    assert vendor.asked == []
    assert claims.claim() is None
    assert planning.plan(timezone.now()) == 0
    lifecycle.resume(connection, by="rosa")
    work.do_due(60)
    pull.refresh_from_db()
    assert pull.state == State.DONE


def test_planning_twice_queues_once(connection):
    now = timezone.now()
    first = planning.plan(now)
    assert first == Pull.objects.count() > 10
    assert planning.plan(now) == 0
    work.do_due(60)
    assert planning.plan(timezone.now()) == 0


def test_scheduled_days_go_before_a_backfill(connection):
    queue(connection, day=yesterday(9))
    Pull.objects.update(cause="backfill")
    scheduled = queue(connection)
    assert claims.claim().pk == scheduled.pk


def test_old_pages_that_others_superseded_are_forgotten(connection, vendor, settings):
    settings.CONNECTORS_KEEP_PAGES_DAYS = 30
    day = queue(connection).day
    for number in range(3):
        vendor.pages["usage", day] = [[["dana@acme.example", number]]]
        if number:
            queue(connection, day=day)
        work.do_due(60)
    first, second, third = Pull.objects.order_by("pk")
    now = timezone.now()
    Pull.objects.filter(pk__in=[first.pk, second.pk]).update(finished_at=now - dt.timedelta(days=31))
    assert pages.forget_old(now) == 1
    assert set(Page.objects.values_list("pull", flat=True)) == {second.pk, third.pk}


def test_a_list_has_a_year_of_old_pages_forgotten_too(connection, vendor, settings):
    settings.CONNECTORS_KEEP_PAGES_DAYS = 30
    for names in (["dana"], ["dana", "kim"]):
        vendor.pages["users", None] = [names]
        queue(connection, "users")
        work.do_due(60)
    Pull.objects.update(finished_at=timezone.now() - dt.timedelta(days=31))
    assert pages.forget_old(timezone.now()) == 1
    assert Page.objects.count() == 1


def test_a_key_of_another_row_opens_nothing_and_the_connection_says_so(vendor):
    vendor.organizations[OTHER_KEY] = Organization("org-2", "Other")
    one, two = connect(), connect("Other", OTHER_KEY)
    one.secret, two.secret = two.secret, one.secret
    one.save(update_fields=["secret"])
    two.save(update_fields=["secret"])
    vendor.asked.clear()
    work.do_due(60)
    assert vendor.asked == []
    for connection in Connection.objects.all():
        assert health.of(connection, timezone.now()).state == "failing"
        assert "does not open" in connection.trouble


@pytest.mark.parametrize("bit", [3, 12, 100, 200, -1])
def test_one_flipped_bit_opens_nothing(connection, vendor, bit):
    sealed = bytearray(connection.secret)
    sealed[bit // 8 if bit >= 0 else -1] ^= 1
    Connection.objects.update(secret=bytes(sealed))
    pull = queue(connection)
    work.do_due(60)
    pull.refresh_from_db()
    assert (pull.state, vendor.asked) == (State.FAILED, [])
    assert Connection.objects.get().trouble == pull.error != ""


def everything_in(cursor) -> str:
    """Every row of every table as text; what is bytes, in hexadecimal digits."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition"
    )
    found = []
    for (name,) in cursor.fetchall():
        cursor.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(name)).as_string(None))
        found += [row for (row,) in cursor.fetchall()]
    return "\n".join(found)


def test_the_key_is_nowhere_but_sealed(vendor, caplog):
    with caplog.at_level(logging.DEBUG):
        made = connect()
        vendor.errors["usage"] = [
            VendorError(f"{KEY} may not.", status=500),
            VendorError(f"{KEY} may not.", status=404, refused=True),
            ValueError(KEY),
        ]
        work.do_due(60)
        vendor.organizations.clear()
        Pull.objects.update(state="queued", not_before=timezone.now(), claimed_by="", lease_until=None)
        work.do_due(60)
        lifecycle.ask_check(made, by="rosa")
        rechecks.do_asked()
        lifecycle.pause(made, by="rosa")
    assert Connection.objects.get().trouble
    with database.cursor() as cursor:
        everything = everything_in(cursor)
    assert "[key] may not." in everything
    assert b"connection.connected".hex() in everything or "connection.connected" in everything
    for kept in (everything, caplog.text):
        assert KEY not in kept
        assert KEY.encode().hex() not in kept
        assert KEY[:-4] not in kept


@pytest.mark.parametrize("who", ["dana\0@acme.example", "dana\ud800@acme.example"])
def test_names_that_postgresql_does_not_take_keep_nothing_out(connection, vendor, who):
    usage, cost = queue(connection), queue(connection, "cost")
    vendor.pages["usage", usage.day] = [[[who, 1]]]
    vendor.pages["cost", cost.day] = [[[who, {"name": [who]}]]]
    work.do_due(60)
    assert set(Pull.objects.values_list("state", "rows")) == {(State.DONE, 1)}


def test_figures_that_cannot_be_stored_fail_the_day_and_no_other(connection, vendor):
    bad, good = queue(connection), queue(connection, day=yesterday(4))
    vendor.pages["usage", bad.day] = [[["dana@acme.example", 10**30]]]
    vendor.pages["usage", good.day] = [[["kim@acme.example", 1]]]
    work.do_due(60)
    bad.refresh_from_db()
    good.refresh_from_db()
    assert good.state == State.DONE
    assert bad.state == State.FAILED
    assert "cannot be stored" in bad.error


def test_a_vendors_words_are_stored_whatever_is_in_them(connection, vendor):
    pull = queue(connection)
    vendor.errors["usage"] = [VendorError(f"\0\ud800 {KEY} " + "x" * 5000, status=404)]
    work.do_due(60)
    pull.refresh_from_db()
    assert pull.state == State.FAILED
    assert pull.error.startswith("\ufffd? [key] xxx")
    assert len(pull.error) < 1100


def test_the_tasks_plan_and_do_without_being_told_anything(connection, vendor):
    tasks.plan_pulls()
    assert Pull.objects.count() > 10
    tasks.do_pulls()
    assert set(Pull.objects.values_list("state", flat=True)) == {State.DONE}
