"""Lists and timelines in windows of usual width: what does not fit is never cut off without a word."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from audit.models import EvidencePack
from tests.audit.admin.evidence import a_session, at, decided
from tests.factories import draft, evidence
from tests.portal.people import REVIEWER, person, superuser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LAPTOP, ZOOMED, PHONE = 1366, 683, 390
PERSON = (("@user.email", "string", "somebody.with.a.long.name@engineering.acme.example"),)
COMMAND = {"command": "python -m pytest tests/payments --maxfail=1 " * 4}
CUT_OFF = """
() => [...document.querySelectorAll(".timeline .prompt .mode")]
  .filter((mode) => {
    const line = mode.closest(".line").getBoundingClientRect();
    const { right, bottom } = mode.getBoundingClientRect();
    const below = mode.closest("tr").getBoundingClientRect().bottom;
    return mode.scrollWidth > mode.clientWidth + 1 || right > line.right + 1 || bottom > below + 1;
  })
  .map((mode) => mode.textContent)
"""
IN_SEVERAL_LINES = "all => all.filter((each) => each.offsetHeight > 28).map((each) => each.textContent)"
SCROLLED = """
() => {
  const region = document.querySelector(".results");
  window.scrolled = new Promise((told) =>
    region.addEventListener("scroll", () => told(region.scrollLeft), { once: true }));
}
"""


@pytest.fixture
def session(transactional_db):
    long = (("@prompt", "string", "Find out why the refund job is stuck in production and unblock it at once. " * 3),)
    bypass = {"mode": "bypassPermissions", "prompt_id": "p-3", "subject": PERSON}
    session = a_session(subject=PERSON)
    evidence(
        draft("prompt", occurred_at=at(20), event_name="user_prompt", prompt_id="p-3", content=long, subject=PERSON),
        decided("t-7", 21, decided_by="reviewer_model", **bypass, **COMMAND),
        decided("t-8", 22, decided_by="person", grant="always", **bypass, **COMMAND),
    )
    return session


@pytest.fixture
def packs(transactional_db):
    """One of each state, with the longest titles there are."""
    for state in EvidencePack.State:
        EvidencePack.objects.create(
            kind="session",
            title=f"Session {uuid.uuid4()}",
            asked_by=PERSON[0][2],
            asked_at=timezone.now(),
            reason="Incident 2026-117: asked for by the auditors, for the review of the quarter. " * 3,
            state=state,
            with_content=True,
            with_identity=True,
            total=1_234_567,
            size_bytes=9_876_543_210,
        )


@pytest.mark.parametrize(
    "name", ["session", "tooluse", "event", "modechange", "mcpconnection", "mcpserver", "evidencepack"]
)
def test_a_list_fits_a_laptop(browser, session, packs, name):
    visit = browser.open(reverse(f"admin:audit_{name}_changelist"), person(REVIEWER), width=LAPTOP)
    region = visit.page.locator(".results")
    assert region.evaluate("region => region.scrollWidth - region.clientWidth") <= 1
    assert visit.page.locator(".scroll-hint:not(.only-usual)").count() == 0
    visit.assert_harmless()


def test_what_was_decided_stands_in_one_line(browser, session):
    visit = browser.open(reverse("admin:audit_tooluse_changelist"), person(REVIEWER), width=LAPTOP)
    badges = visit.page.locator("#result_list .field-decision .badge").filter(has_not_text="reviewer model")
    assert badges.count() > 1
    assert badges.evaluate_all(IN_SEVERAL_LINES) == []
    assert visit.page.locator("#result_list .field-outcome .state").evaluate_all(IN_SEVERAL_LINES) == []


def test_schedules_fit_a_laptop(browser, transactional_db):
    """Those of other migrations are gone where a test has emptied the tables."""
    every, _ = IntervalSchedule.objects.get_or_create(every=30, period="minutes")
    told = {"task": "x", "interval": every}
    PeriodicTask.objects.get_or_create(name="Send the canary through the public endpoint", defaults=told)
    PeriodicTask.objects.update(last_run_at=timezone.now())
    visit = browser.open(reverse("admin:django_celery_beat_periodictask_changelist"), superuser(), width=LAPTOP)
    assert visit.page.locator("#result_list tbody tr").count() > 0
    assert visit.page.locator(".results").evaluate("region => region.scrollWidth - region.clientWidth") <= 1
    visit.assert_harmless()


def test_a_list_that_does_not_fit_says_so_and_scrolls_by_key(browser, session):
    visit = browser.open(reverse("admin:audit_session_changelist"), person(REVIEWER), width=900)
    region = visit.page.get_by_role("region", name="Sessions")
    words = visit.page.locator(f"#{region.get_attribute('aria-describedby')}")
    assert words.is_visible()
    assert "scroll sideways" in words.text_content()
    visit.page.evaluate(SCROLLED)
    region.focus()
    visit.page.keyboard.press("ArrowRight")
    assert visit.page.evaluate("window.scrolled") > 0
    visit.page.set_viewport_size({"width": LAPTOP, "height": 900})
    words.wait_for(state="hidden")
    assert region.get_attribute("aria-describedby") is None
    visit.assert_harmless()


def test_columns_that_are_left_out_are_named(browser, session):
    visit = browser.open(reverse("admin:audit_session_changelist"), person(REVIEWER), width=LAPTOP)
    note, cost = visit.page.locator(".only-usual"), visit.page.locator("#result_list thead .column-cost")
    assert note.text_content().startswith("A wider window also shows: agent, by hook, tools, cost.")
    assert (note.is_visible(), cost.is_visible()) == (True, False)
    visit.page.set_viewport_size({"width": 1920, "height": 900})
    assert (note.is_visible(), cost.is_visible()) == (False, True)


@pytest.mark.parametrize("width", [LAPTOP, ZOOMED, PHONE])
def test_a_prompt_shows_its_mode_whole(browser, session, width):
    visit = browser.open(reverse("admin:audit_session_change", args=[session.pk]), person(REVIEWER), width=width)
    assert visit.page.locator(".timeline .prompt .mode").count() >= 2
    assert visit.page.evaluate(CUT_OFF) == []
    visit.assert_harmless()
