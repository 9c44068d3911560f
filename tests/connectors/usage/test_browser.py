"""The usage page in Chromium."""

import datetime as dt

import pytest
from django.urls import reverse

from tests.connectors.people import person
from tests.connectors.usage.telling import MODEL, TODAY, at, point, points, price, request, rolled_up
from tests.connectors.usage.test_page import from_vendor
from tests.factories import draft, record, seal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = '"><img src=x onerror=alert(1)>\u202eevil{{ 7*7 }}'


OVERLAPPING = """
all => all.map((each) => each.getBoundingClientRect()).filter((each, n, them) =>
  n && them[n - 1].top === each.top && them[n - 1].right + 2 > each.left).length
"""


@pytest.fixture
def filled():
    price(MODEL)
    days = [TODAY - dt.timedelta(days=n) for n in range(4)]
    hostile = (("@team.id", "string", HOSTILE), ("scope.version", "string", "2.1.329"))
    record(
        *(request(day=day, session=f"s-{day}") for day in days),
        request(model=HOSTILE, origin=hostile, session="s-9", subject=(("@user.email", "string", HOSTILE),)),
        draft("tool_decision", tool_name="Edit", decision="accept", occurred_at=at(TODAY, 0)),
    )
    seal()
    points(point("commit.count", 6), point("lines_of_code.count", 40, labels={"type": "added"}))
    rolled_up()
    from_vendor()


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (390, False)], ids=["desktop", "dark", "phone"]
)
def test_the_page_is_whole_and_harmless(browser, filled, width, dark):
    user = person("Compliance reviewer")
    visit = browser.open(reverse("admin:connectors_usage"), user, width=width, dark=dark)
    assert visit.status == 200
    visit.page.wait_for_selector("text=Said by two feeds")
    assert visit.page.locator("svg.chart").count() == 3
    assert visit.page.locator(".esc").count() > 0
    for chart in visit.page.locator("svg.chart").all():
        assert chart.locator("text[text-anchor=middle]:not(:empty)").evaluate_all(OVERLAPPING) == 0
    assert visit.unnamed == []
    visit.assert_harmless()
    visit.page.locator("details.fold > summary").first.click()
    assert visit.page.locator("details.fold table a").first.is_visible()
    visit.assert_harmless()


@pytest.mark.parametrize("width", [1366, 1440])
def test_a_long_name_leaves_room_for_every_column(browser, filled, width):
    name = "0123456789abcdef" * 8
    record(request(session="s-10", subject=(("@user.id", "string", name),)))
    seal()
    rolled_up()
    visit = browser.open(reverse("admin:connectors_usage"), person("Compliance reviewer"), width=width)
    visit.page.wait_for_selector("text=Said by two feeds")
    table = visit.page.locator(".results[aria-labelledby=u-people]")
    assert table.locator("tbody th", has_text=name).count() == 1
    assert table.evaluate("region => region.scrollWidth - region.clientWidth") <= 1
    assert visit.page.locator(".scroll-hint").count() == 0
    visit.assert_harmless()


def test_it_is_narrowed_and_leads_to_rows(browser, filled):
    user = person("Compliance reviewer")
    visit = browser.open(reverse("admin:connectors_usage"), user)
    visit.page.select_option("#id_model", MODEL)
    visit.page.click("text=Show >> nth=0")
    visit.page.wait_for_url("**model=claude-opus-5**")
    visit.page.locator("table a", has_text="dana@acme.example").first.click()
    visit.page.wait_for_url("**person=identity-**")
    visit.page.locator(".tile a").first.click()
    visit.page.wait_for_selector("h1:has-text('User-days')")
    assert visit.page.locator("#result_list tbody tr").count() == 4
    visit.assert_harmless()
