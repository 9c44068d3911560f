"""The other agents' settings, as far as their telemetry was measured (wire-other-agents.md, Part A and B).

Each is told apart by the path /api/v1/otel/<agent>/…, or by its own names where its exporter appends /v1/<signal>.
"""

import json
import shlex
from collections.abc import Collection
from dataclasses import dataclass

from connectors.snippets.artefacts import Artefact


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent, where its settings go, what it sends with them, and whether an organisation can force them."""

    slug: str
    title: str
    path: str
    artefact: Artefact
    sends: str
    forced: str


def agents(endpoint: str, secret: str, scopes: Collection[str] = ("logs", "metrics")) -> tuple[Agent, ...]:
    return (
        _codex(endpoint, secret, scopes),
        _gemini(endpoint, secret),
        _copilot(endpoint, secret),
        _qwen(endpoint, secret),
        _opencode(endpoint, secret),
    )


def _codex(endpoint: str, secret: str, scopes: Collection[str]) -> Agent:
    def exporter(signal: str) -> str:
        if signal not in scopes:
            return '"none"'
        url, header = _toml(f"{endpoint}/api/v1/otel/codex/{signal}"), _toml(f"Bearer {secret}")
        return (
            f'{{ otlp-http = {{ endpoint = {url}, protocol = "binary", headers = {{ Authorization = {header} }} }} }}'
        )

    text = (
        "[otel]\n"
        'environment = "production"\n'
        "log_user_prompt = false\n"
        f"exporter = {exporter('logs')}\n"
        f"metrics_exporter = {exporter('metrics')}\n"
        'trace_exporter = "none"\n'
    )
    return Agent(
        "codex",
        "Codex",
        "~/.codex/config.toml",
        Artefact("codex", "Codex's settings", text, "config.toml"),
        "Logs and counts. Prompts are left out; the arguments and the output of tools are always sent in full, and no "
        "setting stops that: a source that drops content keeps none of it. A shell command that a person refuses "
        "leaves no record. Do not set OTEL_EXPORTER_OTLP_COMPRESSION: Codex then sends nothing, silently.",
        "Not by a managed file that was seen to work: the section stands in each person's own settings and can be "
        "taken out. It uses its own [otel] section and ignores Claude Code's variables. End the background process "
        "(codex-app-server) after a change, or it goes on with what it began with.",
    )


def _toml(text: str) -> str:
    """A TOML string: JSON's escapes are among its own."""
    return json.dumps(text)


def _gemini(endpoint: str, secret: str) -> Agent:
    return Agent(
        "gemini",
        "Gemini CLI",
        "~/.gemini/settings.json, and the header in the environment",
        Artefact("gemini", "Gemini CLI's settings", _telemetry(endpoint, "gemini"), "settings.json"),
        "Logs, counts and traces. logPrompts is on unless it is switched off, as here; a prompt given on the command "
        f"line is sent even then, with the process's arguments. The header: {_header(secret)}",
        "In part: a system-wide settings.json of the machine wins over the person's, but the header comes from the "
        "environment, and environment variables win over both.",
    )


def _qwen(endpoint: str, secret: str) -> Agent:
    return Agent(
        "qwen",
        "Qwen Code",
        "~/.qwen/settings.json, and the header in the environment",
        Artefact("qwen", "Qwen Code's settings", _telemetry(endpoint, "qwen"), "settings.json"),
        "Logs, counts and traces, and more for audit than Gemini CLI: the call's own id, and whether a person was "
        f"asked. Tool arguments are sent even with logPrompts off. The header: {_header(secret)}",
        "Not by a managed file that was seen to work.",
    )


def _telemetry(endpoint: str, agent: str) -> str:
    """Both take a base address and append /v1/<signal>."""
    telemetry = {
        "enabled": True,
        "target": "local",
        "useCollector": True,
        "otlpEndpoint": endpoint,
        "otlpProtocol": "http",
        "logPrompts": False,
    }
    if agent == "gemini":
        telemetry["traces"] = False
    return json.dumps({"telemetry": telemetry}, indent=2)


def _header(secret: str) -> str:
    return f"export OTEL_EXPORTER_OTLP_HEADERS={shlex.quote(f'Authorization=Bearer {secret}')}"


def _copilot(endpoint: str, secret: str) -> Agent:
    text = (
        "export COPILOT_OTEL_ENABLED=true\n"
        f"export OTEL_EXPORTER_OTLP_ENDPOINT={shlex.quote(endpoint)}\n"
        f"{_header(secret)}\n"
    )
    return Agent(
        "copilot",
        "Copilot CLI",
        "the environment it is started in",
        Artefact("copilot", "Copilot CLI's environment", text, "copilot-telemetry.sh"),
        "Counts and traces, no logs. This version of the portal keeps no traces, so that its permissions are not "
        "evidence here yet; without content the names of MCP servers and tools come as SHA-256. No identity is sent: "
        "give one in OTEL_RESOURCE_ATTRIBUTES.",
        "By GitHub's enterprise-managed settings; that was not measured. The environment alone can be changed by "
        "whoever starts it.",
    )


def _opencode(endpoint: str, secret: str) -> Agent:
    text = f"export OTEL_EXPORTER_OTLP_ENDPOINT={shlex.quote(endpoint)}\n{_header(secret)}\n"
    return Agent(
        "opencode",
        "opencode",
        'the environment, and "experimental": {"openTelemetry": true} in opencode.json',
        Artefact("opencode", "opencode's environment", text, "opencode-telemetry.sh"),
        "Application log lines and traces, with prompts and tool input in full; no counts. Log lines name permissions, "
        "but not what a person answered.",
        "No.",
    )
