"""Every page in Chromium: nothing blocked, asked of others, thrown, wider than the window or without a name."""

import datetime as dt

import pytest
from django.contrib import admin
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from tests import factories
from tests.browser import PHONE
from tests.portal import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = (
    "</td></script><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>"
    "\"'`{{7*7}}{% x %} \u202egnp.exe\u202c \u200b\u2066 \x1b[2J \u2028 \U000e0041 =1+1"
)


@pytest.fixture
def _hostile_evidence():
    texts = {"tool_name": HOSTILE, "mcp_server": HOSTILE, "mcp_tool": HOSTILE, "command": HOSTILE, "path": HOSTILE}
    texts |= {"error": HOSTILE, "model": HOSTILE, "prompt_id": HOSTILE, "session_id": HOSTILE, "host": HOSTILE}
    origin = [(f"resource@{name}", "string", HOSTILE) for name in ("service.name", "service.version", "os.type")]
    origin += [(f"@{name}", "string", HOSTILE) for name in ("team", "repo")]
    common = {
        **texts,
        "origin": origin,
        "subject": (("@user.email", "string", HOSTILE), ("@host.name", "string", HOSTILE)),
        "content": (("@prompt", "string", HOSTILE), ("@tool_input", "string", HOSTILE)),
        "decision_raw": HOSTILE,
    }
    decided = {
        "decision": "reject",
        "decided_by": "policy",
        "basis": "stated",
        "mode": HOSTILE,
        "mode_provenance": "stated",
    }
    factories.evidence(
        factories.draft("prompt", **common, sequence=1),
        factories.draft("tool_decision", **common | decided, tool_use_id="toolu_1", sequence=2),
        factories.draft("tool_result", **common, tool_use_id="toolu_1", outcome="failure", sequence=3),
        factories.draft("mode_change", **common, from_mode="default", to_mode=HOSTILE, trigger=HOSTILE, sequence=9),
        factories.draft("mcp_connection", **common, mcp_status=HOSTILE, mcp_transport=HOSTILE, mcp_scope=HOSTILE),
        factories.draft("other", **common),
        source_name=HOSTILE,
    )


@pytest.fixture
def scheduled():
    """Adds a schedule. Those of the migrations stay there for the next test, these do not."""
    crontab = CrontabSchedule.objects.create(minute="5")
    yield lambda name: PeriodicTask.objects.create(name=name, task="x", crontab=crontab)
    PeriodicTask.objects.filter(task="x").delete()
    crontab.delete()


@pytest.fixture
def rows(_hostile_evidence, scheduled):
    scheduled(HOSTILE)
    people.person(people.REVIEWER, username="mira", first_name=HOSTILE[:100])


def every_page() -> list[str]:
    """Lists, empty forms, and the pages of the first row of every list."""
    paths = [reverse("admin:index"), reverse("admin:password_change"), "/admin/auth/"]
    for model in admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        paths += [base, f"{base}?q=%3Cscript%3Enothing%20like%20it", f"{base}add/"]
        first = model._default_manager.first()
        if first is not None:
            key = admin.utils.quote(first.pk)
            paths += [f"{base}{key}/change/", f"{base}{key}/history/", f"{base}{key}/delete/"]
    return paths


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (640, True), (PHONE, False)], ids=["desk", "zoomed", "phone"]
)
def test_it_opens_every_page_without_harm(browser, width, dark):
    visit = browser.open("/admin/", people.superuser(), width=width, dark=dark)
    opened = 0
    for path in every_page():
        visit.go(path)
        assert visit.status < 500, path
        if visit.status in (403, 404):
            assert "/add/" in path or "/delete/" in path or "/history/" in path or "/change/" in path, path
            visit.errors.clear()
            continue
        try:
            visit.assert_harmless()
            assert visit.unnamed == []
        except AssertionError as error:
            raise AssertionError(f"{path} at {width}: {error}") from error
        opened += 1
    assert opened > 30


@pytest.mark.parametrize("path", ["/admin/login/", "/nothing", "/admin/nothing"])
@pytest.mark.parametrize("width", [1280, PHONE])
def test_it_opens_pages_without_a_person(browser, path, width):
    visit = browser.open(path, width=width)
    visit.assert_harmless()
    assert visit.unnamed == []


def test_it_locks_out_without_harm(browser):
    user = people.person()
    visit = browser.open("/admin/login/")
    for _ in range(5):
        visit.page.fill("#id_username", user.username)
        visit.page.fill("#id_password", "wrong")
        visit.page.click("input[type=submit]")
    visit.page.wait_for_selector("text=Log-in is closed for a while")
    visit.errors.clear()  # the answer is a 429, which the console reports
    visit.assert_harmless()


