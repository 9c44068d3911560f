"""What was erased is shown as erased, on every page that showed it."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from audit import unseen
from audit.export import feed
from audit.export.reading import Reader
from audit.models import Event, RetentionRule, Session
from audit.privacy import erasing, people, retention
from tests.factories import draft, evidence, seal
from tests.portal import people as roles

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

VERA = (("@user.email", "string", "vera@acme.example"),)
LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)


@pytest.fixture
def reviewer() -> Client:
    client = Client()
    client.force_login(roles.person(roles.REVIEWER), backend=roles.BACKEND)
    return client


@pytest.fixture
def erased():
    """A session whose person is erased, then the facts of its decision; the rest of the facts are there."""
    tool = {"tool_use_id": "tu-1", "tool_name": "Bash", "decision": "accept", "decided_by": "person"}
    facts = [("@event.name", "string", "tool_decision"), ("@tool_name", "string", "Read")]
    mine = {"subject": VERA, "session_id": "v-1"}
    evidence(
        draft("prompt", content=[("@prompt", "string", "plans")], **mine),
        draft("tool_decision", facts=facts, content=[("@tool_input", "string", "/x")], path="/x", **tool, **mine),
        draft("tool_result", facts=facts, tool_use_id="tu-1", tool_name="Bash", outcome="success", **mine),
    )
    erasing.run(erasing.ask(people.find("vera@acme.example"), reason="Request 17 of theirs", by="officer"))
    RetentionRule.objects.create(part="facts", kind="tool_decision", days=1, exception="for this test")
    retention.run("officer", LATER)
    seal()


def test_every_page_opens_and_says_so(erased, reviewer):
    session = Session.objects.get()
    page = reviewer.get(reverse("admin:audit_session_change", args=[session.pk])).content.decode()
    assert "Content of 2 events of this session was erased" in page
    assert "text not sent" not in page
    assert {each.name: each.on for each in unseen.switches(session)}["OTEL_LOG_TOOL_DETAILS"] is None
    for event in Event.objects.filter(agent="claude_code"):
        shown = reviewer.get(reverse("admin:audit_event_change", args=[event.pk]))
        assert shown.status_code == 200
        assert "erased" in shown.content.decode().lower(), event.kind
        assert reviewer.get(reverse("admin:audit_session_panel", args=[session.pk, event.pk])).status_code == 200
    for listing in ("event", "tooluse", "session"):
        assert reviewer.get(reverse(f"admin:audit_{listing}_changelist")).status_code == 200
        download = reviewer.get(reverse(f"admin:audit_{listing}_download", args=["csv"]))
        assert b"vera" not in b"".join(download.streaming_content)


def test_the_feed_flags_it(erased):
    lines = feed.page(-1, 3, Reader(with_content=True, with_identity=True)).lines
    assert lines.count(b'"erased"') == 3
    assert b"vera" not in lines
