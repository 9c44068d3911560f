"""Identities from all sources become people, in whatever order they come."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from connectors import tasks
from connectors.models import Identity, Membership, Person, Seat, Team, UsageDay
from connectors.people import changes, identities, join, seats
from connectors.vendors.shape import SeatRow
from tests.connectors.people.known import DAY, installation, joined, of, origin, person, subject, vendor

pytestmark = pytest.mark.django_db

VERA, DANA = "vera@acme.example", "dana@acme.example"
LATER = DAY + dt.timedelta(days=5)


def test_resolve_makes_each_name_once_and_notes_the_days():
    pairs = [("email", "Vera@ACME.example"), ("install_id", "x" * 900), ("email", VERA), ("api_key", "nul\0")]
    found = identities.resolve(pairs, basis="vendor", day=DAY)
    assert found[pairs[0]] == found[pairs[2]]
    assert found[pairs[0]].value == VERA
    assert len(found[pairs[1]].value) == 256
    identities.resolve(pairs, basis="telemetry", day=LATER)
    again = identities.resolve([("email", VERA)], basis="vendor", day=DAY - dt.timedelta(days=1))
    row = Identity.objects.get(kind="email")
    assert again[("email", VERA)] == row
    assert (row.basis, row.first_seen, row.last_seen) == ("vendor", DAY - dt.timedelta(days=1), LATER)
    assert Identity.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_resolve_at_the_same_time_makes_each_name_once_and_locks_nobody_out():
    names = [("email", f"{number:02}@acme.example") for number in range(40)]

    def at_once(turn):
        try:
            for part in (names, names[::-1], names[turn:] + names[:turn]):
                with transaction.atomic():
                    identities.resolve(part[:25], basis="telemetry", day=DAY + dt.timedelta(days=turn))
                    identities.resolve(part[10:], basis="telemetry", day=DAY - dt.timedelta(days=turn))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(at_once, range(6)))
    assert Identity.objects.count() == 40


def test_a_subject_with_an_address_joins_its_names_into_one_person():
    subject(VERA.upper(), "install-v", "uuid-v", "user_v")
    subject("", "install-v")
    subject("", "install-v2", "", "user_v")
    subject(DANA, "install-d")
    assert joined() == {
        frozenset({VERA, "install-v", "uuid-v", "user_v", "install-v2"}),
        frozenset({DANA, "install-d"}),
    }
    assert of("install-v").email == VERA
    assert Identity.objects.get(value=VERA).basis == "telemetry"


def test_an_account_or_installation_without_an_address_is_nobodys_until_one_comes():
    subject("", "install-b")
    subject("", "", "uuid-v", "user_v")
    assert all(len(names) == 1 for names in joined())
    subject(VERA, "", "uuid-v", first=LATER)
    subject("", "install-b", "", "user_v")
    assert joined() == {frozenset({VERA, "uuid-v", "user_v", "install-b"})}


def test_a_shared_machine_makes_nobody_the_other():
    subject(VERA, "kiosk", first=DAY, last=LATER)
    subject(DANA, "kiosk", first=DAY, last=LATER)
    assert joined() == {frozenset({VERA}), frozenset({DANA}), frozenset({"kiosk"})}
    assert Identity.objects.get(value="kiosk").basis == "shared"


def test_a_machine_that_is_handed_on_takes_its_usage_with_it_by_day():
    subject(VERA, "laptop")
    joined()
    row = Identity.objects.get(value="laptop")
    for day in (DAY, LATER):
        UsageDay.objects.create(day=day, identity=row, agent="claude_code")
    subject(DANA, "laptop", first=LATER)
    joined()
    assert of("laptop", DAY).email == VERA
    assert of("laptop", LATER).email == DANA
    assert {each.day: each.identity.person.email for each in UsageDay.objects.all()} == {DAY: VERA, LATER: DANA}
    # Vera is seen on it again: it is shared after all, and no row is lost.
    subject(VERA, "laptop", first=LATER, last=LATER)
    joined()
    assert [each.basis for each in Identity.objects.filter(value="laptop")] == ["shared"]
    assert UsageDay.objects.filter(identity__value="laptop").count() == 2


def test_a_known_subject_that_is_seen_later_is_looked_at_again():
    key = subject(VERA, "kiosk")
    subject(DANA, "kiosk", first=LATER)
    joined()
    assert of("kiosk", LATER).email == DANA
    assert join.all_due() == 0
    installation(key, first=LATER, token=2)
    assert join.all_due() == 1
    assert of("kiosk", LATER) is None


def test_the_portals_own_people_are_nobody_of_the_fleet():
    from audit import acts

    acts.record("token.issued", by="admin@acme.example")
    assert joined() == set()


def test_an_address_that_is_none_makes_no_person():
    subject("not an address", "install-v")
    joined()
    assert Person.objects.count() == 0


def row(email=VERA, external_id="user_v", **more):
    return SeatRow(external_id, email, **more)


def test_seats_are_replaced_and_who_is_no_longer_listed_is_gone():
    connection_ = vendor()
    listed = [row(name="Vera Planck", role="developer"), row("", "user_x"), row(DANA.upper(), "user_d")]
    seats.replace(connection_, listed)
    seats.replace(connection_, listed)
    assert Seat.objects.count() == 3
    assert Seat.objects.get(external_id="user_d").identity.value == DANA
    assert Seat.objects.get(external_id="user_x").identity.kind == "account_id"
    first = Seat.objects.get(external_id="user_v").first_listed
    seats.replace(connection_, listed[1:])
    gone = Seat.objects.get(external_id="user_v")
    assert gone.gone_at is not None
    assert gone.first_listed == first
    before = gone.gone_at
    seats.replace(connection_, listed[1:])
    gone.refresh_from_db()
    assert gone.gone_at == before
    seats.replace(connection_, listed)
    assert Seat.objects.filter(gone_at=None).count() == 3


def test_a_seat_says_whose_an_account_is_and_what_they_are_called():
    seats.replace(vendor(), [row(name="Vera Planck")])
    subject(DANA, "install-d", "", "user_v")  # a claim of Vera's account
    subject("", "install-v", "", "user_v")
    joined()
    assert of("user_v").email == VERA
    assert of("install-v").name == "Vera Planck"
    assert Identity.objects.get(value="user_v").basis == "vendor"
    assert of("install-d").email == DANA


def test_an_address_from_a_vendors_rows_is_a_person():
    identities.resolve([("email", VERA), ("api_key", "ci-key")], basis="vendor", day=DAY)
    assert joined() == {frozenset({VERA}), frozenset({"ci-key"})}
    assert of("ci-key") is None
    assert person(VERA)


def test_teams_are_read_from_claims_until_something_better_is_known():
    subject(VERA, "install-v", origin=origin("payments", "cc-7"))
    subject(VERA, "install-v", origin=origin("Search"), first=LATER)
    tasks.join_people()
    told = Membership.objects.order_by("first_day").values_list("team__name", "first_day", "last_day", "basis")
    assert list(told) == [
        ("payments", DAY, LATER - dt.timedelta(days=1), "telemetry"),
        ("Search", LATER, None, "telemetry"),
    ]
    assert Team.objects.get(name="payments").cost_center == "cc-7"
    ids = set(Membership.objects.values_list("pk", flat=True))
    tasks.join_people()
    assert set(Membership.objects.values_list("pk", flat=True)) == ids
    Membership.objects.create(person=person(VERA), team=Team.objects.create(name="platform"), basis="imported")
    tasks.join_people()
    assert [each.team.name for each in Membership.objects.all()] == ["platform"]


names = st.tuples(
    st.sampled_from(["", "a@x.example", "b@x.example", "c@x.example"]),
    st.sampled_from(["", "i1", "i2", "i3"]),
    st.sampled_from(["", "u1", "u2"]),
    st.sampled_from(["", "user_1", "user_2"]),
    st.integers(0, 3),
).filter(lambda told: any(told[:4]))


class TestAnyOrder(TestCase):
    @settings(max_examples=12)
    @given(st.lists(names, min_size=1, max_size=8, unique=True), st.randoms(), st.data())
    def test_the_same_facts_give_the_same_people_in_any_order(self, facts, random, data):
        def told(order, each_at_once):
            for email, install, uuid_, account, day in order:
                subject(email, install, uuid_, account, first=DAY + dt.timedelta(days=day))
                if each_at_once:
                    join.all_due()
            join.all_due()
            known = {each.pk: each.email for each in Person.objects.all()}
            found = {
                (row.kind, row.value, row.first_day, row.last_day, known.get(row.person_id))
                for row in Identity.objects.all()
            }
            return found

        with transaction.atomic():
            at_once = told(facts, each_at_once=False)
            transaction.set_rollback(True)
        shuffled = list(facts)
        random.shuffle(shuffled)
        assert told(shuffled, each_at_once=True) == at_once

    @settings(max_examples=8)
    @given(st.lists(names, min_size=2, max_size=6, unique=True), st.data())
    def test_what_people_decided_stays(self, facts, data):
        for email, install, uuid_, account, day in facts:
            subject(email, install, uuid_, account, first=DAY + dt.timedelta(days=day))
        join.all_due()
        row = data.draw(st.sampled_from(list(Identity.objects.order_by("kind", "value", "first_day"))))
        mine = Person.objects.create(name="by hand")
        changes.give([(row.kind, row.value)], mine, by="rosa", reason="they told me")
        for email, install, uuid_, account, _ in facts:
            subject(email, install, uuid_, account, first=LATER)
        join.all_due()
        assert {each.person for each in Identity.objects.filter(kind=row.kind, value=row.value)} == {mine}
