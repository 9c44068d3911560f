"""What is shown of evidence is recorded first; what cannot be recorded is not shown."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import URLPattern, URLResolver, reverse

from audit.admin.recording import RecordedPages
from audit.models import Event, McpServer, Session, ToolUse
from connectors.models import Installation
from ingest.models import Quarantined
from tests.audit.admin.evidence import a_session
from tests.factories import acts, draft, evidence, of_agents
from tests.portal.people import REVIEWER, person

pytestmark = pytest.mark.django_db

NOT_EVIDENCE = {
    "auth.user", "auth.group", "axes.accessattempt", "axes.accesslog", "axes.accessfailurelog", "connectors.apitoken",
    "connectors.ingesttoken", "connectors.source", "django_celery_beat.clockedschedule", "ingest.answered",
    "django_celery_beat.crontabschedule", "django_celery_beat.intervalschedule", "django_celery_beat.periodictask",
    "audit.hold", "audit.retentionrule", "audit.retentionrun", "audit.erasure", "audit.evidencepack",
    "audit.verification", "connectors.backfill", "connectors.canaryrun", "connectors.connection", "connectors.covered",
    "connectors.device", "connectors.identity", "connectors.keyrotation", "connectors.person", "connectors.price",
    "connectors.pull", "connectors.reported", "connectors.seat", "connectors.team", "connectors.usageday",
}  # fmt: skip
"""Models in the admin that show no evidence, or record by themselves what they give out (tests/audit/privacy, packs).
Whatever is added must be here, or be recorded."""

NOT_EVIDENCE_PAGES = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site",
    "app_list", "connectors_linter", "connectors_collector",
}  # fmt: skip


@pytest.fixture
def rosa(as_user):
    return as_user(person(REVIEWER, username="rosa", is_superuser=True))


@pytest.fixture
def session(rosa):
    return a_session()


def shown(*names):
    """Acts that show evidence, without what goes by itself: the log-in."""
    found = acts(*names)
    return [act for act in found if act["name"].startswith("evidence.")]


def test_a_session_is_recorded_once_an_hour_with_what_was_shown_of_it(rosa, session):
    page = reverse("admin:audit_session_change", args=[session.pk])
    for address in (page, page, f"{page}?show=all"):
        assert rosa.get(address).status_code == 200
    assert shown() == [
        {
            "name": "evidence.viewed", "by": "rosa", "object.kind": "session", "object.id": str(session.pk),
            "content.shown": True, "identity.shown": True,
        }
    ]  # fmt: skip


def test_it_says_when_neither_content_nor_people_were_shown(as_user, session):
    from django.contrib.auth.models import Permission

    user = person(username="tom")
    user.user_permissions.set(Permission.objects.filter(codename="view_session"))
    assert as_user(user).get(reverse("admin:audit_session_change", args=[session.pk])).status_code == 200
    (act,) = shown()
    assert (act["by"], act["content.shown"], act["identity.shown"]) == ("tom", False, False)


def test_an_event_is_one_object_on_its_page_and_in_the_panel(rosa, session):
    event = Event.objects.get(kind="tool_decision", tool_use_id="t-1")
    rosa.get(reverse("admin:audit_session_panel", args=[session.pk, event.pk]))
    rosa.get(reverse("admin:audit_event_change", args=[event.pk]))
    rosa.get(reverse("admin:audit_event_change", args=[event.pk.hex]))
    assert [(act["object.kind"], act["object.id"]) for act in shown()] == [("event", str(event.pk))]
    for part in ("content", "facts"):
        rosa.get(reverse("admin:audit_event_part", args=[event.pk, part]))
    assert [act.get("part") for act in shown()] == [None, "content", "facts"]


def test_a_list_is_recorded_once_an_hour_whatever_is_asked(rosa, session):
    for query in ("", "tool:Bash", "decision:reject"):
        rosa.get(reverse("admin:audit_session_changelist"), {"q": query})
    rosa.get(reverse("admin:audit_tooluse_changelist"))
    assert [(act["name"], act["list"], "query" in act) for act in shown()] == [
        ("evidence.listed", "sessions", False),
        ("evidence.listed", "tool-uses", False),
    ]


@pytest.mark.parametrize("query", ["person:dana@acme.example", "tool:Bash person:p-1a2b3c4d", "dana@acme.example"])
@pytest.mark.parametrize("page", ["audit_session_changelist", "audit_event_changelist", "search"])
def test_a_search_for_a_person_is_recorded_each_time_with_its_words(rosa, session, page, query):
    for _ in range(2):
        assert rosa.get(reverse(f"admin:{page}"), {"q": query}).status_code in (200, 302)
    assert [(act["by"], act["query"]) for act in shown("evidence.listed")] == [("rosa", query)] * 2


def test_a_person_who_is_named_beside_the_query_is_kept_with_it(rosa, session):
    subject = of_agents().first().subject_id
    rosa.get(reverse("admin:audit_event_changelist"), {"subject": str(subject)})
    assert [act.get("parameters") for act in shown("evidence.listed")] == [f"subject={subject}"]


def test_words_and_people_are_in_the_erasable_parts_only(rosa, session):
    rosa.get(reverse("admin:audit_session_changelist"), {"q": "person:dana@acme.example"})
    rosa.get(reverse("admin:audit_session_download", args=["csv"]), {"q": "person:dana@acme.example"})
    for event in Event.objects.filter(agent="portal"):
        for word in (b"dana", b"rosa"):
            assert word not in bytes(event.facts) + bytes(event.header)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_each_download_is_recorded(rosa, session, form):
    for _ in range(2):
        response = rosa.get(reverse("admin:audit_tooluse_download", args=[form]), {"q": "tool:Bash"})
        assert response.status_code == 200
    told = {"list": "tool-uses", "format": form, "query": "tool:Bash"}
    assert [{key: act[key] for key in told} for act in shown("evidence.downloaded")] == [told] * 2


@pytest.mark.parametrize("address", ["audit_session_changelist", "search"])
def test_what_is_refused_is_not_recorded_as_shown(as_user, session, address):
    assert as_user(person(username="tom")).get(reverse(f"admin:{address}"), {"q": "x"}).status_code == 403
    assert shown() == []


def test_what_is_not_there_is_not_recorded(rosa, session):
    assert rosa.get(reverse("admin:audit_event_change", args=[session.pk])).status_code == 404
    assert shown() == []


def addresses(session: Session) -> dict[str, str]:
    event = Event.objects.get(kind="tool_decision", tool_use_id="t-1")
    keys = {
        "audit_session": session.pk, "audit_event": event.pk, "audit_tooluse": ToolUse.objects.first().pk,
        "audit_modechange": Event.objects.get(kind="mode_change").pk, "audit_mcpserver": McpServer.objects.get().pk,
        "audit_mcpconnection": Event.objects.get(kind="mcp_connection").pk,
    }  # fmt: skip
    values = {"session": session.pk, "event": event.pk, "part": "content", "form": "csv"}
    if item := Quarantined.objects.first():
        keys["ingest_quarantined"] = item.pk
    if item := Installation.objects.first():
        keys["connectors_installation"] = item.pk
    found = {}
    for model, url in evidence_addresses():
        names = url.pattern.converters
        args = {name: keys[model] if name == "object_id" else values[name] for name in names}
        found[url.name] = reverse(f"admin:{url.name}", kwargs=args)
    return found


def evidence_addresses() -> Iterator[tuple[str, URLPattern]]:
    """Every address of the admin that is not known to show no evidence."""
    for url in admin.site.get_urls():
        if isinstance(url, URLPattern):
            if url.name not in {*NOT_EVIDENCE_PAGES, None}:
                yield "", url
            continue
        for model, model_admin in admin.site._registry.items():
            if model._meta.label_lower not in NOT_EVIDENCE and is_of(url, model):
                assert isinstance(model_admin, RecordedPages), f"{model_admin} shows evidence, or does it not?"
                prefix = f"{model._meta.app_label}_{model._meta.model_name}"
                yield from ((prefix, each) for each in url.url_patterns if each.name)


def is_of(url: URLResolver, model: type) -> bool:
    return str(url.pattern) == f"{model._meta.app_label}/{model._meta.model_name}/"


@pytest.fixture
def installation(session):
    event = of_agents().first()
    return Installation.objects.create(
        token_id=event.token_id, source_id=event.source_id, agent=event.agent, subject_id=event.subject_id,
        origin_id=event.origin_id, first_at=event.received_at, last_at=event.received_at, events=1,
    )  # fmt: skip


@pytest.fixture
def quarantined(db):
    return Quarantined.objects.create(
        received_at="2026-11-21T12:00Z", token_id=1, source_id=1, source_name="laptops", address="", signal="logs",
        encoding="json", reason="not read", whole=False, length=2, sha256=bytes(32), request=b"{}",
    )  # fmt: skip


def test_every_address_that_shows_evidence_leaves_an_act(as_user, session, quarantined, installation):
    """An address that is added shows nothing, or leaves an act, or fails here. Each is looked at by somebody else."""
    found = addresses(session)
    assert {"search", "audit_session_panel", "audit_event_part", "ingest_quarantined_change"} <= found.keys()
    answers = {}
    for name, address in found.items():
        response = as_user(person(username=name, is_superuser=True)).get(address, {"q": "rm"})
        answers[name] = (response.status_code, [act["by"] for act in shown()].count(name))
    assert {name for name, answer in answers.items() if answer != (200, 1)} == {
        "audit_tooluse_change", "connectors_installation_add", "connectors_installation_delete",
        "ingest_quarantined_add", "ingest_quarantined_delete", "ingest_quarantined_replay",
    }  # fmt: skip
    assert {answer for answer in answers.values() if answer != (200, 1)} == {(302, 0), (403, 0)}


def test_whatever_cannot_be_recorded_is_not_shown(rosa, session, quarantined, installation, unrecordable):
    expected = {}
    with unrecordable():
        for name, address in addresses(session).items():
            response = rosa.get(address, {"q": "rm"})
            expected[name] = response.status_code
            body = b"".join(response) if response.streaming else response.content
            for told in (b"dana@acme.example", b"rm -rf build", b"prod-db", b"Fix the rounding"):
                assert told not in body, name
            if response.status_code == 503:
                assert (response["Retry-After"], response["Cache-Control"]) == ("2", "no-store")
                assert b"could not be recorded" in body
    assert set(expected.values()) == {503, 302, 403}
    assert rosa.get(reverse("admin:audit_session_change", args=[session.pk])).status_code == 200


def test_what_was_recorded_this_hour_is_shown_again_while_nothing_can_be(rosa, session, unrecordable):
    page = reverse("admin:audit_session_change", args=[session.pk])
    assert rosa.get(page).status_code == 200
    with unrecordable():
        assert rosa.get(page).status_code == 200


class TestShowingActs:
    def test_the_list_of_events_is_of_agents_until_it_is_asked_for_more(self, rosa, session):
        url = reverse("admin:audit_event_changelist")
        rosa.get(url)

        def agents(**asked):
            changes = rosa.get(url, asked).context["cl"]
            return {event.agent for event in changes.result_list}, changes

        alone, changes = agents()
        assert alone == {"claude_code"}
        agents_only, everything = changes.scopes
        assert (agents_only.current, everything.current) == (True, False)
        assert agents(acts="shown")[0] == {"claude_code", "portal"}
        assert rosa.get(url + everything.url).context["cl"].scopes[1].current
        assert agents(q="agent:portal")[0] == {"portal"}
        assert agents(q="agent:portal")[1].scopes == []
        assert agents(q="kind:admin")[0] == set()

    def test_pages_of_it_go_on_without_them(self, rosa):
        url = reverse("admin:audit_event_changelist")
        for _ in range(6):
            evidence(*(draft() for _ in range(10)))
            rosa.get(url, {"q": "person:dana"})
        first = rosa.get(url).context["cl"]
        second = rosa.get(url + first.pages.older).context["cl"]
        assert [len(first.result_list), len(second.result_list)] == [50, 10]
        assert {event.agent for event in (*first.result_list, *second.result_list)} == {"claude_code"}

    def test_an_act_is_told_in_words_with_what_it_was_about(self, rosa, session):
        rosa.get(reverse("admin:audit_session_change", args=[session.pk]))
        body = rosa.get(reverse("admin:audit_event_changelist"), {"q": "agent:portal"}).content.decode()
        assert "Evidence viewed" in body
        assert f"session {session.pk}" in body
        assert "Login succeeded" in body
        assert 'class="claim"' not in body

    def test_its_page_shows_who_and_what(self, rosa, session):
        rosa.get(reverse("admin:audit_session_changelist"), {"q": "person:dana@acme.example"})
        act = Event.objects.get(event_name="evidence.listed")
        body = rosa.get(reverse("admin:audit_event_change", args=[act.pk])).content.decode()
        assert "Evidence listed" in body
        assert "person:dana@acme.example" in body
        assert "rosa" in body

    def test_a_search_finds_no_earlier_search(self, rosa, session):
        for _ in range(2):
            evidence()
            body = rosa.get(reverse("admin:search"), {"q": "nobody@acme.example"}).content.decode()
            assert "Nothing is called or says that" in body
