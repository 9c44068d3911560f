"""The way that settings lead, with a real receiver: what a client configured by them sends is stored, and the portal's
own records arrive and are found."""

import json
import plistlib
import tomllib
from urllib.parse import unquote

import pytest
import requests

from audit.models import Event, MetricPoint
from connectors import canary, snippets, tokens
from connectors.canary import runs, sender
from connectors.models import CanaryRun, Source, Token
from tests import factories
from tests.ingest.agents.captured import SPECIMENS
from tests.processes import until

SCENARIO = SPECIMENS / "j-toggles-details.json"


@pytest.fixture
def endpoint(receiver, settings):
    settings.OTLP_PUBLIC_URL = f"http://127.0.0.1:{receiver.port}"
    return settings.OTLP_PUBLIC_URL


def client(environment, signal):
    """Sends one captured body as an exporter does that reads these variables (OTLP exporter specification)."""
    assert environment["CLAUDE_CODE_ENABLE_TELEMETRY"] == "1"
    assert environment[f"OTEL_{signal.upper()}_EXPORTER"] == "otlp"
    protocol = environment["OTEL_EXPORTER_OTLP_PROTOCOL"]
    headers = dict(each.split("=", 1) for each in environment["OTEL_EXPORTER_OTLP_HEADERS"].split(","))
    folder = SCENARIO.with_suffix(".json" if protocol == "http/json" else ".pb")
    suffix, kind = ("json", "application/json") if protocol == "http/json" else ("pb", "application/x-protobuf")
    folder = folder if folder.is_dir() else SPECIMENS / "b-bash-allow-rule.pb"
    body = min(folder.glob(f"*.{signal}.{suffix}")).read_bytes()
    return requests.post(
        f"{environment['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/{signal}",
        data=body,
        headers={**{key: unquote(value) for key, value in headers.items()}, "Content-Type": kind},
        timeout=30,
    )


FORMS = {
    "file": lambda endpoint, scheme: scheme,
    "profile": lambda endpoint, scheme: plistlib.loads(snippets.profile(endpoint, scheme).text.encode())[
        "PayloadContent"
    ][0],
    "registry": lambda endpoint, scheme: json.loads(
        snippets.registry_file(scheme)
        .text.partition('"Settings"="')[2]
        .rstrip('"\n')
        .replace('\\"', '"')
        .replace("\\\\", "\\")
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", snippets.LEVELS)
def test_a_client_with_these_settings_is_heard(endpoint, issue, form, level):
    scopes = ("metrics",) if "logs" not in level.signals else ("logs", "metrics")
    secret = issue(scopes=scopes)
    token = Token.objects.get(digest=tokens.digest(secret))
    scheme = json.loads(snippets.claude_code(endpoint, secret, scopes, level))
    environment = FORMS[form](endpoint, scheme)["env"]
    assert client(environment, "metrics").status_code == 200
    assert MetricPoint.objects.filter(token_id=token.pk).exists()
    if "logs" in level.signals:
        assert client(environment, "logs").status_code == 200
        assert Event.objects.filter(token_id=token.pk, agent="claude_code").exists()
    else:
        environment = {**environment, "OTEL_LOGS_EXPORTER": "otlp"}
        assert client(environment, "logs").status_code == 403, "a token for counts takes no events"


def test_codex_with_these_settings_is_heard_as_codex(endpoint, token):
    made = next(each for each in snippets.agents(endpoint, token) if each.slug == "codex")
    exporter = tomllib.loads(made.artefact.text)["otel"]["exporter"]["otlp-http"]
    record = {"observedTimeUnixNano": "1795240414605000000", "body": {"stringValue": "flushing OTEL metrics"}}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    answer = requests.post(exporter["endpoint"], json=body, headers=exporter["headers"], timeout=30)
    assert answer.status_code == 200
    assert Event.objects.filter(agent="codex").exists()


# ── Test now ────────────────────────────────────────────────────────────────────────────────────


def probe(secret):
    token = Token.objects.select_related("source").get(digest=tokens.digest(secret))
    run = runs.begin(runs.PERSON, token, "rosa")
    runs.send(run, secret)
    runs.look(run)
    return run


def test_what_was_sent_is_an_event_of_the_token(endpoint, issue):
    secret = issue()
    run = probe(secret)
    assert (run.error, run.status, [well for _, well, _ in run.steps]) == ("", 200, [True] * 4)
    event = Event.objects.get(pk=run.found_id)
    assert (event.agent, event.kind, event.event_name, event.session_id) == ("other", "other", canary.PROBE, None)
    assert event.token_id == run.token_id
    factories.seal()
    assert runs.sealed(run) is not None


def test_a_source_of_one_agent_takes_it_as_well(endpoint, issue):
    secret = issue()
    token = Token.objects.get(digest=tokens.digest(secret))
    Source.objects.filter(pk=token.source_id).update(agent="claude_code", content="drop")
    assert probe(secret).found_at is not None


def test_a_token_for_counts_sends_a_count(endpoint, issue):
    run = probe(issue(scopes=("metrics",)))
    assert run.error == ""
    assert MetricPoint.objects.get(pk=run.found_id).name == canary.PROBE


def test_a_revoked_token_is_refused_and_told(endpoint, issue):
    secret = issue()
    tokens.revoke(Token.objects.get(digest=tokens.digest(secret)), "lost", by="rosa")
    run = probe(secret)
    assert (run.status, run.found_at) == (401, None)
    assert "This token was revoked" in run.steps[-1][2]
    assert "revoked" in run.error


def test_the_canary_comes_through(endpoint, live_database):
    run = sender.run()
    assert (run.error, run.status) == ("", 200)
    event = Event.objects.get(pk=run.found_id)
    assert (event.agent, event.event_name, event.session_id) == ("other", canary.CANARY, None)
    assert until(lambda: Token.objects.get(pk=run.token_id).first_event_at), "as any token's first event"
    assert CanaryRun.objects.filter(pk=run.pk, found_at__isnull=False).exists()
