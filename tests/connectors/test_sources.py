"""Sources and the roster of installations in the admin."""

import datetime as dt
import json

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from audit.models import Event
from connectors import tokens
from connectors.models import Installation, Source, Token
from ingest.models import Answered, SourceBudget
from tests.connectors.clients import sent
from tests.connectors.people import person, reviewer

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def administrator(client):
    client.force_login(person("Connector administrator"))
    return client


@pytest.fixture
def token():
    return tokens.issue("ingest", "payments-laptops", by="rosa", scopes=["logs"])[0]


def url(model, page, *arguments):
    return reverse(f"admin:connectors_{model}_{page}", args=arguments)


def form(source, **changes):
    return {
        "name": source.name,
        "team": "",
        "environment": "",
        "agent": "",
        "signals": "all",
        "content": "keep",
    } | changes


def page_of(client, model, page, *arguments, **query):
    response = client.get(url(model, page, *arguments), query)
    assert response.status_code == 200
    return response.content.decode()


def told(page):
    """What a page says, without its markup."""
    return " ".join(strip_tags(page).split())


def test_a_policy_is_set_explained_and_told_in_the_ledger(administrator, token):
    source = token.source
    changed = form(source, signals="metrics", content="drop", records_per_minute="500", expected_installations="12")
    assert "before anything is hashed or stored" in page_of(administrator, "source", "change", source.pk)
    assert administrator.post(url("source", "change", source.pk), changed).status_code == 302
    source.refresh_from_db()
    assert (source.signals, source.content) == ("metrics", "drop")
    assert (source.records_per_minute, source.expected_installations) == (500, 12)
    act = Event.objects.get(event_name="source.changed")
    for told in (
        '["@source.signals","string","metrics"]',
        '["@source.content","string","drop"]',
        '["@source.records_per_minute","int",500]',
    ):
        assert told.encode() in bytes(act.facts)
    assert "metrics only" in page_of(administrator, "source", "changelist")


@pytest.mark.parametrize("changes", [{"signals": "traces"}, {"content": ""}, {"records_per_minute": "-1"}])
def test_what_is_no_policy_is_refused(administrator, token, changes):
    page = administrator.post(url("source", "change", token.source_id), form(token.source, **changes))
    assert "Not saved" in page.content.decode()
    assert Source.objects.get().signals == "all"


def test_a_new_source_may_drop_content_from_its_first_event(administrator):
    fields = {"form_key": "5a0bb4a2-3bb0-4b1c-9a54-3a2c4d1f0c11", "name": "ci", "scopes": ["logs"], "life": ""}
    assert administrator.post(url("ingesttoken", "add"), fields | {"content": "drop"}).status_code == 200
    assert Source.objects.get().content == "drop"


def test_a_source_that_keeps_content_does_not_begin_to_drop_it_with_a_token(administrator, token):
    fields = {"form_key": "5a0bb4a2-3bb0-4b1c-9a54-3a2c4d1f0c11", "name": "ci", "scopes": ["logs"], "life": ""}
    answer = administrator.post(url("ingesttoken", "add"), fields | {"source": token.source_id, "content": "drop"})
    assert "keeps content: change it there" in answer.content.decode()


def test_the_source_page_holds_what_is_expected_against_what_is_seen(administrator, token):
    source = token.source
    Source.objects.filter(pk=source.pk).update(expected_installations=2, records_per_minute=100)
    SourceBudget.objects.create(source_id=source.pk, records_left=-50, at=timezone.now())
    page = told(page_of(administrator, "source", "change", source.pk))
    assert "0 seen" in page
    assert "0 are left at this moment" in page
    sent(token)
    sent(token, version="2.1.330")
    page = page_of(administrator, "source", "change", source.pk)
    assert "1 seen" in page
    assert "of 2 expected" in page
    assert "fewer than expected" in page
    sent(token, host="lee-mbp")
    page = page_of(administrator, "source", "change", source.pk)
    assert "as expected" in page
    assert "lee-mbp" in page
    assert "2 of 2" in page_of(administrator, "source", "changelist")


