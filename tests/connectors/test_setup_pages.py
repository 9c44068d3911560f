"""What a token's page gives to paste, the test of the endpoint, the linter, the Collector's page: by real requests."""

import html
import json
import plistlib
import re
import tomllib

import pytest
import yaml
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from connectors import snippets, tokens
from connectors.models import CanaryRun, Source
from tests.connectors.canary.servers import Server, serving
from tests.connectors.people import person

pytestmark = pytest.mark.django_db
ENDPOINT = "https://otlp.acme.example"
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def administrator(client):
    client.force_login(person("Connector administrator"))
    return client


@pytest.fixture
def public(settings):
    settings.OTLP_PUBLIC_URL = ENDPOINT


def issue(kind="ingest", scopes=("logs", "metrics"), name="laptops"):
    return tokens.issue(kind, name, by="rosa", scopes=list(scopes))


def page(client, token):
    return client.get(reverse("admin:connectors_ingesttoken_change", args=[token.pk])).content.decode()


def pasted(text, name):
    found = re.search(rf'<pre class="code" id="{name}"[^>]*>(.*?)</pre>', text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1]))


def probe_url(token):
    return reverse("admin:connectors_probe", args=[token.pk])


# ── To paste ────────────────────────────────────────────────────────────────────────────────────


def test_all_that_the_page_gives_can_be_read_back(administrator, public):
    token, _ = issue()
    text = page(administrator, token)
    wanted = json.loads(snippets.claude_code(ENDPOINT, "<token>"))
    assert json.loads(pasted(text, "snippet")) == wanted
    profile = plistlib.loads(pasted(text, "details-profile").encode())["PayloadContent"][0]
    assert profile["env"] == wanted["env"]
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in json.loads(pasted(text, "full-helper-settings"))["env"]
    assert yaml.safe_load(pasted(text, "collector"))["service"]["pipelines"].keys() == {"logs", "metrics"}
    assert tomllib.loads(pasted(text, "codex"))["otel"]
    assert json.loads(pasted(text, "gemini"))["telemetry"]["enabled"]
    assert "in the place of <code>&lt;token&gt;</code>" in text


@pytest.mark.parametrize(
    ("scopes", "source", "levels"),
    [
        (("logs", "metrics"), {}, ["metrics", "metadata", "details", "full"]),
        (("metrics",), {}, ["metrics"]),
        (("logs", "metrics"), {"signals": "metrics"}, ["metrics"]),
        (("logs",), {}, ["metadata", "details", "full"]),
        (("traces",), {}, []),
    ],
)
def test_levels_follow_what_the_token_and_its_source_take(administrator, scopes, source, levels):
    token, _ = issue(scopes=scopes)
    Source.objects.update(**{"signals": "all", **source})
    text = page(administrator, token)
    assert re.findall(r'name="level" value="(\w+)"', text) == levels
    assert text.count(" checked> <span>") == (1 if levels else 0)


def test_a_source_that_drops_content_says_so_at_the_levels_that_send_it(administrator):
    token, _ = issue()
    Source.objects.update(content="drop")
    assert page(administrator, token).count("would be sent, and not be kept") == 2


# ── Test now ────────────────────────────────────────────────────────────────────────────────────


def test_it_sends_to_the_public_address_and_to_nothing_else(administrator, settings):
    token, secret = issue()
    with serving(Server()) as other, serving(Server(401)) as server:
        settings.OTLP_PUBLIC_URL = f"http://127.0.0.1:{server.port}"
        fields = {"secret": secret, "endpoint": f"http://127.0.0.1:{other.port}", "url": "http://127.0.0.1:1"}
        answer = administrator.post(probe_url(token), fields, **JSON)
    assert other.got == []
    assert len(server.got) == 1
    told = answer.json()
    assert [each["state"] for each in told["steps"]] == ["ok", "ok", "ok", "bad", "off", "off"]
    assert told["unfinished"] is False
    assert "revoked" in told["error"]
    run = CanaryRun.objects.get()
    assert (run.cause, run.asked_by, run.token_id, run.status) == ("person", "rosa", token.pk, 401)
    assert secret not in answer.content.decode()


def test_without_script_it_leads_to_the_tests_own_page(administrator, settings, caplog):
    token, secret = issue()
    with serving(Server(503)) as server:
        settings.OTLP_PUBLIC_URL = f"http://127.0.0.1:{server.port}"
        answer = administrator.post(probe_url(token), {"secret": f" {secret}\n"}, follow=True)
    text = answer.content.decode()
    assert answer.redirect_chain[0][0] == reverse(
        "admin:connectors_canaryrun_change", args=[CanaryRun.objects.get().pk]
    )
    assert "look at /readyz" in text
    assert "not reached" in text
    assert secret not in text + caplog.text + repr(CanaryRun.objects.values().get())


