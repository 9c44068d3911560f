"""Tokens in the admin, through real requests."""

import json
import re
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import scopes, tokens
from connectors.models import ApiToken, IngestToken, Source, Token
from tests.connectors.people import person

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r"agp_(?:ing|api)_[0-9A-Za-z]{49}")


@pytest.fixture
def administrator(client):
    client.force_login(person("Connector administrator"))
    return client


def url(page, token=None, model="ingesttoken"):
    return reverse(f"admin:connectors_{model}_{page}", args=[token.pk] if token else [])


def issue(kind="ingest", name="payments-laptops", **options):
    usual = {"by": "rosa", "scopes": ["logs", "metrics"] if kind == "ingest" else ["events:read"]}
    return tokens.issue(kind, name, **{**usual, **options})


def filled(**changes):
    return {
        "form_key": str(uuid4()),
        "name": "payments-laptops",
        "source": "",
        "team": "payments",
        "scopes": ["logs", "metrics"],
        "networks": "",
        "life": "90",
        "environment": "",
        "agent": "",
        "records_per_minute": "",
        **changes,
    }


def revoking(token, reason="laptop stolen"):
    return {"reason": reason, "confirm": token.last_four}


def secrets_in(response):
    return set(TOKEN.findall(response.content.decode()))


def test_it_issues_a_token_and_shows_it(administrator):
    response = administrator.post(url("add"), filled(networks="10.20.0.0/16, 2001:db8::/32"))
    token = IngestToken.objects.get()
    (secret,) = secrets_in(response)
    assert response.status_code == 200
    assert bytes(token.digest) == tokens.digest(secret)
    assert token.networks == ["10.20.0.0/16", "2001:db8::/32"]
    assert (token.source.name, token.source.team, token.created_by) == ("payments-laptops", "payments", "rosa")
    assert 89 <= (token.expires_at - timezone.now()).days <= 90


def test_the_page_with_the_secret_is_kept_by_no_cache(administrator):
    response = administrator.post(url("add"), filled())
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"


def test_the_same_form_again_issues_nothing_and_shows_nothing(administrator):
    form = filled()
    administrator.post(url("add"), form)
    again = administrator.post(url("add"), form, follow=True)
    assert Token.objects.count() == 1
    assert again.redirect_chain == [(url("change", Token.objects.get()), 302)]
    assert secrets_in(again) == set()
    assert "cannot be shown again" in again.content.decode()


def test_no_later_page_shows_the_secret(administrator):
    administrator.post(url("add"), filled())
    token = IngestToken.objects.get()
    pages = [url("changelist"), url("change", token), url("history", token), url("state", token), url("rotate", token)]
    for page in [*pages, url("revoke", token), url("add"), url("changelist") + "download.csv", reverse("admin:index")]:
        response = administrator.get(page)
        assert response.status_code == 200, page
        body = b"".join(response.streaming_content) if response.streaming else response.content
        assert not TOKEN.search(body.decode()), page


def test_the_snippet_can_be_opened_again_with_a_place_for_the_token(administrator, settings):
    settings.OTLP_PUBLIC_URL = "https://otlp.acme.example"
    token, _ = issue()
    page = administrator.get(url("change", token)).content.decode()
    assert "Authorization=Bearer &lt;token&gt;" in page
    assert "https://otlp.acme.example" in page


def test_the_issued_page_holds_settings_that_parse(administrator, settings):
    settings.OTLP_PUBLIC_URL = "https://otlp.acme.example"
    response = administrator.post(url("add"), filled())
    text = re.search(r'<pre[^>]* id="snippet"[^>]*>(.*?)</pre>', response.content.decode(), re.DOTALL)[1]
    pasted = json.loads(re.sub(r"<[^>]+>", "", text).replace("&quot;", '"'))
    (secret,) = secrets_in(response)
    assert pasted["env"]["OTEL_EXPORTER_OTLP_HEADERS"] == f"Authorization=Bearer {secret}"
    assert pasted["env"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://otlp.acme.example"


def test_a_scope_without_an_endpoint_is_offered_as_such(client):
    client.force_login(person(is_superuser=True))
    document = client.get("/api/v1/schema/", headers={"accept": "application/vnd.oai.openapi+json"}).json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    asked_for = {scope for each in operations for scheme in each["security"] for scope in scheme.get("apiToken", ())}
    widening = {"content:read", "identity:read"}
    without = scopes.API_SCOPES.keys() - asked_for - widening
    page = client.get(url("add", model="apitoken")).content.decode()
    offered = re.findall(r'value="([a-z:]+)"[^>]*> <span>[^<]+<small>([^<]+)</small>', page)
    assert {scope for scope, _ in offered} == scopes.API_SCOPES.keys()
    assert {scope for scope, told in offered if "Nothing to read yet in this version" in told} == without


def test_a_signal_that_is_not_stored_is_offered_as_such(administrator):
    page = administrator.get(url("add")).content.decode()
    offered = re.findall(r'value="([a-z:]+)"[^>]*> <span>[^<]+<small>([^<]+)</small>', page)
    assert [scope for scope, told in offered if "Not stored yet in this version" in told] == ["traces"]


def test_an_api_token_comes_with_commands_for_what_it_may_read(client, settings):
    settings.PUBLIC_URL = "https://portal.acme.example"
    client.force_login(person(is_superuser=True))
    form = {"form_key": str(uuid4()), "name": "siem", "scopes": ["events:read", "export:read"], "life": ""}
    response = client.post(url("add", model="apitoken"), form)
    (secret,) = secrets_in(response)
    page = response.content.decode().replace("&#x27;", "'").replace("&amp;", "&")
    for path in ("export/?limit=100", "sessions/?page_size=5"):
        assert f"curl -sS -H 'Authorization: Bearer {secret}' \\\n  'https://portal.acme.example/api/v1/{path}'" in page
    assert ApiToken.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"networks": "10.20.0.0/33"}, "10.20.0.0/33 is not a network: a prefix ends at /32."),
        ({"networks": "10.0.0.0/8, office"}, "office is not a network"),
        ({"name": ""}, "This field is required."),
        ({"name": "  "}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"name": "pay\u202ements"}, "The name holds a character that cannot be seen."),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["events:read"]}, "events:read is not one of the available choices."),
        ({"life": "100000"}, "not one of the available choices"),
        ({"records_per_minute": "0"}, "greater than or equal to 1"),
        ({"form_key": "x"}, ""),
    ],
)
def test_it_says_what_needs_a_change_and_issues_nothing(administrator, changes, sentence):
    response = administrator.post(url("add"), filled(**changes))
    page = response.content.decode()
    assert response.status_code == 200
    assert "Not issued" in page
    assert sentence in page
    assert not Token.objects.exists()
    assert not Source.objects.exists()