def test_the_list_shows_hosts_to_all_and_people_to_those_who_may_see_them(client, administrator, token):
    sent(token)
    page = page_of(administrator, "installation", "changelist")
    assert "dana-mbp" in page
    assert "dana@acme.example" not in page
    assert "p-" in page
    download = b"".join(administrator.get(url("installation", "download", "csv")).streaming_content).decode()
    assert "dana-mbp" in download
    assert "dana@acme.example" not in download
    client.force_login(reviewer())
    assert "dana@acme.example" in page_of(client, "installation", "changelist")
    (row,) = [
        json.loads(line)
        for line in b"".join(client.get(url("installation", "download", "ndjson")).streaming_content).splitlines()
    ]
    assert (row["host"], row["who"], row["events"]) == ("dana-mbp", "dana@acme.example", 1)
    assert (row["OTEL_LOG_USER_PROMPTS"], row["OTEL_LOG_TOOL_DETAILS"]) == (False, None)
    assert "dana@acme.example" in page_of(client, "installation", "changelist", q="dana@acme")


def test_nobody_searches_by_whom_without_the_right(administrator, token):
    sent(token)
    assert "dana-mbp" in page_of(administrator, "installation", "changelist", q="dana-m")
    assert "dana-mbp" not in page_of(administrator, "installation", "changelist", q="dana@acme")


@pytest.mark.parametrize(
    ("narrowing", "found"),
    [
        ({"switch": "OTEL_LOG_USER_PROMPTS.off"}, True),
        ({"switch": "OTEL_LOG_USER_PROMPTS.on"}, False),
        ({"switch": "OTEL_LOG_TOOL_DETAILS.off"}, False),
        ({"switch": "nonsense"}, True),
        ({"source": "own"}, True),
        ({"source": "999"}, False),
        ({"source": "nonsense"}, True),
        ({"gaps": "some"}, False),
        ({"gaps": "none"}, True),
        ({"agent": "codex"}, False),
        ({"rotation": "still"}, False),
    ],
)
def test_the_list_is_narrowed(administrator, token, narrowing, found):
    sent(token)
    query = {name: str(token.source_id) if value == "own" else value for name, value in narrowing.items()}
    assert ("dana-mbp" in page_of(administrator, "installation", "changelist", **query)) is found


def test_an_empty_roster_teaches(administrator):
    page = page_of(administrator, "installation", "changelist")
    assert "within a minute of its first event" in page


def test_an_installation_tells_its_switches_and_by_what(client, token):
    event = sent(token)
    row = Installation.objects.get()
    client.force_login(reviewer())
    page = page_of(client, "installation", "change", row.pk)
    assert "a prompt came without its text" in page
    assert reverse("admin:audit_event_change", args=[event.id]) in page
    assert "nothing that came tells" in page
    assert url("ingesttoken", "change", token.pk) not in page


def test_an_installation_links_no_evidence_for_those_who_may_not_see_it(administrator, token):
    event = sent(token)
    page = page_of(administrator, "installation", "change", Installation.objects.get().pk)
    assert str(event.id) not in page
    assert url("ingesttoken", "change", token.pk) in page


def test_the_token_page_tells_what_came_and_from_where(administrator, token):
    sent(token)
    told = {"token_id": token.pk, "last_at": timezone.now(), "last_address": "192.0.2.7"}
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    Answered.objects.create(hour=hour, outcome="stored", requests=7, records=1234, **told)
    Answered.objects.create(hour=hour, outcome="403 wrong_scope", requests=3, **told)
    Answered.objects.create(hour=hour - 30 * HOUR, outcome="stored", requests=1, records=99999, **told)
    Token.objects.filter(pk=token.pk).update(first_event_at=timezone.now(), last_used_at=timezone.now())
    page = page_of(administrator, "ingesttoken", "change", token.pk)
    assert "1\u202f234" in page
    assert "99\u202f999" not in page
    assert "dana-mbp" in page
    assert f"{url('installation', 'changelist')}?token_id__exact={token.pk}" in page


