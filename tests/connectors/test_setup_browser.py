"""Choosing, copying and saving settings in Chromium, and looking over others."""

import json
import plistlib

import pytest
from django.urls import reverse

from connectors import tokens
from connectors.models import CanaryRun, IngestToken
from tests.connectors.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def administrator():
    return person("Connector administrator")


@pytest.fixture
def issued(browser, administrator, settings):
    """The page that shows a new token."""
    settings.OTLP_PUBLIC_URL = "https://otlp.acme.example"

    def opened(**how):
        visit = browser.open(reverse("admin:connectors_ingesttoken_add"), administrator, **how)
        visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit.page.fill("#id_name", "payments-laptops")
        visit.page.click("text=Issue token")
        return visit

    return opened


def copied(visit, name):
    visit.page.click(f"[data-copy={name}]")
    visit.page.wait_for_selector(f"[data-copy={name}].copied")
    return visit.page.evaluate("navigator.clipboard.readText()")


def saved(visit, name):
    with visit.page.expect_download() as download:
        visit.page.click(f"[data-save={name}]")
    assert download.value.url.startswith("blob:"), "no address holds it"
    return download.value.suggested_filename, download.value.path().read_bytes()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_a_level_and_an_interval_are_chosen_copied_and_saved(issued, width, dark):
    visit = issued(width=width, dark=dark)
    secret = visit.page.text_content("#secret")
    visit.page.wait_for_selector("#snippet")
    assert not visit.page.is_visible("#metadata-settings")

    visit.page.check("input[name=level][value=metadata]")
    assert not visit.page.is_visible("#snippet")
    visit.page.wait_for_selector("text=which MCP server it was: they are all called")
    visit.page.select_option("#interval", label="every hour")
    environment = json.loads(copied(visit, "metadata-settings"))["env"]
    assert environment["OTEL_LOG_TOOL_DETAILS"] == "0"
    assert environment["OTEL_METRIC_EXPORT_INTERVAL"] == "3600000"
    assert environment["OTEL_LOGS_EXPORT_INTERVAL"] == "5000"
    assert environment["OTEL_EXPORTER_OTLP_HEADERS"] == f"Authorization=Bearer {secret}"

    visit.page.click("role=tab[name='macOS']")
    name, data = saved(visit, "metadata-profile")
    assert name == "claude-code-telemetry.mobileconfig"
    assert plistlib.loads(data)["PayloadContent"][0]["env"] == environment
    visit.page.click("role=tab[name='Windows']")
    name, data = saved(visit, "metadata-registry")
    text = data.decode("utf-16")
    assert (name, data[:2]) == ("claude-code-telemetry.reg", b"\xff\xfe")
    assert text.startswith("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE")
    assert secret in text

    visit.page.click("role=tab[name='Shell']")
    assert not visit.page.is_visible("#metadata-settings")
    visit.page.wait_for_selector("#metadata-shell")
    visit.page.click("role=tab[name='Codex']")
    visit.page.wait_for_selector("text=Can it be forced?")
    assert not visit.page.is_visible("#metadata-shell")
    visit.assert_harmless()
    assert secret not in visit.page.url
    assert visit.unnamed == []


def test_without_script_every_level_stands_under_its_own_choice(browser, administrator):
    token, _ = tokens.issue("ingest", "laptops", by="rosa", scopes=["logs", "metrics"])
    url = reverse("admin:connectors_ingesttoken_change", args=[token.pk])
    visit = browser.open(url, administrator, script=False)
    visit.page.check("input[name=level][value=full]")
    visit.page.wait_for_selector("#full-settings")
    assert not visit.page.is_visible("#snippet")
    assert not visit.page.is_visible("text=Save as")


@pytest.mark.parametrize("width", [1280, 390])
def test_settings_are_looked_over_and_stay_in_their_box(browser, administrator, settings, width):
    settings.OTLP_PUBLIC_URL = "https://otlp.acme.example"
    _, secret = tokens.issue("ingest", "laptops", by="rosa", scopes=["logs", "metrics"])
    pasted = json.dumps(
        {"env": {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {secret}", "OTEL_LOGS_EXPORTER": "otlp"}}
    )
    visit = browser.open(reverse("admin:connectors_linter"), administrator, width=width)
    visit.page.fill("#id_text", pasted)
    visit.page.fill("#id_place", r"C:\ProgramData\ClaudeCode\managed-settings.json")
    visit.page.click("text=Look it over")
    visit.page.wait_for_selector("text=Not all of it will work as it is")
    visit.page.wait_for_selector("text=Claude Code has no default for it")
    visit.page.wait_for_selector("text=ProgramData is no longer read")
    visit.page.wait_for_selector("text=The token is “laptops”, and works.")
    assert visit.page.input_value("#id_text") == pasted
    assert secret not in visit.page.inner_text("#remarks")
    visit.assert_harmless()


def test_without_script_the_box_comes_back_empty(browser, administrator):
    _, secret = tokens.issue("ingest", "laptops", by="rosa", scopes=["logs", "metrics"])
    visit = browser.open(reverse("admin:connectors_linter"), administrator, script=False)
    visit.page.fill("#id_text", f"OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer {secret}")
    visit.page.click("text=Look it over")
    visit.page.wait_for_selector("text=Not all of it will work as it is")
    assert secret not in visit.page.content()


def test_a_pasted_token_that_is_another_is_told_at_once(browser, administrator):
    token, _ = tokens.issue("ingest", "laptops", by="rosa", scopes=["logs", "metrics"])
    _, other = tokens.issue("ingest", "servers", by="rosa", scopes=["logs", "metrics"])
    visit = browser.open(reverse("admin:connectors_ingesttoken_change", args=[token.pk]), administrator)
    visit.page.fill("#probe-secret", other)
    visit.page.click("text=Send a test event")
    visit.page.wait_for_selector("text=That is another token")
    assert not CanaryRun.objects.exists()
    assert IngestToken.objects.count() == 2


def test_the_collectors_page_fits_a_phone(browser, administrator):
    url = f"{reverse('admin:connectors_collector')}?signals=both&encoding=json&existing=awsemf&cloud=aws"
    visit = browser.open(url, administrator, width=390)
    visit.page.wait_for_selector("#config")
    name, data = saved(visit, "config")
    assert (name, b"exporters: [awsemf, otlp_http/agent_governance]" in data) == ("agent-governance.yaml", True)
    visit.assert_harmless()
