"""The pages of people in Chromium, at desktop and phone width."""

import pytest
from django.urls import reverse

from connectors.models import Membership, PersonChange, Team
from connectors.people import seats
from connectors.vendors.shape import SeatRow
from tests.connectors.people import person as somebody
from tests.connectors.people.known import joined, of, person, subject, vendor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

VERA, DANA = "vera@acme.example", "dana@acme.example"
LONG = "x" * 250


@pytest.fixture
def administrator():
    return somebody("Connector administrator")


@pytest.fixture(autouse=True)
def _known():
    seats.replace(vendor(), [SeatRow("user_v", VERA, name="Vera Planck"), SeatRow("user_d", DANA)])
    subject(VERA, "install-v", "", "user_v")
    subject(VERA, LONG)
    joined()
    Membership.objects.create(person=person(VERA), team=Team.objects.create(name="Payments"))


def url(page, *arguments):
    return reverse(f"admin:connectors_{page}", args=arguments)


@pytest.mark.parametrize("width", [1280, 390])
def test_somebody_is_merged_and_the_merge_undone(browser, administrator, width):
    vera = person(VERA)
    visit = browser.open(url("person_changelist"), administrator, width=width)
    visit.assert_harmless()
    visit.page.click("text=Vera Planck")
    visit.page.click("text=Merge")
    visit.page.fill("#id_other", DANA)
    visit.page.fill("#id_reason", "ticket 4711, same person")
    visit.page.click("text=Merge into this person")
    visit.page.wait_for_selector("text=It can be undone below")
    assert of(DANA) == vera
    visit.assert_harmless()
    assert visit.unnamed == []
    visit.page.click("button:has-text('Undo')")
    visit.page.wait_for_selector("text=Undone: the names are where they were")
    assert of(DANA).email == DANA
    assert PersonChange.objects.get().detail["undone_by"] == "rosa"
    visit.assert_harmless()


def test_a_list_is_imported_from_a_file_on_a_phone(browser, administrator, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(f"email,name,team\n{DANA},Dana Doe,Search\nnonsense,,\n", encoding="utf-8")
    visit = browser.open(url("person_import"), administrator, width=390)
    visit.assert_harmless()
    assert visit.unnamed == []
    visit.page.set_input_files("#id_file", file)
    visit.page.click("text=Show what would change")
    visit.page.wait_for_selector("text=is called “Dana Doe”")
    visit.assert_harmless()
    visit.page.click("text=Apply 2 changes")
    visit.page.wait_for_selector("text=Imported: 2 changes to 1 person")
    assert person(DANA).name == "Dana Doe"
    visit.assert_harmless()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_names_its_controls(browser, administrator, width):
    vera = person(VERA)
    row = vera.identities.first()
    visit = browser.open(url("person_changelist"), administrator, width=width)
    pages = [
        *(url(f"person_{page}", vera.pk) for page in ("change", "merge", "split", "rename", "place", "erase")),
        url("identity_changelist"),
        url("identity_map", row.pk),
        url("team_changelist"),
        url("team_add"),
    ]
    for page in pages:
        visit.go(page)
        assert visit.status == 200, page
        assert visit.unnamed == [], page
        visit.assert_harmless()
