"""The pages of tokens in Chromium."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import tokens
from connectors.models import IngestToken, Installation, RevocationReceipt, Token
from connectors.tokens import receipts
from tests.connectors.clients import sent
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

    assert visit.page.locator(".steps > li.done").count() == 0
    visit.page.click("text=Copy token")
    visit.page.wait_for_selector("[data-copy=secret].copied")
    assert visit.page.inner_text(".steps > li.done > h2") == "Copy the token now"
    assert visit.page.evaluate("navigator.clipboard.readText()") == secret
    visit.page.click("text=Copy settings")
    visit.page.wait_for_selector("[data-copy=snippet].copied")
    settings = visit.page.evaluate("navigator.clipboard.readText()")
    assert "OTEL_LOGS_EXPORTER" in settings
    assert secret in settings

    visit.page.wait_for_selector("text=Nothing received yet.")
    Token.objects.filter(pk=token.pk).update(
        first_event_at=timezone.now(), last_used_at=timezone.now(), last_used_address="192.0.2.7"
    )
    visit.page.wait_for_selector("text=First event received.")
    visit.page.wait_for_selector("text=from 192.0.2.7")
    assert visit.page.text_content("[data-waiting-badge]").strip() == "Active"
    assert visit.page.text_content("#secret") == secret
    visit.assert_harmless()


def test_a_token_that_is_copied_by_keyboard_is_copied(browser, administrator):
    visit = browser.open(url("add"), administrator)
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.page.fill("#id_name", "payments-laptops")
    visit.page.click("text=Issue token")
    visit.page.wait_for_selector("#secret")
    visit.page.evaluate("getSelection().selectAllChildren(document.querySelector('.page-head h1'))")
    visit.page.keyboard.press("Control+C")
    visit.page.evaluate("getSelection().selectAllChildren(document.getElementById('secret'))")
    assert visit.page.locator(".steps > li.done").count() == 0
    visit.page.keyboard.press("Control+C")
    visit.page.wait_for_selector(".steps > li.done >> text=Copy the token now")
    visit.assert_harmless()


def test_without_script_the_token_is_a_reminder(browser, administrator):
    visit = browser.open(url("add"), administrator, script=False)
    visit.page.fill("#id_name", "payments-laptops")
    visit.page.click("text=Issue token")
    visit.page.wait_for_selector("#secret")
    assert visit.page.locator(".steps > li").count() == 3
    assert visit.page.locator(".steps > li.done").count() == 0


def test_loading_the_issued_page_again_issues_nothing_and_says_so(browser, administrator):
    visit = browser.open(url("add"), administrator)
    visit.page.fill("#id_name", "payments-laptops")
    visit.page.click("text=Issue token")
    secret = visit.page.text_content("#secret")
    visit.page.reload()
    visit.page.wait_for_selector("text=It cannot be shown again")
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
        visit.page.wait_for_selector(f"#path-{platform}")
    Token.objects.filter(pk=token.pk).update(first_event_at=timezone.now(), last_used_at=timezone.now())
    visit.page.click("text=Look again")
    visit.page.wait_for_selector("text=Active")


@pytest.mark.parametrize("width", [1280, 390])
def test_it_revokes_after_a_reason_and_shows_the_receipt(browser, administrator, width):
    token, _ = issue()
    sent(token)
    visit = browser.open(url("change", token), administrator, width=width)
    visit.page.click("text=Revoke")
    visit.page.wait_for_selector("text=dana-mbp")
    visit.assert_harmless()
    visit.page.click("text=Revoke token")
    visit.page.wait_for_selector("text=Say why")
    visit.page.fill("#id_reason", HOSTILE)
    visit.page.fill("#id_confirm", token.last_four)
    visit.page.click("text=Revoke token")
    visit.page.wait_for_selector(".messagelist")
    visit.page.wait_for_selector("text=Receipt of a revocation")
    visit.page.wait_for_selector("text=Settled.")
    visit.assert_harmless()
    token.refresh_from_db()
    assert token.state == "revoked"


def test_a_receipt_that_settles_says_when_it_has(browser, administrator, monkeypatch):
    token, _ = issue()
    tokens.revoke(token, "stolen", by="rosa")
    real = receipts._look
    monkeypatch.setattr(receipts, "_look", lambda receipt: (timezone.now(), False))
    visit = browser.open(url("receipt", token), administrator)
    visit.page.wait_for_selector("text=Settling.")
    monkeypatch.setattr(receipts, "_look", real)
    visit.page.wait_for_selector("text=Settled.")
    visit.assert_harmless()


@pytest.mark.parametrize("width", [1280, 390])
def test_it_rotates_and_shows_who_stays_behind(browser, administrator, width):
    token, _ = issue()
    Token.objects.filter(pk=token.pk).update(first_event_at=timezone.now(), last_used_at=timezone.now())
    visit = browser.open(url("change", token), administrator, width=width)
    visit.page.click("text=Rotate")
    visit.page.click("text=Rotate token")
    secret = visit.page.text_content("#secret")
    assert bytes(Token.objects.get(rotated_from=token).digest) == tokens.digest(secret)
    sent(token, host="still-mbp")
    visit.go(url("change", token))
    visit.page.wait_for_selector("text=1 still with this token")
    visit.page.click("text=What to send those who still use it")
    visit.page.wait_for_selector("#snippet")
    visit.assert_harmless()
    visit.page.click("text=1 still with this token")
    visit.page.wait_for_selector("text=still-mbp")
    visit.page.click("role=link[name='still-mbp']")
    visit.page.wait_for_selector("text=OTEL_LOG_USER_PROMPTS")
    visit.assert_harmless()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_leaked_token_ends_with_its_uses_shown(browser, administrator, width):
    token, secret = issue()
    sent(token)
    visit = browser.open(url("changelist"), administrator, width=width)
    visit.page.click("text=Leaked?")
    visit.page.fill("#id_secret", "hunter2")
    visit.page.click("text=Revoke it and show its uses")
    visit.page.wait_for_selector("text=There is no token of this portal in it")
    assert visit.page.input_value("#id_secret") == ""
    visit.assert_harmless()
    visit.page.fill("#id_secret", f"Authorization: Bearer {secret}")
    visit.page.fill("#id_where", HOSTILE)
    visit.page.click("text=Revoke it and show its uses")
    visit.page.wait_for_selector("text=192.0.2.7")
    assert secret not in visit.page.content()
    visit.assert_harmless()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_source_is_narrowed_and_says_what_it_takes(browser, administrator, width):
    token, _ = issue()
    sent(token)
    visit = browser.open(url("change", token.source, model="source"), administrator, width=width)
    visit.page.select_option("#id_signals", "metrics")
    visit.page.select_option("#id_content", "drop")
    visit.page.fill("#id_expected_installations", "3")
    visit.page.click("role=button[name='Save and continue editing']")
    visit.page.wait_for_selector("text=fewer than expected")
    visit.assert_harmless()
    visit.go(url("changelist", model="source"))
    visit.page.wait_for_selector("text=metrics only")
    visit.assert_harmless()


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
    sent(token, host=HOSTILE, version=HOSTILE, who=HOSTILE)
    RevocationReceipt.objects.update(first_refused_at=timezone.now(), first_refused_address=HOSTILE)
    token.source.team = token.source.environment = HOSTILE
    token.source.save()
    pages = [
        url("changelist"),
        url("add"),
        url("changelist", model="apitoken"),
        url("add", model="apitoken"),
        url("changelist", model="source"),
        url("change", token.source, model="source"),
        *(url(page, token) for page in ("change", "rotate", "revoke", "history", "leak")),
        url("change", old),
        url("change", revoked),
        url("receipt", revoked),
        url("leaked"),
        url("changelist", model="installation"),
        url("change", Installation.objects.get(), model="installation"),
    ]
    visit = browser.open(pages[0], administrator, width=width)
    for page in pages:
        visit.go(page)
        assert visit.status == 200, page
        assert not visit.page.query_selector("img[src='x']"), page
        visit.assert_harmless()
