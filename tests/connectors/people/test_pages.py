"""The pages of people, as a browser without script sees them."""

import pytest
from django.test import Client
from django.urls import reverse

from connectors.models import Identity, Membership, Person, PersonChange, Seat, Team, UsageDay
from connectors.people import changes, identities, join, seats
from connectors.tokens.spelling import generate
from connectors.vendors.shape import SeatRow
from tests.connectors.people.known import DAY, joined, of, person, subject, vendor
from tests.factories import acts
from tests.portal import people as roles

pytestmark = pytest.mark.django_db

VERA, DANA = "vera@acme.example", "dana@acme.example"
REASON = "ticket 4711, they told me"


@pytest.fixture
def administrator() -> Client:
    return logged_in(roles.CONNECTOR)


def logged_in(role) -> Client:
    client = Client()
    client.force_login(roles.person(role), backend=roles.BACKEND)
    return client


@pytest.fixture(autouse=True)
def _known():
    seats.replace(vendor(), [SeatRow("user_v", VERA, name="Vera Planck", role="developer")])
    subject(VERA, "install-v", "", "user_v")
    subject(DANA, "install-d")
    subject("", "install-x")
    joined()
    identities.resolve([("api_key", "ci-key")], basis="vendor", day=DAY)


def url(page, *arguments):
    return reverse(f"admin:connectors_{page}", args=arguments)


def text(client, page, **query):
    response = client.get(page, query)
    assert response.status_code == 200, page
    return response.content.decode()


def test_people_are_listed_found_by_any_name_and_downloaded(administrator):
    told = text(administrator, url("person_changelist"))
    assert "Vera Planck" in told
    assert VERA in told
    assert DANA in told
    assert VERA in text(administrator, url("person_changelist"), q="install-v")
    assert DANA not in text(administrator, url("person_changelist"), q="install-v")
    download = administrator.get(url("person_download", "csv"))
    assert VERA in b"".join(download.streaming_content).decode()
    assert [act["list"] for act in acts("evidence.listed")] == ["people"]
    assert [act["list"] for act in acts("evidence.downloaded")] == ["people"]


def test_names_of_people_are_for_those_who_may_see_people():
    officer = logged_in(roles.OFFICER)
    for page in (url("person_changelist"), url("identity_changelist"), url("person_change", person(VERA).pk)):
        assert officer.get(page).status_code == 403
    reviewer = logged_in(roles.REVIEWER)
    told = text(reviewer, url("person_change", person(VERA).pk))
    assert "Rename" not in told
    assert "Sessions" in told
    for page in ("merge", "split", "rename", "place"):
        assert reviewer.get(url(f"person_{page}", person(VERA).pk)).status_code == 403
    assert reviewer.get(url("person_import")).status_code == 403
    assert reviewer.get(url("identity_map", Identity.objects.get(value="ci-key").pk)).status_code == 403
    assert "Say whose it is" not in text(reviewer, url("identity_changelist"))


def test_a_page_tells_what_is_known_and_how(administrator):
    vera = person(VERA)
    UsageDay.objects.create(
        day=join.timezone.now().date(), identity=vera.identities.first(), agent="claude_code", commits=3
    )
    told = text(administrator, url("person_change", vera.pk))
    for words in (
        "Vera Planck",
        "install-v",
        "claimed by telemetry",
        "told by a vendor",
        "developer",
        "Telemetry",
        "Claude",
    ):
        assert words in told
    assert [act["object.id"] for act in acts("evidence.viewed")] == [str(vera.pk)]


def test_a_merge_is_made_and_undone(administrator):
    vera = person(VERA)
    page = url("person_merge", vera.pk)
    assert "Nobody here is called that" in post(administrator, page, other="nobody", reason=REASON)
    assert "same person already" in post(administrator, page, other=VERA, reason=REASON)
    assert "ten" in post(administrator, page, other=DANA, reason="short").lower()
    told = post(administrator, page, other=DANA.upper(), reason=REASON)
    assert "is merged into" in told
    assert of(DANA) == vera
    change = PersonChange.objects.get()
    assert "undone" in post(administrator, url("person_undo", vera.pk), change=change.pk).lower()
    assert of(DANA).email == DANA
    assert "was undone already" in post(administrator, url("person_undo", vera.pk), change=change.pk)


