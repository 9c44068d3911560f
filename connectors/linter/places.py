"""What a path or a place says about settings before their first line is read."""

import re
from collections.abc import Iterator

from connectors.linter.pasted import Pasted
from connectors.linter.remarks import DOUBT, IGNORED, NOTE, WRONG, Remark

_OF_A_PERSON = re.compile(r"^(~|\$HOME|%userprofile%|/home/[^/]+|/users/[^/]+|/root|[a-z]:/users/[^/]+)/\.claude/")
_MANAGED = ("/etc/claude-code/", "/library/application support/claudecode/", "c:/program files/claudecode/")
_WINDOWS_PATH = r"C:\Program Files\ClaudeCode\managed-settings.json"


def remarks(place: str, pasted: Pasted) -> Iterator[Remark]:
    """`place` is a path, or `console`; nothing is said of an empty one."""
    path = place.strip().lower().replace("\\", "/")
    if "programdata/claudecode" in path or re.search(r"programdata[\\/]+claudecode", pasted.text, re.IGNORECASE):
        yield Remark(WRONG, 0, "Path", f"ProgramData is no longer read on Windows. It is {_WINDOWS_PATH}.")
    elif path == "console":
        yield Remark(
            NOTE, 0, "Approval", "Everyone is asked at the next start, as an address for telemetry is among them; who "
            "declines cannot use Claude Code.",
        )  # fmt: skip
        yield Remark(NOTE, 0, "Reach", "Not for Bedrock, Vertex, Foundry or API keys: these need a file.")
    elif ".claude/settings" in path and not _OF_A_PERSON.match(path):
        yield Remark(
            IGNORED, 0, "Place", "These are settings of a project. Since 2.1.282 Claude Code ignores exporters, "
            "endpoints and content switches there; only OTEL_RESOURCE_ATTRIBUTES is taken.",
        )  # fmt: skip
    elif "remote-settings.json" in path:
        yield Remark(IGNORED, 0, "Place", "This file is a copy of what the claude.ai console says, and is overwritten.")
    elif ".claude/settings" in path:
        yield Remark(NOTE, 0, "Place", "Settings of one person, who can switch them off again.")
    elif "claudecode" in path.replace("-", "") and not path.startswith(_MANAGED):
        yield Remark(DOUBT, 0, "Path", "Managed settings are read only from the paths that a token's page names.")
