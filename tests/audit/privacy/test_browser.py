"""The page of an erasure in Chromium."""

import pytest
from django.urls import reverse

from audit.models import Erasure
from tests.portal.people import OFFICER, person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def page_of(erasure: Erasure) -> str:
    return reverse("admin:audit_erasure_change", args=[erasure.pk])


@pytest.fixture
def erasure(transactional_db) -> Erasure:
    return Erasure.objects.create(
        subjects=[], reason="Request 17", asked_by="officer", state="running", contents=1, total=8
    )


def test_it_shows_how_far_it_is_and_then_that_it_is_done(browser, erasure):
    mine = Erasure.objects.filter(pk=erasure.pk)
    visit = browser.open(page_of(erasure), person(OFFICER))
    assert visit.page.inner_text("[data-progress-told]") == "1 of 8 contents"
    mine.update(contents=6)
    visit.page.wait_for_selector("text=6 of 8 contents")
    assert visit.page.eval_on_selector("progress", "bar => bar.value / bar.max") == 0.75
    mine.update(state="done", contents=8)
    visit.page.wait_for_selector("text=The ledger says so in its own events")
    assert visit.page.locator("progress").count() == 0
    visit.assert_harmless()


def test_without_script_a_link_looks_again(browser, erasure):
    visit = browser.open(page_of(erasure), person(OFFICER), script=False)
    Erasure.objects.filter(pk=erasure.pk).update(state="done", contents=8)
    visit.page.click("text=Look again")
    visit.page.wait_for_selector("text=The ledger says so in its own events")
