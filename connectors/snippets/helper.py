"""A script that prints the header, so that the token stands in no settings file: Claude Code's `otelHeadersHelper`.

Claude Code runs it at the start and every 29 minutes, for the HTTP protocols only, and reads one JSON object of texts.
While it fails, nothing is exported. A token that is replaced in its file is taken up without a new session.
"""

import json
from collections.abc import Mapping

from connectors.snippets.artefacts import Artefact

UNIX_SCRIPT = "/etc/claude-code/otel-headers.sh"
UNIX_TOKEN = "/etc/claude-code/otel-token"  # noqa: S105 - where a token is put
WINDOWS_SCRIPT = r"C:\Program Files\ClaudeCode\otel-headers.ps1"
WINDOWS_TOKEN = r"C:\Program Files\ClaudeCode\otel-token"  # noqa: S105
SERVICE = "agent-governance"
REFRESH = ("CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS", "1740000")

_SH = f"""#!/bin/sh
# Prints the header that Claude Code sends its telemetry with, as JSON.
# The token comes from a file, or from the key chain of macOS or of a Linux desktop.
file="${{AGENT_GOVERNANCE_TOKEN_FILE:-{UNIX_TOKEN}}}"
if [ -r "$file" ]; then
  token=$(cat "$file")
elif command -v security >/dev/null 2>&1; then
  token=$(security find-generic-password -s {SERVICE} -w)
elif command -v secret-tool >/dev/null 2>&1; then
  token=$(secret-tool lookup service {SERVICE})
else
  token=''
fi
case $token in
  '' | *[!0-9A-Za-z_]*) echo "no ingestion token in $file or the key chain" >&2; exit 1 ;;
esac
printf '{{"Authorization": "Bearer %s"}}\\n' "$token"
"""

_POWERSHELL = f"""# Prints the header that Claude Code sends its telemetry with, as JSON.
$file = if ($env:AGENT_GOVERNANCE_TOKEN_FILE) {{ $env:AGENT_GOVERNANCE_TOKEN_FILE }} else {{ '{WINDOWS_TOKEN}' }}
$token = if (Test-Path -LiteralPath $file) {{ (Get-Content -LiteralPath $file -Raw).Trim() }} else {{ '' }}
if ($token -notmatch '^[0-9A-Za-z_]+$') {{
  [Console]::Error.WriteLine("no ingestion token in $file")
  exit 1
}}
@{{ Authorization = "Bearer $token" }} | ConvertTo-Json -Compress
"""


def scripts() -> tuple[Artefact, Artefact]:
    """For macOS, Linux and WSL; and for Windows."""
    return (
        Artefact("helper-sh", "Script for macOS, Linux and WSL", _SH, "otel-headers.sh"),
        Artefact("helper-ps1", "Script for Windows", _POWERSHELL, "otel-headers.ps1", newline="\r\n"),
    )


def settings(environment: Mapping[str, str]) -> tuple[Artefact, Artefact]:
    """Settings that use the scripts; `environment` is one without a header."""
    windows = f'powershell -NoProfile -ExecutionPolicy Bypass -File "{WINDOWS_SCRIPT}"'
    return (
        _settings("helper-settings", "Settings for macOS, Linux and WSL", UNIX_SCRIPT, environment),
        _settings("helper-settings-windows", "Settings for Windows", windows, environment),
    )


def _settings(slug: str, title: str, command: str, environment: Mapping[str, str]) -> Artefact:
    scheme = {"otelHeadersHelper": command, "env": {**environment, REFRESH[0]: REFRESH[1]}}
    return Artefact(slug, title, json.dumps(scheme, indent=2), "managed-settings.json")
