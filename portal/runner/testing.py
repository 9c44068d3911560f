"""`manage.py test`: pytest against throw-away servers."""

import os
import subprocess
import sys

from portal.embedded.throwaway import cluster
from portal.state import PROJECT


def run(arguments: list[str]) -> int:
    """Run pytest with these arguments from the project's folder, and return its exit code."""
    with cluster() as environment:
        command = [sys.executable, "-m", "pytest", *arguments]
        process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=PROJECT)
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # pytest got it too and is telling what it did
                continue