def test_a_new_source_takes_no_name_that_is_taken(administrator):
    issue(name="Laptops")
    page = administrator.post(url("add"), filled(name="laptops")).content.decode()
    assert "There is a source of this name." in page
    assert Token.objects.count() == 1


def test_a_token_joins_a_source(administrator):
    source = Source.objects.create(name="laptops", team="payments")
    assert "has its own" in administrator.post(url("add"), filled(source=source.pk)).content.decode()
    administrator.post(url("add"), filled(name="second", source=source.pk, team=""))
    assert IngestToken.objects.get(name="second").source == source


def test_it_rotates_and_shows_the_new_one_only(administrator):
    old, old_secret = issue()
    Token.objects.filter(pk=old.pk).update(last_used_at=timezone.now(), last_used_address="192.0.2.7")
    assert "192.0.2.7" in administrator.get(url("rotate", old)).content.decode()
    form = {"form_key": str(uuid4()), "overlap": "3600"}
    response = administrator.post(url("rotate", old), form)
    (secret,) = secrets_in(response)
    new = IngestToken.objects.get(rotated_from=old)
    assert bytes(new.digest) == tokens.digest(secret) != tokens.digest(old_secret)
    assert "no-store" in response["Cache-Control"]
    old_page = administrator.get(url("change", old)).content.decode()
    assert "Not used since the rotation" in old_page
    assert "192.0.2.7" in old_page
    Token.objects.filter(pk=old.pk).update(last_used_at=timezone.now())
    assert "Still used" in administrator.get(url("change", old)).content.decode()
    assert url("change", new) in old_page
    again = administrator.post(url("rotate", old), form, follow=True)
    assert secrets_in(again) == set()
    assert Token.objects.count() == 2


def test_it_revokes_with_a_reason(administrator):
    token, _ = issue()
    page = administrator.get(url("revoke", token)).content.decode()
    assert "is refused from the next request on" in page
    without = administrator.post(url("revoke", token), {"reason": " ", "confirm": token.last_four})
    assert "Say why" in without.content.decode()
    another = administrator.post(url("revoke", token), {"reason": "stolen", "confirm": "zzzz"})
    assert "This is another token" in another.content.decode()
    token.refresh_from_db()
    assert token.works
    response = administrator.post(url("revoke", token), revoking(token, "laptop <b>stolen</b>"), follow=True)
    token.refresh_from_db()
    assert (token.state, token.revoked_by, token.revoke_reason) == ("revoked", "rosa", "laptop <b>stolen</b>")
    assert "laptop &lt;b&gt;stolen&lt;/b&gt;" in response.content.decode()


@pytest.mark.parametrize("page", ["rotate", "revoke"])
def test_looking_at_a_confirmation_changes_nothing(administrator, page):
    token, _ = issue()
    assert administrator.get(url(page, token)).status_code == 200
    token.refresh_from_db()
    assert token.state == "waiting"
    assert Token.objects.count() == 1


def test_the_token_page_takes_no_changes(administrator):
    token, _ = issue()
    assert administrator.post(url("change", token), {"name": "x"}).status_code == 405


def test_no_token_can_be_deleted(administrator):
    token, _ = issue()
    assert administrator.post(url("delete", token), {"post": "yes"}).status_code == 403
    assert Token.objects.count() == 1


def test_the_history_tells_who_did_what_without_secrets(administrator):
    administrator.post(url("add"), filled())
    token = IngestToken.objects.get()
    administrator.post(url("revoke", token), revoking(token, "laptop stolen"))
    page = administrator.get(url("history", token)).content.decode()
    assert "Issued." in page
    assert "Revoked: laptop stolen" in page


