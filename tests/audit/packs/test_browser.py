"""The pages of packs in Chromium."""

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import EvidencePack, Session
from audit.packs import work
from tests.audit.admin.test_hostile import HOSTILE
from tests.audit.packs.test_work import asked
from tests.factories import draft, evidence
from tests.portal.people import REVIEWER, person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def url(page: str, *keys: object) -> str:
    return reverse(f"admin:audit_evidencepack_{page}", args=keys)


@pytest.fixture
def ledger(signs) -> int:
    evidence(*(draft(session_id=HOSTILE) for _ in range(10)))
    return signs()


def test_it_shows_how_far_it_is_and_then_the_file(browser, ledger):
    pack = asked(state="running", started_at=timezone.now(), done=1, total=10)
    mine = EvidencePack.objects.filter(pk=pack.pk)
    visit = browser.open(url("change", pack.pk), person(REVIEWER))
    assert "1 of 10 events" in visit.page.inner_text("[data-progress-told]")
    mine.update(done=7)
    visit.page.wait_for_selector("text=7 of 10 events")
    assert visit.page.eval_on_selector("progress", "bar => bar.value / bar.max") == 0.7
    mine.update(state="waiting")
    work.make(pack.pk)
    with visit.page.expect_download() as download:
        visit.page.click("text=Download the pack")
    assert download.value.suggested_filename == f"evidence-range-{pack.pk}.zip"
    visit.assert_harmless()


def test_without_script_a_link_looks_again(browser, ledger):
    pack = asked()
    visit = browser.open(url("change", pack.pk), person(REVIEWER), script=False)
    visit.page.wait_for_selector("text=Waiting for a worker")
    work.make(pack.pk)
    visit.page.click("text=Look again")
    visit.page.wait_for_selector("text=Download the pack")


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_text_stays_text_on_every_page(browser, ledger, width):
    session = Session.objects.get()
    words = {"title": HOSTILE, "reason": HOSTILE, "asked_by": HOSTILE}
    made = asked(**words)
    work.sweep()
    packs = [made, asked(**words, session=session.pk), asked(**words, state="failed", error=HOSTILE)]
    reviewer = person(REVIEWER)
    visit = browser.open(url("changelist"), reviewer, width=width)
    for address in (
        url("changelist"),
        url("range"),
        url("session", session.pk),
        url("selection"),
        *(url("change", pack.pk) for pack in packs),
    ):
        visit.go(address)
        assert visit.status == 200, address
        assert not visit.page.query_selector("img[src='x']"), address
        assert visit.unnamed == []
        visit.assert_harmless()
