"""A list of people is read with its faults by line, shown before it is applied, and applied once."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.models import Identity, Membership, Person, PersonChange, Team
from connectors.people import changes, importing, listing, mapping, memberships
from connectors.people.listing import BadLine
from connectors.tokens.spelling import generate
from tests.connectors.people.known import DAY, joined, of, origin, person, subject
from tests.factories import acts

UUID = "11111111-1111-4111-8111-111111111111"
VERA, DANA = "vera@acme.example", "dana@acme.example"
NAMES = f"v.planck@old.example;vp@acme.example,Vera <vera@home.example>,user_v;{UUID}"
LIST = f"""E-mail,Name,Aliases,Git identities,Account ids,Team,Cost centre,From,To
{VERA.upper()},Vera Planck,{NAMES},Payments,CC-7,2026-01-01,2026-06-30
{VERA},,,,,Search,CC-8,2026-07-01,
{DANA},"Doe, Dana",,,,Payments,,,
"""


def faults(text):
    return [(fault.line, fault.told) for fault in mapping.read(text).faults]


def test_it_reads_what_spreadsheets_write():
    (_, first), (_, second), (_, third) = mapping.read(LIST).rows
    assert first.email == VERA
    assert dict(zip(("email", "email2", "git", "account_id", "account_uuid"), first.names, strict=True)) == {
        "email": ("email", "v.planck@old.example"),
        "email2": ("email", "vp@acme.example"),
        "git": ("git", "vera <vera@home.example>"),
        "account_id": ("account_id", "user_v"),
        "account_uuid": ("account_uuid", UUID),
    }
    assert (first.first, first.last, second.last) == (dt.date(2026, 1, 1), dt.date(2026, 6, 30), None)
    assert third.name == "Doe, Dana"
    semicolons = f'email;name;aliases\n{VERA};Vera;"a@x.example|b@x.example"\n'
    assert len(mapping.read(semicolons).rows[0][1].names) == 2
    assert mapping.read("email\tteam\n" + f"{VERA}\tPayments\n").rows[0][1].team == "Payments"


def test_a_line_with_a_secret_is_a_fault():
    (fault,) = faults(f"email,name,note\n{VERA},Vera {generate('ingest')},\n")
    assert fault == (2, "A token or key stands in “name”. Leave it out: names are kept, and shown to others.")


def test_files_are_text_in_any_of_the_usual_encodings():
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert listing.decoded("email,name\nj@x.example,Jörg".encode(encoding)).endswith("Jörg")
    with pytest.raises(BadLine, match="larger than 1024 KiB"):
        listing.decoded(b"x" * (1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "empty"),
        ("name,team\nVera,Payments\n", 1, "no column “email”"),
        ("email\n", 1, "no lines"),
        ("email\nvera\n", 2, "“vera” is no e-mail address"),
        ("email,name\n,Vera\n", 2, "missing"),
        (f"email,aliases\n{VERA},vera\n", 2, "alias “vera”"),
        (f"email,team,from\n{VERA},P,1.2.2026\n", 2, "2026-11-29"),
        (f"email,team,from,to\n{VERA},P,2026-02-01,2026-01-01\n", 2, "before it begins"),
        (f"email,from\n{VERA},2026-02-01\n", 2, "no team"),
        (f"email,team\n{VERA},P\n{VERA},Q\n", 3, "overlaps with that in “P” of line 2"),
        (f"email,aliases\n{VERA},a@x.example\n{DANA},a@x.example\n", 3, f"is {VERA}’s already, by line 2"),
        (f"email,name\n{VERA},Planck, Vera\n", 2, "more cells than columns"),
        (f"email,team\n{VERA},{'x' * 81}\n", 2, "at most 80"),
    ],
)
def test_what_is_wrong_is_said_by_line_in_words(text, line, told):
    ((found, words),) = faults(text)
    assert found == line
    assert told in words


@given(st.text(max_size=400) | st.binary(max_size=400))
def test_no_file_breaks_it(data):
    text = listing.decoded(data) if isinstance(data, bytes) else data
    listed = mapping.read(text)
    assert listed.rows or listed.faults
    mapping.read("email,aliases,git,team,from\n" + text)


@given(st.lists(st.lists(st.text(alphabet='a@x.e"\n;,=\x00é', max_size=12), max_size=9), max_size=6))
def test_no_line_breaks_it(lines):
    text = "\n".join(",".join(cells) for cells in lines)
    listed = mapping.read(f"email,name,aliases,git,accounts,team,cost center,from,to\n{text}")
    for line, entry in listed.rows:
        assert line > 1
        assert "@" in entry.email


db = pytest.mark.django_db


def rows(text=LIST):
    listed = mapping.read(text)
    assert not listed.faults
    return listed.rows


def apply(text=LIST):
    return importing.apply(rows(text), by="rosa", text=text)


@db
def test_the_preview_changes_nothing_and_the_import_does_what_it_showed():
    subject(VERA, "install-v")
    subject("vp@acme.example", "install-2")
    joined()
    shown = importing.preview(rows())
    assert not Membership.objects.exists()
    assert Person.objects.count() == 2
    done = apply()
    assert (done.told, done.changes) == (shown.told, shown.changes)
    vera = person(VERA)
    assert vera.name == "Vera Planck"
    assert of("vp@acme.example") == of("user_v") == of("vera <vera@home.example>") == of("install-2") == vera
    assert Person.objects.get(email="vp@acme.example").merged_into == vera
    told = vera.memberships.order_by("first_day").values_list("team__name", "first_day", "last_day", "basis")
    assert list(told) == [
        ("Payments", dt.date(2026, 1, 1), dt.date(2026, 6, 30), "imported"),
        ("Search", dt.date(2026, 7, 1), None, "imported"),
    ]
    assert Team.objects.get(name="Search").cost_center == "CC-8"
    assert person(DANA).name == "Doe, Dana"
    (act,) = acts("people.imported")
    assert act["people.changed"] == 2
    assert VERA not in str(act)
    assert PersonChange.objects.filter(act="imported").count() == 2


@db
def test_the_same_list_again_changes_nothing():
    apply()
    before = [list(model.objects.order_by("pk").values()) for model in (Person, Identity, Membership, Team)]
    again = apply()
    assert (again.changes, again.kept) == (0, [])
    joined()
    assert [list(model.objects.order_by("pk").values()) for model in (Person, Identity, Membership, Team)] == before
    assert len(acts("people.imported")) == 1


@db
def test_another_list_replaces_the_times_in_teams_of_whom_it_places():
    apply()
    apply(f"email,team\n{VERA},Platform\n")
    assert [each.team.name for each in person(VERA).memberships.all()] == ["Platform"]
    assert [each.team.name for each in person(DANA).memberships.all()] == ["Payments"]


@db
def test_what_was_decided_by_hand_is_kept_and_told():
    subject(DANA, "install-d")
    joined()
    mine = person(DANA)
    changes.give([("email", "vp@acme.example")], mine, by="rosa", reason="I know")
    changes.rename(mine, name="Dana!", email=DANA, by="rosa")
    Membership.objects.create(person=mine, team=Team.objects.create(name="Board"), basis="manual")
    done = apply()
    assert of("vp@acme.example") == mine
    mine.refresh_from_db()
    assert mine.name == "Dana!"
    assert [each.team.name for each in mine.memberships.all()] == ["Board"]
    assert [line for line, _ in done.kept] == [4, 2, 4]


@db
def test_an_imported_time_goes_before_a_claim():
    subject(VERA, origin=origin("claimed"), first=DAY)
    joined()
    memberships.refresh_claims()
    assert person(VERA).memberships.get().team.name == "claimed"
    apply()
    memberships.refresh_claims()
    assert {each.team.name for each in person(VERA).memberships.all()} == {"Payments", "Search"}
