"""Claude Code's settings, and the commands beside them."""

import json
import shlex
from urllib.parse import unquote

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


@pytest.mark.parametrize("interval", snippets.INTERVALS)
def test_they_say_how_often_counts_are_sent(interval):
    sent = environment(interval=interval)
    assert sent["OTEL_METRIC_EXPORT_INTERVAL"] == str(interval.milliseconds)
    assert sent["OTEL_LOGS_EXPORT_INTERVAL"] == "5000"


def test_each_level_names_every_content_switch_on_or_off():
    switches = {each.name for each in (*snippets.DECIDABLE, *snippets.WITHHELD)}
    content = {"OTEL_LOG_TOOL_DETAILS", "OTEL_LOG_USER_PROMPTS", "OTEL_LOG_ASSISTANT_RESPONSES"}
    on = {}
    for level in snippets.LEVELS:
        sent = environment(level=level)
        assert content <= set(sent) <= set(environment()) | switches, level
        on[level.slug] = {name for name in content if sent[name] == "1"}
    assert on == {
        "metrics": set(),
        "metadata": set(),
        "details": {"OTEL_LOG_TOOL_DETAILS"},
        "full": content,
    }


@pytest.mark.parametrize("team", ["payments", "Site Reliability, EU=1", "Zoë “%”"])
def test_the_team_goes_along_as_an_attribute(team):
    value = environment(team=team)["OTEL_RESOURCE_ATTRIBUTES"]
    key, _, encoded = value.partition("=")
    assert (key, unquote(encoded)) == ("team.id", team)
    assert not set(encoded) & set(" ,=\"'")
    assert "OTEL_RESOURCE_ATTRIBUTES" not in environment()


def test_metrics_only_sends_no_event_and_no_repository():
    sent = environment(level=snippets.LEVELS[0])
    assert (sent["OTEL_LOGS_EXPORTER"], sent["OTEL_METRICS_EXPORTER"]) == ("none", "otlp")
    assert "OTEL_METRICS_INCLUDE_REPOSITORY" not in sent
    assert "OTEL_LOGS_EXPORT_INTERVAL" not in sent


@pytest.mark.parametrize(
    ("scopes", "levels"),
    [(["metrics"], 1), (["logs"], 3), (["logs", "metrics"], 4), (["traces"], 0)],
)
def test_the_levels_on_offer_follow_the_scopes(scopes, levels):
    assert len(snippets.offered(scopes)) == levels


@pytest.mark.parametrize(("scopes", "logs", "metrics"), [(["logs"], "otlp", "none"), (["metrics"], "none", "otlp")])
def test_they_send_only_what_the_token_may(scopes, logs, metrics):
    sent = environment(scopes=scopes)
    assert (sent["OTEL_LOGS_EXPORTER"], sent["OTEL_METRICS_EXPORTER"]) == (logs, metrics)


def test_the_marked_form_is_the_same_text():
    for level in snippets.LEVELS:
        text = snippets.claude_code(ENDPOINT, SECRET, level=level)
        parts = list(snippets.marked(text))
        assert "".join(before + name + after for before, name, after in parts) == text
        assert [name for _, name, _ in parts if name] == [each.name for each in level.on if each in snippets.DECIDABLE]


def test_each_platform_has_its_path():
    assert {place.slug: place.path for place in snippets.PLACES if place.path} == {
        "macos": "/Library/Application Support/ClaudeCode/managed-settings.json",
        "linux": "/etc/claude-code/managed-settings.json",
        "windows": "C:\\Program Files\\ClaudeCode\\managed-settings.json",
        "individual": "~/.claude/settings.json",
    }
    assert {place.drop_in.rsplit("managed-settings.d")[-1] for place in snippets.PLACES if place.drop_in} == {
        "/50-agent-governance.json",
        "\\50-agent-governance.json",
    }


def test_each_way_says_what_people_are_asked():
    asked = {place.slug for place in snippets.PLACES if not place.approval.startswith("Nobody is asked")}
    assert asked == {"console"}


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
