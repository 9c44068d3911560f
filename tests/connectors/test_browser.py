"""The pages of tokens in Chromium."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import tokens
from connectors.models import IngestToken, Token
from tests.connectors.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202eevil\x07{{ 7*7 }}'


@pytest.fixture
def administrator():
    return person("Connector administrator")


def url(page, token=None, model="ingesttoken"):
    return reverse(f"admin:connectors_{model}_{page}", args=[token.pk] if token else [])


def issue(kind="ingest", name="payments-laptops", **options):
    usual = {"by": "rosa", "scopes": ["logs", "metrics"] if kind == "ingest" else ["events:read"]}
    return tokens.issue(kind, name, **{**usual, **options})


@pytest.mark.parametrize("width", [1280, 390])
def test_it_issues_copies_and_waits_without_losing_the_page(browser, administrator, width):
    visit = browser.open(url("add"), administrator, width=width)
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.page.fill("#id_name", "payments-laptops")
    visit.page.click("text=Issue token")
    secret = visit.page.text_content("#secret")
    token = IngestToken.objects.get()
    assert bytes(token.digest) == tokens.digest(secret)

    visit.page.click("text=Copy token")
    visit.page.wait_for_selector(".copied")
    assert visit.page.evaluate("navigator.clipboard.readText()") == secret
    visit.page.click("text=Copy settings")
    visit.page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('OTEL_LOGS_EXPORTER')")
    assert secret in visit.page.evaluate("navigator.clipboard.readText()")

    assert visit.page.is_visible("text=Nothing received yet.")
    Token.objects.filter(pk=token.pk).update(
        first_event_at=timezone.now(), last_used_at=timezone.now(), last_used_address="192.0.2.7"
    )
    visit.page.wait_for_selector("text=First event received.")
    assert visit.page.is_visible("text=from 192.0.2.7")
    assert visit.page.text_content("[data-waiting-badge]").strip() == "Active"
    assert visit.page.text_content("#secret") == secret
    visit.assert_harmless()


def test_loading_the_issued_page_again_issues_nothing_and_says_so(browser, administrator):
    visit = browser.open(url("add"), administrator)
    visit.page.fill("#id_name", "payments-laptops")
    visit.page.click("text=Issue token")
    secret = visit.page.text_content("#secret")
    visit.page.reload()
    assert visit.page.is_visible("text=It cannot be shown again")
    assert secret not in visit.page.content()
    assert Token.objects.count() == 1


def test_the_path_of_each_platform_is_one_tab_away(browser, administrator):
    token, _ = issue()
    visit = browser.open(url("change", token), administrator)
    visit.page.click("role=tab[name='Windows']")
    assert visit.page.inner_text("#path-windows") == "C:\\Program Files\\ClaudeCode\\managed-settings.json"
    assert not visit.page.is_visible("#path-linux")
    visit.page.keyboard.press("ArrowLeft")
    assert visit.page.inner_text("#path-linux") == "/etc/claude-code/managed-settings.json"


def test_without_script_everything_is_there(browser, administrator):
    token, _ = issue()
    visit = browser.open(url("change", token), administrator, script=False)
    for platform in ("macos", "linux", "windows", "individual"):
        assert visit.page.is_visible(f"#path-{platform}")
    Token.objects.filter(pk=token.pk).update(first_event_at=timezone.now(), last_used_at=timezone.now())
    visit.page.click("text=Look again")
    assert visit.page.is_visible("text=Active")


def test_it_revokes_after_a_reason(browser, administrator):
    token, _ = issue()
    visit = browser.open(url("change", token), administrator)
    visit.page.click("text=Revoke")
    visit.page.click("text=Revoke token")
    assert visit.page.is_visible("text=Say why")
    visit.page.fill("#id_reason", HOSTILE)
    visit.page.click("text=Revoke token")
    assert visit.page.is_visible(".messagelist")
    visit.assert_harmless()
    token.refresh_from_db()
    assert token.state == "revoked"


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_text_stays_text_on_every_page(browser, administrator, width):
    token, _ = issue(name=re.sub(r"[\x00-\x1f\u202e]", "", HOSTILE), networks=["10.0.0.0/8", "2001:db8::/32"])
    old, _ = issue(name="old")
    tokens.rotate(old, by=HOSTILE)
    revoked, _ = issue(name="revoked")
    tokens.revoke(revoked, HOSTILE, by=HOSTILE)
    Token.objects.update(
        last_used_at=timezone.now(),
        last_used_address=HOSTILE,
        last_refused_at=timezone.now(),
        last_refused_address=HOSTILE,
        refusals={HOSTILE: 3},
    )
    token.source.team = token.source.environment = HOSTILE
    token.source.save()
    pages = [
        url("changelist"),
        url("add"),
        url("changelist", model="apitoken"),
        url("add", model="apitoken"),
        url("changelist", model="source"),
        url("change", token.source, model="source"),
        *(url(page, token) for page in ("change", "rotate", "revoke", "history")),
        url("change", old),
        url("change", revoked),
    ]
    visit = browser.open(pages[0], administrator, width=width)
    for page in pages:
        visit.go(page)
        assert visit.status == 200, page
        assert not visit.page.query_selector("img[src='x']"), page
        visit.assert_harmless()