def test_stragglers_of_a_rotation_are_listed_by_host_and_version(administrator, token):
    now = timezone.now()
    for host in ("moved-mbp", "still-mbp", "silent-mbp"):
        sent(token, host=host, at=now - 3 * HOUR)
    new, _ = tokens.rotate(token, by="rosa")
    sent(new, host="moved-mbp", at=now + dt.timedelta(seconds=2))
    sent(token, host="still-mbp", version="2.0.1", at=now + dt.timedelta(seconds=3))
    Token.objects.filter(pk=token.pk).update(first_event_at=now, last_used_at=now)
    page = told(page_of(administrator, "ingesttoken", "change", token.pk))
    assert "1 still with this token" in page
    assert "1 seen with the new one since, 1 not seen since" in page
    listed = page_of(administrator, "installation", "changelist", token_id__exact=token.pk, rotation="still")
    assert "still-mbp" in listed
    assert "2.0.1" in listed
    assert "moved-mbp" not in listed
    answer = administrator.get(
        url("installation", "download", "csv"), {"token_id__exact": token.pk, "rotation": "still"}
    )
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert "still-mbp" in lines[1]
    assert "What to send those who still use it" in page
    Token.objects.filter(pk=token.pk).update(valid_until=now)
    assert "by which host cannot be told" in page_of(administrator, "ingesttoken", "change", token.pk)


def test_what_is_shown_of_clients_is_recorded_first(administrator, token, unrecordable):
    sent(token)
    Token.objects.filter(pk=token.pk).update(first_event_at=timezone.now(), last_used_at=timezone.now())
    row = Installation.objects.get()
    pages = [
        url("installation", "changelist"),
        url("installation", "change", row.pk),
        url("installation", "download", "csv"),
        url("ingesttoken", "change", token.pk),
        url("ingesttoken", "revoke", token.pk),
        url("ingesttoken", "leak", token.pk),
        url("source", "change", token.source_id),
    ]
    with unrecordable():
        for page in pages:
            assert administrator.get(page).status_code == 503, page
    for page in pages:
        assert administrator.get(page).status_code == 200, page
    told = [bytes(event.facts).decode() for event in Event.objects.filter(event_name="evidence.viewed")]
    for kind, key in (("installation", row.pk), ("ingestion-token", token.pk), ("source", token.source_id)):
        assert any(f'["@object.kind","string","{kind}"],["@object.id","string","{key}"]' in facts for facts in told)
    assert Event.objects.filter(event_name="evidence.listed", agent="portal").count() == 1
    assert Event.objects.filter(event_name="evidence.downloaded").count() == 1


def test_a_source_is_archived_once_its_tokens_have_ended_and_brought_back(administrator, token):
    source = token.source
    answer = administrator.post(url("source", "archive", source.pk), follow=True).content.decode()
    assert "a token of it still works" in answer
    assert source.name in page_of(administrator, "source", "changelist")
    tokens.revoke(token, "gone", by="rosa")
    answer = administrator.post(url("source", "archive", source.pk), follow=True).content.decode()
    assert "Bring back" in answer
    assert "No source matches" not in answer
    assert f'href="{url("source", "change", source.pk)}' not in page_of(administrator, "source", "changelist")
    assert source.name in page_of(administrator, "source", "changelist", state="archived")
    assert f'<option value="{source.pk}">' not in page_of(administrator, "ingesttoken", "add")
    administrator.post(url("source", "restore", source.pk))
    assert source.name in page_of(administrator, "source", "changelist")
    told = Event.objects.filter(event_name__in=["source.archived", "source.restored"]).order_by("id")
    assert [event.event_name for event in told] == ["source.archived", "source.restored"]


@pytest.mark.parametrize("page", ["archive", "restore"])
def test_archiving_wants_a_post_and_the_right(client, administrator, token, page):
    assert administrator.get(url("source", page, token.source_id)).status_code == 404
    client.force_login(reviewer())
    assert client.post(url("source", page, token.source_id)).status_code in {403, 404}
