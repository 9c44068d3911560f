"""Telemetry is hostile: planted in every field, it must be shown, and must not do anything."""

import re

import pytest
from django.urls import reverse

from audit.models import Event, McpServer, Session
from audit.vocabulary import Kind
from tests.audit.admin.evidence import at
from tests.factories import draft, evidence
from tests.portal.people import REVIEWER, person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>&amp;{{7*7}}\u202eevil\u2066\x07\x1b[31m\u200b`"
RAW = re.compile("[\x07\x1b\u202e\u2066\u200b]")
COLUMNS = (
    "prompt_id", "request_id", "agent_id", "tool_source", "mcp_server", "mcp_tool", "mcp_transport", "mcp_status",
    "mcp_scope", "decision_raw", "mode", "from_mode", "to_mode", "trigger", "error", "model", "query_source", "command",
    "path", "host", "grant", "tool_name", "mcp_server_provenance",
)  # fmt: skip
KEYS = (
    "prompt", "response", "error", "tool_input", "tool_parameters", "command_name", "agent_type", "skill.name",
    "hook_event", "hook_name", "plugin.name", "action", "trigger", "managed_settings.trigger", "category", "result",
)  # fmt: skip

EMITTER = (
    "resource@service.name", "@team.id", "@repo", "@cost_center", "scope.version", "@app.entrypoint", "@terminal.type",
    "resource@os.type",
)  # fmt: skip


def hostile(kind: Kind, number: int, **columns):
    """An event with the text in each of its columns, keys and values."""
    texts = tuple((f"@{key}", "string", f"{HOSTILE}{number}") for key in KEYS)
    odd = ((f"@{HOSTILE}", HOSTILE, HOSTILE), ("@list", "array", [["string", HOSTILE]]))
    return draft(
        kind,
        event_name=HOSTILE if number % 2 else kind,
        occurred_at=at(number),
        session_id=f"s {HOSTILE}",
        tool_use_id=f"t {HOSTILE} {number // 2}",
        subject=tuple((key, "string", HOSTILE) for key in ("@user.email", "@user.id", "@host.name")),
        origin=tuple((key, "string", HOSTILE) for key in EMITTER),
        facts=(*texts, *odd),
        content=(*texts, *odd),
        flags=("skew",) if number == 3 else (),
        **dict.fromkeys(COLUMNS, HOSTILE) | columns,
    )  # fmt: skip


@pytest.fixture
def planted(transactional_db):
    kinds = [kind for kind in Kind for _ in range(2)]
    decisions = [{"decision": "accept", "decided_by": HOSTILE, "basis": HOSTILE}, {"decision": HOSTILE}]
    evidence(
        *(
            hostile(kind, number, **(decisions[number % 2] if kind == Kind.TOOL_DECISION else {}))
            for number, kind in enumerate(kinds)
        ),
        source_name=HOSTILE,
        address=HOSTILE,
    )
    return Session.objects.get()


def addresses(session: Session) -> list[str]:
    page = reverse("admin:audit_session_change", args=[session.pk])
    events = Event.objects.order_by("id")
    return [
        *(reverse(f"admin:audit_{model}_changelist") for model in ("session", "event", "tooluse", "modechange")),
        *(reverse(f"admin:audit_{model}_changelist") for model in ("mcpconnection", "mcpserver")),
        *(f"{page}?show={show}" for show in ("steps", "all", "mcp", "errors")),
        *(f"{page}?event={event.pk}" for event in events.filter(kind__in=("tool_decision", "prompt", "hook"))),
        *(
            reverse("admin:audit_event_change", args=[event.pk])
            for event in events.filter(kind__in=("prompt", "other"))
        ),
        *(reverse("admin:audit_event_change", args=[event.pk]) for event in events.filter(kind="tool_decision")),
        reverse("admin:audit_mcpserver_change", args=[McpServer.objects.get().pk]),
        reverse("admin:search") + "?q=evil",
        reverse("admin:audit_event_changelist") + "?q=zzz:1+tool:x+%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ]


def test_hostile_text_is_shown_harmless_on_every_page(browser, planted):
    user = person(REVIEWER)
    visit = browser.open(reverse("admin:index"), user)
    for address in addresses(planted):
        visit.go(address)
        assert r"\u202e" in visit.page.content() or "zzz" in address, address
        assert visit.status == 200, address
        visit.assert_harmless()
        assert not RAW.search(visit.page.inner_text("body")), address
        assert not RAW.search(visit.page.content()), address


def test_hostile_text_is_harmless_in_the_panel_that_script_fills(browser, planted):
    visit = browser.open(reverse("admin:audit_session_change", args=[planted.pk]) + "?show=all", person(REVIEWER))
    links = visit.page.locator("a[data-panel]")
    for index in range(0, links.count(), 3):
        with visit.page.expect_response(lambda answer: "/panel/" in answer.url):
            links.nth(index).click()
        visit.page.wait_for_selector("#panel [role=tab]", state="attached")
        visit.assert_harmless()
    assert not RAW.search(visit.page.content())


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_pages_fit_every_width_and_theme(browser, planted, width, dark):
    page = reverse("admin:audit_session_change", args=[planted.pk])
    visit = browser.open(page, person(REVIEWER), width=width, dark=dark)
    event = Event.objects.filter(kind="tool_decision").first()
    for address in (
        page,
        reverse("admin:audit_session_changelist"),
        reverse("admin:audit_event_change", args=[event.pk]),
        reverse("admin:audit_mcpserver_change", args=[McpServer.objects.get().pk]),
        reverse("admin:search") + "?q=evil",
    ):
        visit.go(address).assert_harmless()


def test_without_script_the_row_leads_to_the_panel(browser, planted):
    page = reverse("admin:audit_session_change", args=[planted.pk])
    visit = browser.open(page, person(REVIEWER), script=False)
    visit.page.locator("a[data-panel]").nth(2).click()
    visit.page.wait_for_url("**event=**")
    assert visit.page.locator("#panel h2").inner_text() != "This session’s telemetry"


def test_keys_move_through_the_timeline_and_the_panel_reads_along(browser, planted):
    page = reverse("admin:audit_session_change", args=[planted.pk])
    visit = browser.open(page, person(REVIEWER), width=1440)
    rows = visit.page.locator(".timeline tbody tr:not(.prompt):has(a[data-panel])")
    for step in range(2):
        with visit.page.expect_response(lambda answer: "/panel/" in answer.url):
            visit.page.keyboard.press("j")
        visit.page.wait_for_selector(f'[id="{rows.nth(step).get_attribute("id")}"][aria-current="true"]')
    visit.assert_harmless()