def test_it_logs_in_and_out_by_keyboard(browser):
    people.superuser()
    page = browser.open("/admin/login/").page
    page.keyboard.type("rosa")
    page.keyboard.press("Tab")
    page.keyboard.type(people.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text('Overview')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.focus(".menu > summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#logout-form button", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#logout-form button", state="hidden")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text('Logged out')")


def test_it_shows_where_the_focus_is(browser):
    page = browser.open("/admin/auth/user/", people.superuser()).page
    for _ in range(12):
        page.keyboard.press("Tab")
        shadow = page.evaluate("getComputedStyle(document.activeElement).boxShadow")
        assert shadow != "none", page.evaluate("document.activeElement.outerHTML")


def test_it_remembers_the_theme(browser):
    visit = browser.open("/admin/", people.superuser())
    background = "getComputedStyle(document.body).backgroundColor"
    assert visit.page.evaluate(background) == "rgb(255, 255, 255)"
    visit.page.click(".theme-toggle")
    assert visit.page.evaluate(background) == "rgb(15, 19, 24)"
    visit.go("/admin/auth/user/")
    assert visit.page.evaluate(background) == "rgb(15, 19, 24)"


def test_it_opens_the_navigation_on_a_phone(browser):
    page = browser.open("/admin/", people.superuser(), width=PHONE).page
    assert not page.is_visible("#nav-sidebar")
    page.click("#toggle-nav-sidebar")
    page.wait_for_selector("#nav-sidebar")
    assert page.get_attribute("#toggle-nav-sidebar", "aria-expanded") == "true"


def test_it_works_without_script(browser):
    page = browser.open("/admin/auth/user/", people.superuser(), width=PHONE, script=False).page
    page.wait_for_selector("#nav-sidebar")
    page.click("#nav-sidebar a:text('Overview')")
    assert page.inner_text("h1") == "Overview"


def test_it_tells_times_in_the_viewers_zone(browser):
    user = people.superuser()
    user.last_login = dt.datetime(2020, 11, 21, 22, 30, tzinfo=dt.UTC)
    user.save()
    page = browser.open("/admin/auth/user/", user, zone="Asia/Tokyo").page
    user.refresh_from_db()
    shown = page.locator("time").first
    expected = user.last_login.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert shown.inner_text().endswith(f"{expected:%H:%M:%S}")
    assert shown.get_attribute("title").startswith(f"{user.last_login:%Y-%m-%d %H:%M:%S}")
    assert page.inner_text(".zone") == "Times in Asia/Tokyo"


def test_it_gives_a_role_with_the_two_lists(browser):
    user = people.person(username="mira")
    visit = browser.open(reverse("admin:auth_user_change", args=[user.pk]), people.superuser())
    visit.page.select_option("#id_groups_from", label=people.REVIEWER)
    visit.page.click("#id_groups_add")
    visit.page.click("input[name=_save]")
    visit.page.wait_for_selector(".messagelist .success")
    visit.assert_harmless()
    assert [group.name for group in user.groups.all()] == [people.REVIEWER]


def test_it_picks_a_date_and_explains_a_crontab(browser):
    crontab = CrontabSchedule.objects.create(minute="5", hour="4")
    visit = browser.open("/admin/django_celery_beat/periodictask/add/", people.superuser())
    visit.page.click(".field-start_time .date-icon")
    visit.page.click(".calendarbox .calendarnav-next")
    visit.page.click(".calendarbox td a:text-is('15')")
    assert visit.page.input_value("#id_start_time_0").endswith("-15")
    visit.page.select_option("#id_crontab", str(crontab.pk))
    assert "04:05" in visit.page.inner_text(".field-crontab .help")
    visit.assert_harmless()


def test_it_adds_an_interval_in_a_window_of_its_own(browser):
    visit = browser.open("/admin/django_celery_beat/periodictask/add/", people.superuser())
    with visit.page.expect_popup() as opened:
        visit.page.click("#add_id_interval")
    popup = opened.value
    popup.fill("#id_every", "5")
    popup.select_option("#id_period", "minutes")
    assert popup.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with popup.expect_event("close"):
        popup.click("input[name=_save]")
    assert "every 5 minutes" in visit.page.inner_text("#id_interval")
    visit.assert_harmless()


def test_it_deletes_what_is_selected(browser, scheduled):
    nightly, others = scheduled("nightly"), PeriodicTask.objects.exclude(task="x").count()
    visit = browser.open("/admin/django_celery_beat/periodictask/", people.superuser())
    visit.page.check(f"input.action-select[value='{nightly.pk}']")
    assert visit.page.inner_text(".action-counter") == f"1 of {others + 1} selected"
    visit.page.select_option("select[name=action]", "delete_selected")
    visit.page.click("button[name=index]")
    visit.page.click("text=Keep")
    visit.page.wait_for_url("**/periodictask/")
    visit.page.check("input.action-select")
    visit.page.select_option("select[name=action]", "delete_selected")
    visit.page.click("button[name=index]")
    visit.page.click("input[value=Delete]")
    visit.page.wait_for_selector(".messagelist .success")
    visit.assert_harmless()
    assert PeriodicTask.objects.count() == others


def test_it_prints_the_evidence_and_not_the_frame(browser):
    page = browser.open("/admin/auth/user/", people.superuser(), dark=True).page
    page.emulate_media(media="print")
    for hidden in ("#header", "#nav-sidebar", "#toolbar", "#changelist-filter"):
        assert not page.is_visible(hidden)
    page.wait_for_selector("#result_list")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
