import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from audit.models import Event, McpServer, Session, ToolUse
from tests.audit.admin.evidence import a_session, text_of
from tests.factories import draft, evidence
from tests.portal.people import CONNECTOR, person

pytestmark = pytest.mark.django_db


def look(client, text):
    return client.get(reverse("admin:search"), {"q": text})


def event_url(event):
    return reverse("admin:audit_event_change", args=[event.pk])


@pytest.fixture
def session(db):
    return a_session()


def test_a_sessions_id_opens_it(reviewer, session):
    url = reverse("admin:audit_session_change", args=[session.pk])
    assert look(reviewer, "s-1").status_code == 404 or look(reviewer, str(session.pk)).url == url
    evidence(draft("prompt", session_id="18b9637e-e5ca-4e16-abf7-660eaa3fd3ae"))
    other = Session.objects.get(session_id="18b9637e-e5ca-4e16-abf7-660eaa3fd3ae")
    assert look(reviewer, " 18b9637e-e5ca-4e16-abf7-660eaa3fd3ae ").url == reverse(
        "admin:audit_session_change", args=[other.pk]
    )


@pytest.mark.parametrize(
    "name",
    [
        lambda event: str(event.pk),
        lambda event: event.pk.hex,
        lambda event: f"#{event.seal.seq}",
        lambda event: str(event.seal.seq),
        lambda event: bytes(event.leaf_hash).hex(),
        lambda event: bytes(event.leaf_hash).hex().upper(),
    ],
    ids=["id", "id without dashes", "number", "bare number", "leaf hash", "leaf hash in capitals"],
)
def test_an_event_is_opened_by_its(reviewer, session, name):
    event = Event.objects.get(kind="tool_decision", tool_use_id="t-1")
    assert look(reviewer, name(event)).url == event_url(event)


def test_a_number_is_read_with_its_thin_spaces(reviewer, session):
    assert look(reviewer, "# 3").status_code == 302
    assert "Nothing is called or says that" in text_of(look(reviewer, "#1\u202f284\u202f119"))


def test_a_tool_use_a_prompt_and_a_request_are_opened_by_their_ids(reviewer, session):
    evidence(
        draft("prompt", prompt_id="0b0b0b0b-0000-4000-8000-000000000001"),
        draft("api_request", request_id="req_011CSHo"),
        draft("tool_decision", tool_use_id="toolu_01ABC", decision="accept"),
    )
    for text, kind in (
        ("0b0b0b0b-0000-4000-8000-000000000001", "prompt"),
        ("req_011CSHo", "api_request"),
        ("toolu_01ABC", "tool_decision"),
    ):
        event = Event.objects.filter(kind=kind).order_by("-id").first()
        assert look(reviewer, text).url == event_url(event)


def test_an_address_leads_to_that_persons_sessions(reviewer, session):
    assert look(reviewer, "dana@acme.example").url == reverse("admin:audit_session_change", args=[session.pk])
    assert look(reviewer, session.subject.pseudonym).url == reverse("admin:audit_session_change", args=[session.pk])


def test_words_pieces_and_servers_are_found_in_groups(reviewer, session):
    text = text_of(look(reviewer, "rounding"))
    assert "Sessions" in text
    assert "Events" in text
    assert "MCP servers prod-db" in text_of(look(reviewer, "prod"))
    assert "Bash rm -rf build" in text_of(look(reviewer, "rm -rf"))


def test_more_than_a_few_hits_lead_to_the_list(reviewer, session):
    evidence(*(draft("prompt", content=(("@prompt", "string", "deploy it"),)) for _ in range(7)))
    response = look(reviewer, "deploy")
    groups = {group.title: group for group in response.context["groups"]}
    assert len(groups["Events"].hits) == 5
    assert reviewer.get(groups["Events"].url).context["cl"].count.number == 7


def test_what_is_not_there_teaches_how_to_ask(reviewer, session):
    text = text_of(look(reviewer, "no such thing"))
    assert "Nothing is called or says that" in text
    assert "How to ask" in text
    assert "What to look for" in text_of(look(reviewer, ""))


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", "%", "_", "\\", "'", "#", "9" * 25, "f" * 63, "\u202e", "x" * 5000, "req_"]
)
def test_odd_texts_are_looked_for(reviewer, session, text):
    assert look(reviewer, text).status_code in (200, 302)


def test_without_the_right_content_and_people_are_not_searched(as_user, session):
    user = person()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_event", "view_session", "view_tooluse"]))
    client = as_user(user)
    for text in ("rounding", "rm -rf build", "dana@acme.example"):
        response = look(client, text)
        assert response.status_code == 200
        assert not response.context["found"]
    assert "that needs the right to see content" in text_of(response)


def test_those_who_may_see_no_evidence_cannot_search_it(as_user, session):
    client = as_user(person(CONNECTOR))
    assert look(client, "rounding").status_code == 403
    assert "Paste any id" not in client.get(reverse("admin:index")).content.decode()


def test_a_server_is_opened_by_its_whole_name(reviewer, session):
    server = McpServer.objects.get()
    titles = [group.title for group in look(reviewer, "prod-db").context["groups"]]
    assert titles[0] == "MCP servers"
    assert ToolUse.objects.filter(mcp_server=server.name).count() == 1
