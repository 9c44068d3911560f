"""Who sees what: every page of evidence, for every role."""

import pytest
from django.urls import reverse

from audit.models import Event, McpServer, ToolUse
from tests.audit.admin.evidence import a_session
from tests.factories import of_agents
from tests.portal.people import ADMINISTRATOR, CONNECTOR, REVIEWER, SIEM, person

pytestmark = pytest.mark.django_db


def pages() -> list[str]:
    session = a_session()
    event = Event.objects.get(kind="tool_decision", tool_use_id="t-1")
    models = ("session", "event", "tooluse", "modechange", "mcpconnection", "mcpserver")
    change = reverse("admin:audit_modechange_change", args=[Event.objects.get(kind="mode_change").pk])
    return [
        *(reverse(f"admin:audit_{model}_changelist") for model in models),
        *(reverse(f"admin:audit_{model}_download", args=["csv"]) for model in models),
        reverse("admin:audit_session_change", args=[session.pk]),
        reverse("admin:audit_session_panel", args=[session.pk, event.pk]),
        reverse("admin:audit_event_change", args=[event.pk]),
        *(
            reverse("admin:audit_event_part", args=[event.pk, part])
            for part in ("header", "facts", "content", "subject")
        ),
        change,
        reverse("admin:audit_mcpserver_change", args=[McpServer.objects.get().pk]),
        reverse("admin:search") + "?q=nothing",
    ]


def test_a_reviewer_sees_all_evidence_with_content_and_people(as_user):
    client = as_user(person(REVIEWER))
    addresses = pages()
    assert [client.get(url).status_code for url in addresses] == [200] * len(addresses)
    session = client.get(reverse("admin:audit_session_change", args=[ToolUse.objects.first().session_id]))
    for told in ("dana@acme.example", "rm -rf build", "Fix the rounding"):
        assert told in session.content.decode()


@pytest.mark.parametrize("role", [CONNECTOR, ADMINISTRATOR])
def test_administrators_see_no_evidence(as_user, role):
    client = as_user(person(role))
    addresses = pages()
    assert [client.get(url).status_code for url in addresses] == [403] * len(addresses)
    overview = client.get(reverse("admin:index")).content.decode()
    assert reverse("admin:audit_session_changelist") not in overview


def test_someone_without_any_role_sees_no_evidence(as_user):
    client = as_user(person())
    addresses = pages()
    assert [client.get(url).status_code for url in addresses] == [403] * len(addresses)


@pytest.mark.parametrize("who", ["anonymous", "exporter", "not staff"])
def test_others_are_sent_to_the_login(client, as_user, who):
    if who == "exporter":
        client = as_user(person(SIEM))
    elif who == "not staff":
        client = as_user(person(REVIEWER, is_staff=False))
    for url in pages():
        response = client.get(url)
        assert response.status_code == 302
        assert response.url.startswith(reverse("admin:login"))


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_page_of_evidence_takes_anything_but_reading(as_user, method):
    client = as_user(person(REVIEWER, is_superuser=True))
    before = (of_agents().count(), ToolUse.objects.count())
    addresses = pages()
    before = (of_agents().count(), ToolUse.objects.count())
    for url in addresses:
        getattr(client, method)(url, {"action": "delete_selected", "_selected_action": "1"})
    assert (of_agents().count(), ToolUse.objects.count()) == before