def post(client, page, **data):
    response = client.post(page, data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_a_split_leaves_what_was_ticked_with_a_new_person(administrator):
    vera = person(VERA)
    page = url("person_split", vera.pk)
    assert "Tick what" in post(administrator, page, reason=REASON)
    row = Identity.objects.get(value="install-v")
    assert "is now that of" in post(administrator, page, names=row.pk, from_day=DAY.isoformat(), reason=REASON)
    assert of("install-v").pk != vera.pk
    other = Identity.objects.get(value=DANA)
    assert "not one of the available" in post(administrator, page, names=other.pk, reason=REASON)


@pytest.mark.parametrize("renamed", [False, True], ids=["nothing since", "renamed since"])
def test_a_split_that_is_undone_leaves_nobody_without_a_name(administrator, renamed):
    vera = person(VERA)
    post(administrator, url("person_split", vera.pk), names=Identity.objects.get(value="install-v").pk, reason=REASON)
    made = of("install-v")
    if renamed:
        post(administrator, url("person_rename", made.pk), name="A machine", email="")
    post(administrator, url("person_undo", vera.pk), change=PersonChange.objects.get(act="split").pk)
    told = text(administrator, url("person_changelist"))
    assert f"#{made.pk}" not in told
    assert "A machine" not in told
    told = text(administrator, url("person_change", vera.pk))
    assert "Merged into them" not in told
    assert "undone by" in told
    assert (f"#{made.pk}, not there any more" in told) is not renamed
    if renamed:
        told = text(administrator, url("person_change", made.pk))
        assert "that was undone: their names went back there" in told
        assert "by now" not in told


def test_a_person_is_renamed_and_placed(administrator):
    vera = person(VERA)
    post(administrator, url("person_rename", vera.pk), name="Vera P.", email=VERA)
    team = Team.objects.create(name="Payments")
    assert "Placed in Payments" in post(
        administrator, url("person_place", vera.pk), team=team.pk, first_day="2026-01-01"
    )
    assert "Take them out" in post(administrator, url("person_place", vera.pk), team=team.pk)
    told = text(administrator, url("person_change", vera.pk))
    assert "from 2026-01-01" in told
    assert "Vera P." in told
    assert VERA in text(administrator, url("person_changelist"), team=team.pk)
    membership = Membership.objects.get()
    assert "No longer in" in post(administrator, url("person_unplace", vera.pk), membership=membership.pk)
    assert not Membership.objects.exists()
    assert [act["name"] for act in acts("person.renamed", "person.placed", "person.unplaced")] == [
        "person.renamed",
        "person.placed",
        "person.unplaced",
    ]


def test_names_that_are_nobodys_come_first_and_are_given_to_somebody(administrator):
    told = text(administrator, url("identity_changelist"))
    assert "ci-key" in told
    assert "install-x" in told
    assert VERA not in told
    assert VERA in text(administrator, url("identity_changelist"), whose="mapped")
    key, install = (Identity.objects.get(value=value) for value in ("ci-key", "install-x"))
    page = url("identity_map", key.pk)
    assert "Say whose it is" in post(administrator, page, to="person", reason=REASON)
    post(administrator, page, to="person", who=VERA, reason=REASON)
    assert of("ci-key") == person(VERA)
    post(administrator, url("identity_map", install.pk), to="new", reason=REASON)
    assert of("install-x").email == ""
    post(administrator, page, to="nobody", reason=REASON)
    assert of("ci-key") is None
    assert "ci-key" not in text(administrator, url("identity_changelist"))
    assert "ci-key" in text(administrator, url("identity_changelist"), whose="aside")


def test_who_was_merged_says_who_they_are_now_and_changes_no_more(administrator):
    dana, vera = person(DANA), person(VERA)
    changes.merge(dana, vera, by="rosa", reason=REASON)
    told = text(administrator, url("person_change", dana.pk))
    assert "Vera Planck" in told
    assert administrator.get(url("person_rename", dana.pk)).status_code == 403
    assert DANA not in text(administrator, url("person_changelist"))
    assert DANA in text(administrator, url("person_changelist"), merged="yes")


def test_somebody_known_from_a_list_only_is_erased(administrator):
    seats.replace(vendor("Other"), [SeatRow("user_o", "omar@acme.example")])
    joined()
    omar = person("omar@acme.example")
    page = url("person_erase", omar.pk)
    assert "Confirm it" in post(administrator, page, reason=REASON)
    assert "nothing here names them" in post(administrator, page, reason=REASON, sure="on")
    assert not Person.objects.filter(pk=omar.pk).exists()
    told = post(administrator, url("person_erase", person(VERA).pk), reason=REASON, sure="on")
    assert "There is evidence of them" in told
    assert logged_in(roles.REVIEWER).get(url("person_erase", person(VERA).pk)).status_code == 403


def test_teams_are_kept_with_acts(administrator):
    post(administrator, url("team_add"), name="Payments", cost_center="CC-7")
    post(administrator, url("team_change", Team.objects.get().pk), name="Payments", cost_center="CC-8")
    assert [act["name"] for act in acts("team.created", "team.changed")] == ["team.created", "team.changed"]
    Membership.objects.create(person=person(VERA), team=Team.objects.get())
    assert administrator.get(url("team_delete", Team.objects.get().pk)).status_code == 403
    assert "There is a team of this name" in post(administrator, url("team_add"), name="payments", cost_center="")


def test_a_name_that_holds_a_secret_is_refused(administrator):
    name = f"Vera {generate('api')}"
    assert "A token or key stands in this" in post(administrator, url("team_add"), name=name, cost_center="")
    rename = url("person_rename", person(VERA).pk)
    assert "A token or key stands in this" in post(administrator, rename, name=name, email=VERA)
    assert not Team.objects.exists()
    assert not Person.objects.filter(name=name).exists()


def test_a_list_is_shown_before_it_is_applied(administrator):
    page = url("person_import")
    assert "Choose a file" in post(administrator, page)
    listed = f"email,name,team\n{DANA},Dana Doe,Payments\nnonsense,,\n"
    told = post(administrator, page, text=listed)
    assert "“nonsense” is no e-mail address" in told
    assert "is called “Dana Doe”" in told
    assert person(DANA).name == ""
    assert "2 changes" in post(administrator, page, text=listed, apply="1")
    assert person(DANA).name == "Dana Doe"
    assert "Nothing would change" in post(administrator, page, text=listed)
    assert "2026-11-29" in text(administrator, page)


def test_whatever_is_hostile_stays_text(administrator):
    hostile = '"><img src=x onerror=alert(1)>{{ 7*7 }}\u202e'
    vera = person(VERA)
    Person.objects.filter(pk=vera.pk).update(name=hostile)
    Identity.objects.create(kind="install_id", value=hostile, person=vera, basis="telemetry")
    Membership.objects.create(person=vera, team=Team.objects.create(name=hostile[:40]), basis="telemetry")
    Seat.objects.update(role=hostile)
    PersonChange.objects.create(act="mapped", by=hostile, person=vera, detail={"reason": hostile})
    for page in (url("person_changelist"), url("person_change", vera.pk), url("identity_changelist") + "?whose=all"):
        told = text(administrator, page)
        assert "<img src=x" not in told
        assert "\u202e" not in told
    assert "<img src=x" not in post(administrator, url("person_import"), text=f"email,name\n{DANA},{hostile[2:]}")


@pytest.mark.parametrize("page", ["change", "merge", "split"])
def test_nobody_has_no_page(administrator, page):
    assert administrator.get(url(f"person_{page}", 999_999)).status_code == 404
