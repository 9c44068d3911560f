import json
import shlex

import pytest

from connectors import snippets, tokens

SECRET = tokens.generate("ingest")
ENDPOINT = "https://otlp.acme.example"


def arguments(command):
    """The command as a shell takes it apart; shlex does not know lines that go on."""
    return shlex.split(command.replace("\\\n", ""))


def environment(**options):
    return json.loads(snippets.claude_code(ENDPOINT, SECRET, **options))["env"]


def test_the_settings_are_json_with_an_environment_of_texts():
    settings = json.loads(snippets.claude_code(ENDPOINT, SECRET))
    assert list(settings) == ["env"]
    assert all(isinstance(value, str) for value in settings["env"].values())


def test_they_send_both_signals_here_with_the_token():
    assert {key: environment()[key] for key in list(environment())[:6]} == {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {SECRET}",
    }


def test_they_switch_on_what_makes_decisions_decidable_and_name_what_it_sends():
    assert {each.name for each in snippets.DECIDABLE} == {
        "OTEL_METRICS_INCLUDE_ENTRYPOINT",
        "OTEL_METRICS_INCLUDE_REPOSITORY",
        "OTEL_METRICS_INCLUDE_VERSION",
        "OTEL_LOG_TOOL_DETAILS",
    }
    assert all(environment()[each.name] in {"1", "true"} and each.sends for each in snippets.DECIDABLE)


def test_they_switch_content_off():
    assert environment()["OTEL_LOG_USER_PROMPTS"] == environment()["OTEL_LOG_ASSISTANT_RESPONSES"] == "0"
    assert not {each.name for each in snippets.UNSET} & set(environment())


@pytest.mark.parametrize(("scopes", "logs", "metrics"), [(["logs"], "otlp", "none"), (["metrics"], "none", "otlp")])
def test_they_send_only_what_the_token_may(scopes, logs, metrics):
    sent = environment(scopes=scopes)
    assert (sent["OTEL_LOGS_EXPORTER"], sent["OTEL_METRICS_EXPORTER"]) == (logs, metrics)


def test_the_marked_form_is_the_same_text():
    text = snippets.claude_code(ENDPOINT, SECRET)
    parts = list(snippets.marked(text))
    assert "".join(before + name + after for before, name, after in parts) == text
    assert [name for _, name, _ in parts if name] == [each.name for each in snippets.DECIDABLE]


def test_each_platform_has_its_path():
    assert {place.slug: place.path for place in snippets.PLACES if place.path} == {
        "macos": "/Library/Application Support/ClaudeCode/managed-settings.json",
        "linux": "/etc/claude-code/managed-settings.json",
        "windows": "C:\\Program Files\\ClaudeCode\\managed-settings.json",
        "individual": "~/.claude/settings.json",
    }


def test_commands_follow_the_scopes():
    commands = snippets.requests("https://portal.acme.example", SECRET, {"events:read", "export:read", "ledger:read"})
    assert [arguments(each.command) for each in commands] == [
        ["curl", "-sS", "-H", f"Authorization: Bearer {SECRET}", f"https://portal.acme.example/api/v1/{path}"]
        for path in ("export/?limit=100", "sessions/?page_size=5")
    ]


def test_the_reachability_command_posts_an_empty_export():
    command = arguments(snippets.reachability(ENDPOINT, SECRET))
    assert command[-1] == f"{ENDPOINT}/v1/logs"
    assert json.loads(command[command.index("-d") + 1]) == {"resourceLogs": []}


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:4318", True),
        ("http://localhost:4318", True),
        ("http://[::1]:4318", True),
        ("http://0.0.0.0:4318", True),
        ("https://otlp.acme.example", False),
        ("http://10.1.2.3:4318", False),
        ("http://[2001:db8::1]:4318", False),
        ("http://localhost.acme.example", False),
    ],
)
def test_it_knows_an_address_no_other_machine_reaches(url, local):
    assert snippets.is_local(url) == local