@pytest.mark.parametrize("wrong", ["", "agp_ing_short", "another", "api", "javascript:alert(1)"])
def test_only_the_tokens_own_secret_is_sent(administrator, settings, wrong):
    token, _ = issue()
    sent = {"another": issue(name="other")[1], "api": issue("api", ["events:read"])[1]}.get(wrong, wrong)
    with serving(Server()) as server:
        settings.OTLP_PUBLIC_URL = f"http://127.0.0.1:{server.port}"
        answer = administrator.post(probe_url(token), {"secret": sent}, **JSON)
    assert (answer.status_code, server.got, CanaryRun.objects.count()) == (400, [], 0)
    assert answer.json()["error"]
    assert not sent or sent not in answer.content.decode()
    plain = administrator.post(probe_url(token), {"secret": sent}, follow=True)
    assert "errornote" in plain.content.decode() or "messagelist" in plain.content.decode()


def test_who_may_send_one(client, settings):
    token, secret = issue()
    settings.OTLP_PUBLIC_URL = "http://127.0.0.1:1"
    assert client.post(probe_url(token), {"secret": secret}).status_code == 302, "logged out: to the log-in"
    looker = User.objects.create(username="looker", is_staff=True)
    wanted = ("view_ingesttoken", "view_canaryrun")
    looker.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client.force_login(looker)
    assert client.post(probe_url(token), {"secret": secret}).status_code == 403
    client.force_login(person("Compliance reviewer"))
    assert client.post(probe_url(token), {"secret": secret}).status_code == 403
    assert not CanaryRun.objects.exists()


def test_it_takes_a_form_of_this_site_only(settings):
    token, secret = issue()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("Connector administrator"))
    assert strict.post(probe_url(token), {"secret": secret}).status_code == 403
    assert strict.get(probe_url(token)).status_code == 405
    assert not CanaryRun.objects.exists()


def test_runs_are_listed_and_downloaded(administrator, settings):
    settings.OTLP_PUBLIC_URL = "http://127.0.0.1:1"
    token, secret = issue()
    administrator.post(probe_url(token), {"secret": secret}, **JSON)
    listed = reverse("admin:connectors_canaryrun_changelist")
    for query in ("", "?outcome=failed", "?cause=person"):
        text = administrator.get(listed + query).content.decode()
        assert "Nothing listens at port 1" in text, query
        assert "laptops" in text
    assert "Nothing listens" not in administrator.get(f"{listed}?outcome=arrived").content.decode()
    assert administrator.get(reverse("admin:connectors_canaryrun_change", args=[999])).status_code == 302


def test_an_empty_list_says_what_will_come(administrator):
    text = administrator.get(reverse("admin:connectors_canaryrun_changelist")).content.decode()
    assert "Every five minutes" in text


# ── Linter and Collector ────────────────────────────────────────────────────────────────────────


def lint(client, text, place=""):
    return client.post(reverse("admin:connectors_linter"), {"text": text, "place": place})


def test_the_linter_looks_a_token_up_by_its_digest_and_keeps_nothing(administrator, public, caplog, connection_texts):
    token, secret = issue()
    tokens.revoke(token, "lost", by="rosa")
    answer = lint(administrator, snippets.claude_code(ENDPOINT, secret))
    text = answer.content.decode()
    assert "The token “laptops” is revoked" in html.unescape(text)
    assert "Not all of it will work as it is" in text
    assert secret not in text + caplog.text
    assert "no-store" in answer["Cache-Control"]
    assert not [each for each in connection_texts() if secret in each]


@pytest.fixture
def connection_texts(database_superuser):
    """Every statement the database was sent, with its values."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        yield lambda: [each["sql"] for each in captured.captured_queries]


def test_the_linter_knows_all_that_the_portal_knows(administrator, public):
    _, secret = issue(scopes=("metrics",))
    Source.objects.update(content="drop")
    text = html.unescape(lint(administrator, snippets.claude_code(ENDPOINT, secret)).content.decode())
    assert "takes no logs" in text
    assert "drops content" in text


@pytest.mark.parametrize("text", ["", "x" * 70_000, "\x00", "{" * 5000, '<script>alert(1)</script>{"env": {}}'])
def test_the_linter_takes_anything(administrator, text):
    answer = lint(administrator, text)
    assert answer.status_code == 200
    assert "<script>alert(1)" not in answer.content.decode()


def test_the_linters_page_is_for_those_who_see_tokens(client):
    client.force_login(person("Compliance reviewer"))
    for name in ("linter", "collector"):
        assert client.get(reverse(f"admin:connectors_{name}")).status_code == 403


def test_the_collector_is_made_to_measure(administrator, public):
    asked = {
        "signals": "metrics",
        "encoding": "json",
        "existing": "awsemf, datadog",
        "old_name": "on",
        "cloud": "azure",
    }
    text = administrator.get(reverse("admin:connectors_collector"), asked).content.decode()
    config = yaml.safe_load(pasted(text, "config"))
    assert config["service"]["pipelines"] == {
        "metrics": {"receivers": ["otlp"], "exporters": ["awsemf", "datadog", "otlphttp/agent_governance"]}
    }
    assert config["exporters"]["otlphttp/agent_governance"]["encoding"] == "json"
    assert "168.63.129.16" in pasted(text, "proxy")


@pytest.mark.parametrize("existing", ["a]", "x: {y}", "${env:Z}", "<b>"])
def test_the_collector_takes_only_exporters_names(administrator, public, existing):
    text = administrator.get(
        reverse("admin:connectors_collector"), {"signals": "both", "encoding": "proto", "existing": existing}
    ).content.decode()
    assert "is no exporter" in text
    assert 'id="config"' not in text
