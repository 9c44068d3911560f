"""The pages of coverage in Chromium, at desktop and phone width."""

import pytest
from django.urls import reverse

from connectors.models import Covered, Device
from tests.connectors.coverage.test_pages import VERA, _known  # noqa: F401 - a fixture
from tests.connectors.people import person as somebody
from tests.connectors.people.known import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_known")]


def url(page, *arguments):
    return reverse(f"admin:connectors_{page}", args=arguments)


@pytest.mark.parametrize("width", [1280, 390])
def test_from_the_figure_to_its_rows_to_the_person(browser, width):
    visit = browser.open(url("covered_changelist"), somebody("Connector administrator"), width=width)
    visit.assert_harmless()
    assert visit.unnamed == []
    visit.page.click(".tile:has-text('Unknown sender') a")
    visit.page.wait_for_selector("#result_list >> text=bedrock-1")
    assert visit.page.locator("#result_list tbody tr").count() == 1
    visit.assert_harmless()
    visit.page.click("text=Say whose it is")
    visit.page.fill("#id_who", VERA)
    visit.page.fill("#id_reason", "ticket 4711, build server")
    visit.page.click("text=Give it to them")
    visit.page.wait_for_selector("text=It is theirs now")
    visit.assert_harmless()
    visit.go(url("covered_changelist"))
    visit.page.click("input[value='Look again']")
    visit.page.wait_for_selector("text=Looked again")
    assert not Covered.objects.filter(kind="sender").exists()
    visit.go(url("person_change", person(VERA).pk))
    visit.page.wait_for_selector("text=bedrock-1")
    visit.assert_harmless()


def test_devices_are_imported_and_it_is_judged_otherwise_on_a_phone(browser, tmp_path):
    file = tmp_path / "devices.csv"
    file.write_text("serial,host,email\nC02V,veras-macbook,\nC03,new-machine,\n", encoding="utf-8")
    visit = browser.open(url("device_import"), somebody("Connector administrator"), width=390)
    assert visit.unnamed == []
    visit.page.set_input_files("#id_file", file)
    visit.page.click("text=Show what would change")
    visit.page.wait_for_selector("text=new-machine is new.")
    visit.assert_harmless()
    visit.page.click("text=Apply 2 changes")
    visit.page.wait_for_selector("text=Imported: 2 changes")
    assert Device.objects.count() == 2
    visit.assert_harmless()
    visit.go(url("covered_changelist"))
    visit.page.click("text=Judge otherwise")
    visit.page.fill("#id_silent_after_days", "14")
    visit.page.click("text=Judge anew")
    visit.page.wait_for_selector("text=Silent after 14 days")
    visit.assert_harmless()
    visit.go(url("seat_changelist"))
    visit.assert_harmless()
