"""“Test now” in Chromium, against a real receiver: from the page of a new token to the event in the ledger."""

import pytest
from django.urls import reverse

from connectors.models import CanaryRun
from tests import factories
from tests.connectors.people import person
from tests.processes import receiver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def endpoint(transactional_db, tmp_path, settings):
    with receiver(tmp_path) as running:
        settings.OTLP_PUBLIC_URL = f"http://127.0.0.1:{running.port}"
        yield running


def steps(page):
    return [line.split(maxsplit=1)[0] for line in page.locator("[data-probe-steps] li.ok").all_inner_texts()]


def test_a_new_token_is_tested_until_its_event_is_sealed(browser, endpoint):
    visit = browser.open(reverse("admin:connectors_ingesttoken_add"), person("Connector administrator"))
    page = visit.page
    page.fill("#id_name", "payments-laptops")
    page.click("text=Issue token")
    secret = page.text_content("#secret")

    page.click("text=Send a test event")
    page.wait_for_selector("[data-probe-steps] li.pending >> text=waiting for its number")
    assert steps(page) == ["Name", "Connection", "TLS", "Answer", "Stored"]
    factories.seal()
    page.wait_for_selector("[data-probe-steps] li.ok >> text=of the ledger")
    page.wait_for_selector("text=First event received.")
    assert page.text_content("#secret") == secret, "the page is the same"
    visit.assert_harmless()

    endpoint.stop()
    page.click("text=Send a test event")
    page.wait_for_selector("[data-probe-error] >> text=Nothing listens")
    assert steps(page) == ["Name"]

    with page.expect_navigation():
        page.click("text=This test's page")
    page.wait_for_selector("text=Nothing listens")
    assert secret not in page.content() + page.url
    assert CanaryRun.objects.filter(cause="person").count() == 2


def test_without_script_and_on_a_phone_the_token_is_pasted_and_the_tests_own_page_opens(browser, endpoint):
    visit = browser.open(
        reverse("admin:connectors_ingesttoken_add"), person("Connector administrator"), width=390, script=False
    )
    visit.page.fill("#id_name", "payments-laptops")
    visit.page.click("text=Issue token")
    secret = visit.page.text_content("#secret")
    with visit.page.expect_navigation():
        visit.page.click("text=the token's page")
    visit.page.fill("#probe-secret", secret)
    with visit.page.context.expect_page() as opened:
        visit.page.click("text=Send a test event")
    opened.value.wait_for_selector("text=How far it came")
    opened.value.wait_for_selector("text=waiting for its number")
    assert visit.overflow <= 0
