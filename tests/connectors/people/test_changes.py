"""What people decide by hand: mapped, merged, split, undone."""

import datetime as dt

import pytest

from connectors.models import Identity, Membership, Person, PersonChange, Team, UsageDay
from connectors.people import changes, join, seats
from connectors.people.changes import Refused
from connectors.vendors.shape import SeatRow
from tests.connectors.people.known import DAY, joined, of, person, subject, vendor, who
from tests.factories import acts

pytestmark = pytest.mark.django_db

VERA, DANA, OLD = "vera@acme.example", "dana@acme.example", "v.planck@old.example"
LATER = DAY + dt.timedelta(days=5)
WHY = {"by": "rosa", "reason": "they told me"}


@pytest.fixture(autouse=True)
def _known():
    subject(VERA, "install-v", "uuid-v")
    subject(DANA, "install-d")
    subject(OLD, "install-o")
    joined()


def test_a_name_is_mapped_and_set_aside():
    subject("", "install-x")
    joined()
    changes.give([("install_id", "install-x")], person(VERA), **WHY)
    assert of("install-x").email == VERA
    changes.give([("email", OLD)], None, **WHY)
    join.settle([("install_id", "install-o"), ("email", OLD)])
    assert of(OLD) is None
    assert of("install-o") is None
    told = acts("person.mapped", "person.unmapped")
    assert [act["reason"] for act in told] == ["they told me"] * 2
    assert all(VERA not in str(act.get(name)) for act in told for name in act if name not in ("person", "names"))


def test_a_name_goes_to_somebody_from_a_day_on_and_its_usage_with_it():
    row = Identity.objects.get(value="install-v")
    for day in (DAY, LATER):
        UsageDay.objects.create(day=day, identity=row, agent="claude_code")
    changes.give([("install_id", "install-v")], person(DANA), from_day=LATER, **WHY)
    assert of("install-v", DAY).email == VERA
    assert of("install-v", LATER).email == DANA
    assert {each.day: each.identity.person.email for each in UsageDay.objects.all()} == {DAY: VERA, LATER: DANA}
    subject(VERA, "install-v", first=LATER)
    joined()
    assert of("install-v", LATER).email == DANA


def test_two_people_are_merged_for_good_and_apart_again():
    before = who()
    source, target = person(OLD), person(VERA)
    Membership.objects.create(person=source, team=Team.objects.create(name="payments"), basis="imported")
    change = changes.merge(source, target, **WHY)
    assert who() == {frozenset({VERA, "install-v", "uuid-v", OLD, "install-o"}), frozenset({DANA, "install-d"})}
    subject(OLD, "install-new")
    joined()
    assert of("install-new") == target
    assert target.memberships.get().team.name == "payments"
    source.refresh_from_db()
    assert source.merged_into == target

    changes.undo(PersonChange.objects.get(pk=change.pk), by="rosa")
    joined()
    assert who() == (before - {frozenset({OLD, "install-o"})}) | {frozenset({OLD, "install-o", "install-new"})}
    assert of("install-new") == source
    assert source.memberships.count() == 1
    with pytest.raises(Refused, match="undone already"):
        changes.undo(PersonChange.objects.get(pk=change.pk), by="rosa")
    assert [act["name"] for act in acts("person.merged", "person.merged_undone")] == [
        "person.merged",
        "person.merged_undone",
    ]


def test_a_name_taken_from_somebody_goes_back_with_them():
    seats.replace(vendor(), [SeatRow("user_1", OLD, "Olga Old")])
    joined()
    source, target = person(OLD), person(VERA)
    assert (source.name, target.name) == ("Olga Old", "")
    change = changes.merge(source, target, **WHY)
    joined()
    assert person(VERA).name == "Olga Old"
    changes.undo(PersonChange.objects.get(pk=change.pk), by="rosa")
    joined()
    assert (person(OLD).name, person(VERA).name) == ("Olga Old", "")


def test_who_is_split_stays_apart():
    changes.merge(person(OLD), person(VERA), **WHY)
    target = person(VERA)
    rows = list(Identity.objects.filter(value__in=[OLD, "install-o"]))
    made = changes.split(target, rows, **WHY)
    assert of(OLD) == made
    assert made.email == OLD
    subject(VERA, "install-o")  # used by Vera, too
    joined()
    assert of("install-o") == made
    assert of("install-v") == target
    change = PersonChange.objects.get(act="split")
    changes.undo(change, by="rosa")
    assert of(OLD) == target
    assert not Person.objects.filter(pk=made.pk).exists()


def test_who_was_split_off_and_has_a_history_points_back():
    target = person(VERA)
    made = changes.split(target, [Identity.objects.get(value="install-v")], **WHY)
    changes.rename(made, name="Vera's machine", email="", by="rosa")
    changes.undo(PersonChange.objects.get(act="split"), by="rosa")
    made.refresh_from_db()
    assert made.merged_into == target
    assert changes.was_taken_back(made)


def test_who_was_split_off_and_has_names_since_stays_who_they_are():
    target = person(VERA)
    made = changes.split(target, [Identity.objects.get(value="install-v")], **WHY)
    changes.give([("email", OLD)], made, **WHY)
    changes.undo(PersonChange.objects.get(act="split"), by="rosa")
    assert of("install-v") == target
    assert of(OLD) == made
    assert of(OLD).merged_into is None


def test_an_old_change_is_not_undone_over_a_newer_one():
    change = changes.merge(person(OLD), person(VERA), **WHY)
    changes.give([("email", OLD)], person(DANA), **WHY)
    with pytest.raises(Refused, match="moved again since"):
        changes.undo(change, by="rosa")
    assert of(OLD).email == DANA


def test_what_makes_no_sense_is_refused_in_words():
    target = person(VERA)
    with pytest.raises(Refused, match="same person"):
        changes.merge(target, target, **WHY)
    with pytest.raises(Refused, match="Choose"):
        changes.split(target, [Identity.objects.get(value=DANA)], **WHY)
    with pytest.raises(Refused, match="leave nothing"):
        changes.split(target, list(target.identities.all()), **WHY)
    changes.merge(person(OLD), target, **WHY)
    with pytest.raises(Refused, match="merged into somebody"):
        changes.merge(Person.objects.get(email=OLD), target, **WHY)


def test_a_shared_machine_of_two_who_turn_out_to_be_one_is_theirs():
    subject(VERA, "kiosk", last=LATER)
    subject(OLD, "kiosk", last=LATER)
    joined()
    assert of("kiosk") is None
    change = changes.merge(person(OLD), person(VERA), **WHY)
    assert of("kiosk").email == VERA
    changes.undo(change, by="rosa")
    assert of("kiosk") is None


def test_a_seat_follows_its_address():
    seats.replace(vendor(), [SeatRow("user_o", OLD, name="V. Planck")])
    joined()
    assert of("user_o").email == OLD
    changes.give([("email", OLD)], person(VERA), **WHY)
    assert of("user_o").email == VERA


def test_a_person_is_renamed_with_an_act_that_names_them_in_content_only():
    changes.rename(person(VERA), name="Vera Planck", email=VERA, by="rosa")
    changes.rename(person(VERA), name="Vera Planck", email=VERA, by="rosa")
    assert str(person(VERA)) == "Vera Planck"
    (act,) = acts("person.renamed")
    assert act["person"] == f"Vera Planck {VERA}"
    assert PersonChange.objects.get().detail == {}
