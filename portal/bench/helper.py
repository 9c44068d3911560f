"""Processes of the bench's own, spoken to by lines on their standard input and output."""

import subprocess
import sys

from portal import state
from portal.runner.parts import child_environment
from portal.state import PROJECT


def helper(module: str) -> subprocess.Popen[bytes]:
    """Runs `python -m <module>` on the settings' database; what goes wrong there is told on our stderr."""
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**child_environment(state.here()), "DJANGO_SETTINGS_MODULE": "portal.settings"},
        cwd=PROJECT,
    )
