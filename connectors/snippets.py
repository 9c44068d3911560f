"""What people paste: Claude Code settings that send here, and commands that read from here.

Facts about the variables: Claude Code's monitoring documentation, and captures of what each one puts on the wire.
Protocol is always written, as Claude Code has no default for it; the exporter appends /v1/logs and /v1/metrics.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.addresses import address


@dataclass(frozen=True, slots=True)
class Switch:
    """A variable, the value the snippet gives it, and what it sends or would send."""

    name: str
    value: str
    sends: str


DECIDABLE = (
    Switch(
        "OTEL_METRICS_INCLUDE_ENTRYPOINT",
        "true",
        "How Claude Code was started: terminal, editor, headless, SDK. "
        "Without it the portal often cannot tell whether a person could be asked.",
    ),
    Switch("OTEL_METRICS_INCLUDE_REPOSITORY", "true", "Address, owner and name of the Git repository worked in."),
    Switch("OTEL_METRICS_INCLUDE_VERSION", "true", "The version of Claude Code, with every event."),
    Switch(
        "OTEL_LOG_TOOL_DETAILS",
        "1",
        "Commands, file paths, web addresses, tool input (long values cut), "
        "the names of MCP servers, tools and skills, error texts.",
    ),
)
"""What makes decisions decidable."""

WITHHELD = (
    Switch("OTEL_LOG_USER_PROMPTS", "0", "The text of prompts, and of replies unless these are switched off as well."),
    Switch("OTEL_LOG_ASSISTANT_RESPONSES", "0", "The text of the model's replies."),
)
"""Content, switched off by name: in managed settings nobody on the machine can then switch it on."""

UNSET = (
    Switch("OTEL_LOG_TOOL_CONTENT", "", "What tools read and wrote, in traces only."),
    Switch("OTEL_LOG_RAW_API_BODIES", "", "Whole requests to the model and its whole answers."),
)
"""Content that is off as long as nobody names it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the settings go: a heading, the path if it is a file, and what to know about this way."""

    slug: str
    title: str
    path: str
    notes: tuple[str, ...]


_FILE_NOTES = (
    "For everyone on the machine, whatever account they use. Nobody is asked to approve it.",
    "Is there a file already? Merge the keys under “env”, or put this one beside it in the folder "
    "managed-settings.d, under a name that ends in .json.",
)
PLACES = (
    Place(
        "console",
        "claude.ai console",
        "",
        (
            "Admin settings › Claude Code › Managed settings. An Owner or Primary Owner of the organisation can do it.",
            "Reaches everyone who signs in with this organisation, at their next start. "
            "People are asked to approve an address that telemetry goes to; who declines cannot use Claude Code.",
            "Not for Bedrock, Vertex or Foundry: use the file.",
        ),
    ),
    Place("macos", "macOS", "/Library/Application Support/ClaudeCode/managed-settings.json", _FILE_NOTES),
    Place("linux", "Linux and WSL", "/etc/claude-code/managed-settings.json", _FILE_NOTES),
    Place("windows", "Windows", r"C:\Program Files\ClaudeCode\managed-settings.json", _FILE_NOTES),
    Place(
        "individual",
        "One person",
        "~/.claude/settings.json",
        (
            "For trying it out: this person can switch it off again. "
            r"On Windows the file is %USERPROFILE%\.claude\settings.json.",
            "The settings of a project or repository cannot do it: Claude Code ignores these variables there.",
        ),
    ),
)


def claude_code(endpoint: str, secret: str, scopes: Collection[str] = ("logs", "metrics")) -> str:
    """Settings that make Claude Code report to `endpoint`, as JSON. Exporters follow the token's scopes."""
    environment = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp" if "logs" in scopes else "none",
        "OTEL_METRICS_EXPORTER": "otlp" if "metrics" in scopes else "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {secret}",
        **{switch.name: switch.value for switch in (*DECIDABLE, *WITHHELD)},
    }
    return json.dumps({"env": environment}, indent=2)


def marked(snippet: str) -> Iterable[tuple[str, str, str]]:
    """The snippet cut into (before, name of a decidable switch, after), to be shown with the names marked."""
    for line in snippet.splitlines(keepends=True):
        name = next((switch.name for switch in DECIDABLE if switch.name in line), "")
        before, _, after = line.partition(name) if name else (line, "", "")
        yield before, name, after


def reachability(endpoint: str, secret: str) -> str:
    """A shell command that asks the receiver whether it takes this token: it answers {} with status 200."""
    return (
        f"curl -sS -i -H 'Authorization: Bearer {secret}' \\\n"
        f"  -H 'Content-Type: application/json' -d '{{\"resourceLogs\": []}}' \\\n"
        f"  '{endpoint}/v1/logs'"
    )


@dataclass(frozen=True, slots=True)
class Request:
    """A reading command and what it answers."""

    title: str
    command: str


def requests(portal: str, secret: str, scopes: Collection[str]) -> list[Request]:
    """Shell commands that read what a token of these scopes may read."""
    paths = (
        ("export:read", "The feed: the first hundred events, one a line", "export/?limit=100"),
        ("events:read", "The five sessions seen last", "sessions/?page_size=5"),
        ("tokens:read", "Ingestion tokens", "ingest-tokens/"),
    )
    return [
        Request(title, f"curl -sS -H 'Authorization: Bearer {secret}' \\\n  '{portal}/api/v1/{path}'")
        for scope, title, path in paths
        if scope in scopes
    ]


def is_local(url: str) -> bool:
    """Whether `url` can only be reached from the machine the portal runs on."""
    host = urlsplit(url).hostname or ""
    parsed = address(f"[{host}]" if ":" in host else host)
    return host == "localhost" or (parsed is not None and (parsed.is_loopback or parsed.is_unspecified))
