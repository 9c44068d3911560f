import hashlib
import json
import uuid

import pytest
from django.urls import reverse

from audit.models import Content, Event
from tests.audit.admin.evidence import a_session, text_of

pytestmark = pytest.mark.django_db


def page(client, event):
    response = client.get(reverse("admin:audit_event_change", args=[event.pk]))
    assert response.status_code == 200
    return response


@pytest.fixture
def decision(db):
    a_session()
    return Event.objects.get(kind="tool_decision", tool_use_id="t-1")


def test_it_shows_all_there_is_of_an_event(reviewer, decision):
    text = text_of(page(reviewer, decision))
    assert f"Tool decision #{decision.seal.seq}" in text
    assert "Decided by person stated" in text
    assert f"Leaf hash {bytes(decision.leaf_hash).hex()}" in text
    assert "@user.email dana@acme.example" in text
    assert "Source laptops source 1, token 1" in text
    assert "Address 192.0.2.7" in text
    assert '[["@tool_parameters","string","{\\"full_command\\":\\"rm -rf build\\"}"]]' in text


def test_it_leads_to_the_session_and_to_the_other_half_of_the_tool_use(reviewer, decision):
    body = page(reviewer, decision).content.decode()
    result = Event.objects.get(kind="tool_result", tool_use_id="t-1")
    assert reverse("admin:audit_event_change", args=[result.pk]) in body
    assert reverse("admin:audit_session_change", args=[decision.session]) + f"?event={decision.pk}" in body


@pytest.mark.parametrize("part", ["header", "subject", "origin", "facts", "content"])
def test_the_bytes_of_each_part_are_those_that_were_hashed(reviewer, decision, part):
    response = reviewer.get(reverse("admin:audit_event_part", args=[decision.pk, part]))
    stored = {
        "header": decision.header,
        "facts": decision.facts,
        "subject": decision.subject.bytes,
        "origin": decision.origin.bytes,
        "content": Content.objects.get(pk=decision.pk).bytes,
    }
    assert hashlib.sha256(response.content).digest() == hashlib.sha256(bytes(stored[part])).digest()
    assert json.loads(response.content)
    assert response["Content-Disposition"].startswith("attachment")
    assert "no-store" in response["Cache-Control"]


def test_a_part_that_is_not_there_is_not_found(reviewer, decision):
    prompt = Event.objects.get(kind="prompt", prompt_id="p-2")
    assert reviewer.get(reverse("admin:audit_event_part", args=[prompt.pk, "content"])).status_code == 404
    assert reviewer.get(reverse("admin:audit_event_part", args=[prompt.pk, "secrets"])).status_code == 404
    assert "This event has no such part." in text_of(page(reviewer, prompt))


@pytest.mark.parametrize("key", [uuid.uuid4(), "nonsense", "1"])
def test_an_event_that_is_none_is_not_found(reviewer, decision, key):
    assert reviewer.get(f"/admin/audit/event/{key}/change/").status_code == 404


@pytest.mark.parametrize("model", ["modechange", "mcpconnection"])
def test_lists_of_one_kind_open_only_their_own_events(reviewer, decision, model):
    assert reviewer.get(reverse(f"admin:audit_{model}_change", args=[decision.pk])).status_code == 404
    kind = {"modechange": "mode_change", "mcpconnection": "mcp_connection"}[model]
    own = Event.objects.get(kind=kind)
    assert reviewer.get(reverse(f"admin:audit_{model}_change", args=[own.pk])).status_code == 200


def test_a_long_text_is_cut_and_says_where_the_rest_is(reviewer):
    a_session(content=(("@prompt", "string", "x" * 100_000),))
    prompt = Event.objects.filter(kind="prompt").first()
    response = page(reviewer, prompt)
    assert "The whole text is in the exact bytes" in text_of(response)
    assert len(response.content) < 200_000
    part = reviewer.get(reverse("admin:audit_event_part", args=[prompt.pk, "content"]))
    assert len(part.content) > 100_000
