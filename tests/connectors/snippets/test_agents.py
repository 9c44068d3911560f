"""The other agents' settings, each read as that agent's own format."""

import json
import shlex
import tomllib

import pytest

from connectors import snippets, tokens

SECRET = tokens.generate("ingest")
ENDPOINT = "https://otlp.acme.example"
BEARER = f"Bearer {SECRET}"


def made(slug, **options):
    return next(each for each in snippets.agents(ENDPOINT, SECRET, **options) if each.slug == slug)


def exported(text):
    """The variables of lines `export NAME=value`, as a shell takes them apart."""
    words = [shlex.split(line) for line in text.splitlines()]
    assert all(each[0] == "export" and len(each) == 2 for each in words)
    return dict(each[1].split("=", 1) for each in words)


def test_codex_sends_each_signal_to_a_full_address_of_its_own():
    otel = tomllib.loads(made("codex").artefact.text)["otel"]
    for key, signal in (("exporter", "logs"), ("metrics_exporter", "metrics")):
        assert otel[key]["otlp-http"] == {
            "endpoint": f"{ENDPOINT}/api/v1/otel/codex/{signal}",
            "protocol": "binary",
            "headers": {"Authorization": BEARER},
        }
    assert otel["log_user_prompt"] is False
    assert otel["trace_exporter"] == "none"


def test_codex_sends_only_what_the_token_may():
    otel = tomllib.loads(made("codex", scopes=("metrics",)).artefact.text)["otel"]
    assert otel["exporter"] == "none"
    assert "otlp-http" in otel["metrics_exporter"]


@pytest.mark.parametrize("slug", ["gemini", "qwen"])
def test_gemini_and_qwen_leave_prompts_out(slug):
    agent = made(slug)
    telemetry = json.loads(agent.artefact.text)["telemetry"]
    assert (telemetry["enabled"], telemetry["logPrompts"], telemetry["otlpProtocol"]) == (True, False, "http")
    assert telemetry["otlpEndpoint"] == ENDPOINT
    header = agent.sends.rpartition("The header: ")[2]
    assert exported(header) == {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={BEARER}"}


@pytest.mark.parametrize("slug", ["copilot", "opencode"])
def test_the_others_take_it_from_the_environment(slug):
    variables = exported(made(slug).artefact.text)
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == ENDPOINT
    assert variables["OTEL_EXPORTER_OTLP_HEADERS"] == f"Authorization={BEARER}"


def test_each_says_whether_an_organisation_can_force_it():
    assert all(each.forced and each.sends for each in snippets.agents(ENDPOINT, SECRET))