def test_the_page_that_waits_sees_the_first_event(administrator):
    token, _ = issue()
    answer = administrator.get(url("state", token)).json()
    assert (answer["waiting"], answer["state"]) == (True, "Waiting for first event")
    Token.objects.filter(pk=token.pk).update(
        first_event_at=timezone.now(), last_used_at=timezone.now(), last_used_address="192.0.2.7"
    )
    answer = administrator.get(url("state", token)).json()
    assert (answer["waiting"], answer["state"]) == (False, "Active")
    assert "192.0.2.7" in answer["detail"]


def test_the_page_that_waits_tells_of_refusals(administrator):
    token, _ = issue(networks=["10.0.0.0/8"])
    Token.objects.filter(pk=token.pk).update(
        refusals={"wrong_network": 3}, last_refused_at=timezone.now(), last_refused_address="192.0.2.7"
    )
    detail = administrator.get(url("state", token)).json()["detail"]
    assert "Refused: 3 from outside its networks." in detail
    assert "192.0.2.7" in detail


def test_the_list_tells_state_and_use(administrator):
    issue(name="waiting-one")
    revoked, _ = issue(name="revoked-one")
    tokens.revoke(revoked, "x", by="rosa")
    page = administrator.get(url("changelist")).content.decode()
    assert "Waiting for first event" in page
    assert "Revoked" in page
    found = administrator.get(url("changelist") + "?state=revoked").content.decode()
    assert "revoked-one" in found
    assert "waiting-one" not in found


def test_lists_of_one_kind_do_not_show_the_other(administrator):
    token, _ = issue("api", "siem")
    assert "siem" not in administrator.get(url("changelist")).content.decode()
    assert administrator.get(url("state", token)).status_code == 404
    assert administrator.post(url("revoke", token), {"reason": "x"}).status_code == 404


def test_an_administrator_of_connectors_hands_on_no_evidence(administrator):
    page = administrator.get(url("add", model="apitoken")).content.decode()
    assert 'value="tokens:write"' in page
    assert 'value="content:read"' not in page
    form = {"form_key": str(uuid4()), "name": "siem", "scopes": ["content:read"], "life": ""}
    administrator.post(url("add", model="apitoken"), form)
    assert not Token.objects.exists()
    token, _ = issue("api", "siem", scopes=["content:read"])
    assert administrator.get(url("rotate", token, model="apitoken")).status_code == 403
    form = {"form_key": str(uuid4()), "overlap": "0"}
    assert administrator.post(url("rotate", token, model="apitoken"), form).status_code == 403
    assert administrator.post(url("revoke", token, model="apitoken"), revoking(token)).status_code == 302


@pytest.mark.parametrize("role", ["Compliance reviewer", "SIEM exporter", None])
def test_others_see_no_token_page(client, role):
    client.force_login(person(*[role] if role else []))
    token, _ = issue()
    for page in ("changelist", "add", "change", "rotate", "revoke", "state", "history"):
        response = client.get(url(page, None if page in {"changelist", "add"} else token))
        assert response.status_code in {302, 403}, page
        assert response.status_code == 403 or response["Location"].startswith("/admin/login/"), page
    client.post(url("revoke", token), {"reason": "x"})
    client.post(url("add"), filled())
    client.post(url("rotate", token), {"form_key": str(uuid4()), "overlap": "0"})
    assert [each.state for each in Token.objects.all()] == ["waiting"]


@pytest.mark.parametrize("page", ["changelist", "add", "change", "rotate", "revoke", "state"])
def test_strangers_are_sent_to_the_login(client, page):
    token, _ = issue()
    response = client.get(url(page, None if page in {"changelist", "add"} else token))
    assert response["Location"].startswith("/admin/login/")


def test_forms_want_the_csrf_token(client):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("Connector administrator"))
    token, _ = issue()
    assert strict.post(url("add"), filled()).status_code == 403
    assert strict.post(url("revoke", token), {"reason": "x"}).status_code == 403
    assert strict.post(url("rotate", token), {"form_key": str(uuid4()), "overlap": "0"}).status_code == 403


def test_a_source_can_be_renamed(administrator):
    token, _ = issue()
    page = reverse("admin:connectors_source_change", args=[token.source_id])
    form = {
        "name": "laptops",
        "team": "ledger",
        "environment": "CI",
        "agent": "codex",
        "signals": "all",
        "content": "keep",
    }
    assert administrator.post(page, form).status_code == 302
    assert Source.objects.get().team == "ledger"
    assert "laptops" in administrator.get(reverse("admin:connectors_source_changelist")).content.decode()


@pytest.mark.parametrize("page", ["rotate", "revoke"])
def test_a_token_that_has_ended_offers_no_form(administrator, page):
    token, _ = issue()
    tokens.revoke(token, "laptop stolen", by="rosa")
    response = administrator.get(url(page, token), follow=True)
    assert response.redirect_chain
    told = {"rotate": "This token is revoked", "revoke": "is revoked already"}
    assert told[page] in response.content.decode()
