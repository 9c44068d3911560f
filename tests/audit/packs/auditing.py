"""What an auditor has: a pack, a policy that came by another way, Python, and no network."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit.verifier import verify
from tests.audit.verifier.packs import with_manifest, zipped

Files = dict[str, bytes]


def verified(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The verifier's answer, in a process that sees nothing of the portal."""
    arguments = [str(path), "--policy", str(path.parent / "policy.json"), *options]
    return subprocess.run(
        [sys.executable, "-I", verify.__file__, *arguments], capture_output=True, text=True, check=False, cwd="/"
    )


def assert_valid(path: Path) -> str:
    done = verified(path)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files(path)["events.ndjson"].splitlines()]


def manifest(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(path)["manifest.json"])
    return found


def report(path: Path) -> str:
    return files(path)["report.html"].decode()


def with_lines(path: Path, edit: Callable[[list[bytes]], list[bytes]]) -> Path:
    """The same pack with other lines, and a manifest that fits them, as anybody could make it."""
    found = files(path)
    changed = edit(found["events.ndjson"].splitlines(keepends=True))
    forged = path.with_name("forged.zip")
    forged.write_bytes(zipped(with_manifest(found | {"events.ndjson": b"".join(changed)})))
    return forged
