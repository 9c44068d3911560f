"""The same settings in the other forms in which machines take them: a profile, a registry value, a shell's lines.

Sources: Claude Code's documentation of managed settings; Apple's Configuration Profile Reference (a payload whose type
is a preference domain sets that domain's managed keys); the text of .reg files, version 5.
"""

import json
import plistlib
import shlex
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DOMAIN = "com.anthropic.claudecode"
REGISTRY_KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\ClaudeCode"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A text to copy or to save. `encoding` and `newline` are those of the saved file; on a page it is plain text."""

    slug: str
    title: str
    text: str
    filename: str = ""
    encoding: str = "utf-8"
    newline: str = "\n"


def profile(endpoint: str, settings: Mapping[str, Any]) -> Artefact:
    """A macOS configuration profile, for an MDM. Its identifiers are the same each time, so that it replaces itself."""
    host = urlsplit(endpoint).hostname or "localhost"
    identifier = f"agent-governance.{host}.claude-code"
    scheme = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": _uuid(endpoint, "profile"),
        "PayloadDisplayName": "Claude Code: telemetry",
        "PayloadDescription": f"Claude Code reports to {host}.",
        "PayloadScope": "System",
        "PayloadContent": [
            {
                "PayloadType": DOMAIN,
                "PayloadVersion": 1,
                "PayloadIdentifier": f"{identifier}.settings",
                "PayloadUUID": _uuid(endpoint, "settings"),
                "PayloadDisplayName": "Claude Code",
                **settings,
            }
        ],
    }
    text = plistlib.dumps(scheme, sort_keys=False).decode()
    return Artefact("profile", "Configuration profile, for an MDM", text, "claude-code-telemetry.mobileconfig")


def _uuid(endpoint: str, part: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{endpoint}#claude-code-{part}")).upper()


def registry_file(settings: Mapping[str, Any]) -> Artefact:
    """The registry value as a file that regedit and Group Policy preferences import."""
    value = _compact(settings).replace("\\", "\\\\").replace('"', '\\"')
    text = f'Windows Registry Editor Version 5.00\n\n[{REGISTRY_KEY}]\n"Settings"="{value}"\n'
    return Artefact("registry", "Registry file", text, "claude-code-telemetry.reg", "utf-16", "\r\n")


def registry_script(settings: Mapping[str, Any]) -> Artefact:
    """The same in PowerShell, to be run as an administrator or by Intune."""
    value = _compact(settings).replace("'", "''")
    text = (
        "$key = 'HKLM:\\SOFTWARE\\Policies\\ClaudeCode'\n"
        "if (-not (Test-Path $key)) { New-Item -Path $key -Force | Out-Null }\n"
        f"New-ItemProperty -Path $key -Name 'Settings' -PropertyType String -Force -Value '{value}' | Out-Null\n"
    )
    return Artefact("registry-script", "The same in PowerShell", text, "claude-code-telemetry.ps1", newline="\r\n")


def shell(environment: Mapping[str, str]) -> Artefact:
    """Lines for the start-up file of sh, bash or zsh."""
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    return Artefact("shell", "Lines for ~/.zshrc, ~/.bashrc or ~/.profile", "".join(lines), "claude-code-telemetry.sh")


def _compact(settings: Mapping[str, Any]) -> str:
    """JSON on one line, in ASCII."""
    return json.dumps(settings, separators=(",", ":"))
