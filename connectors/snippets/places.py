"""Where Claude Code's settings go, who can put them there, and what people are asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A heading, the path if it is a file, the path of a file beside others, and what to know about this way.

    `approval` is what the people it reaches see.
    """

    slug: str
    title: str
    path: str
    notes: tuple[str, ...]
    approval: str
    drop_in: str = ""


_DROP_IN = "50-agent-governance.json"
_NOBODY_ASKED = "Nobody is asked. /status names the source; new sessions report, running ones go on as they were."
_FILE = "For everyone on the machine, whatever account they use."
PLACES = (
    Place(
        "console",
        "claude.ai console",
        "",
        (
            "Admin settings › Claude Code › Managed settings. An Owner or Primary Owner of the organisation can do it.",
            "Reaches everyone who signs in with this organisation, at their next start and within the hour. Not for "
            "Bedrock, Vertex or Foundry, and not for API keys: use the file there.",
            "It is the only way to reach cloud sessions. The same settings go to everyone: there is none per group.",
        ),
        "Everyone is shown “Managed settings require approval” at the next start, with the address that telemetry goes "
        "to: the endpoint is one of the settings that ask, and so is otelHeadersHelper. Who declines cannot use Claude "
        "Code. What they approve is kept in ~/.claude/remote-settings.json, not in their own settings.json.",
    ),
    Place(
        "macos",
        "macOS",
        "/Library/Application Support/ClaudeCode/managed-settings.json",
        (
            _FILE,
            "An MDM can bring the profile instead (domain com.anthropic.claudecode); where both are, the profile wins.",
        ),
        _NOBODY_ASKED,
        f"/Library/Application Support/ClaudeCode/managed-settings.d/{_DROP_IN}",
    ),
    Place(
        "linux",
        "Linux and WSL",
        "/etc/claude-code/managed-settings.json",
        (_FILE, "Inside WSL it is this path of the Linux system, not the one of Windows."),
        _NOBODY_ASKED,
        f"/etc/claude-code/managed-settings.d/{_DROP_IN}",
    ),
    Place(
        "windows",
        "Windows",
        r"C:\Program Files\ClaudeCode\managed-settings.json",
        (
            _FILE,
            r"C:\ProgramData\ClaudeCode, which older guides name, is no longer read.",
            r"Intune or Group Policy can set the registry value instead: HKLM\SOFTWARE\Policies\ClaudeCode, Settings. "
            "Where both are, the registry wins.",
        ),
        _NOBODY_ASKED,
        rf"C:\Program Files\ClaudeCode\managed-settings.d\{_DROP_IN}",
    ),
    Place(
        "individual",
        "One person",
        "~/.claude/settings.json",
        (
            "For trying it out: this person can switch it off again. "
            r"On Windows the file is %USERPROFILE%\.claude\settings.json.",
            "The settings of a project or repository cannot do it: Claude Code ignores these variables there (since "
            "2.1.282).",
        ),
        "Nobody is asked. It holds from the next session on.",
    ),
    Place(
        "shell",
        "Shell",
        "",
        (
            "For one account's terminals, from the next one on. Editors and the desktop app that were not started from "
            "such a shell do not see it, and whoever owns the file can take it out: prefer a file of the machine.",
            "What managed settings say wins over these lines. The token stands in a file that other programs read.",
        ),
        "Nobody is asked.",
    ),
)
