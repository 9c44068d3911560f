"""Makes `.venv` from the hash-pinned lock and runs the command again inside it. Standard library only."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
LOCK, DEVELOPMENT_LOCK = "requirements.lock", "requirements-dev.lock"
MARKER = "portal-lock.json"

# What an installer says, and what that means to the person who reads it; the first that fits.
REASONS = (
    ("no such option: --python", "this Python's pip is older than 22.3; upgrade it or put uv on PATH."),
    ("do not match the hashes", "a package differs from its pinned hash, so the index or a proxy changed it."),
    ("no space left", "the disk is full."),
    ("connect", "no connection to the package index; see HTTPS_PROXY and PIP_INDEX_URL."),
    ("resolution", "no connection to the package index; see HTTPS_PROXY and PIP_INDEX_URL."),
    ("timed out", "no connection to the package index; see HTTPS_PROXY and PIP_INDEX_URL."),
    ("no matching distribution", "the index has no package for this machine and Python; 3.11 to 3.13 are supported."),
)


class BootstrapError(Exception):
    """The environment cannot be made; the message is one sentence that says what is missing and what to do."""


def ensure_environment(command: str) -> None:
    """Return when this process may go on; else go on as the same command in `.venv`, or exit with a sentence."""
    environment = Environment(PROJECT / ".venv", PROJECT)
    if os.environ.get("PORTAL_NO_BOOTSTRAP") == "1" or environment.is_this():
        return
    try:
        environment.ensure(DEVELOPMENT_LOCK if command == "test" else LOCK)
    except BootstrapError as error:
        sys.exit(f"manage.py: {error}")
    os.execv(environment.python, [str(environment.python), *sys.argv])  # noqa: S606 - the same command, no shell


class Environment:
    """A virtual environment in `folder`, made from the lock files in `locks` by the Python `maker`."""

    def __init__(self, folder: Path, locks: Path, maker: str = sys.executable) -> None:
        self.folder, self.locks, self.maker = folder, locks, maker
        self.python = folder / "bin" / "python"

    def is_this(self) -> bool:
        """Whether this process already runs in it."""
        return self.folder.exists() and Path(sys.prefix).samefile(self.folder)

    def ensure(self, lock: str) -> None:
        """Make it hold what `lock` pins, unless it does. Runs at the same time wait for each other."""
        with _one_at_a_time(self.locks / lock):
            if not self.satisfies(lock):
                self._make(DEVELOPMENT_LOCK if self._marker().get("lock") == DEVELOPMENT_LOCK else lock)

    def satisfies(self, lock: str) -> bool:
        """Whether it was made from this lock as it is now, or from the development lock, which holds the other too."""
        marker = self._marker()
        return self._intact(marker) and any(marker == self._content(name) for name in {lock, DEVELOPMENT_LOCK})

    def _make(self, lock: str) -> None:
        print(f"Installing the packages of {lock} into {self.folder} …", file=sys.stderr, flush=True)
        if not self._usable():
            shutil.rmtree(self.folder, ignore_errors=True)
            _run([self.maker, "-m", "venv", "--without-pip", str(self.folder)], f"could not make {self.folder}")
        self._install(self.locks / lock)
        temporary = self.folder / f"{MARKER}.new"
        temporary.write_text(json.dumps(self._content(lock)), encoding="utf-8")
        temporary.replace(self.folder / MARKER)

    def _install(self, lock: Path) -> None:
        """With uv where it works, else with the pip of the maker, which need not be in the environment."""
        pins = ["--require-hashes", "--no-deps", "-r", str(lock)]
        uv = shutil.which("uv")
        if uv and _succeeds([uv, "pip", "install", "--python", str(self.python), *pins]):
            return
        if not _succeeds([self.maker, "-m", "pip", "--version"]):
            raise BootstrapError(f"{self.maker} has no pip; install it (Debian: python3-pip) or put uv on PATH.")
        pip = [self.maker, "-m", "pip", "--python", str(self.python), "--disable-pip-version-check", "--no-input"]
        _run([*pip, "install", "--quiet", "--no-compile", *pins], f"could not install {lock.name}")

    def _usable(self) -> bool:
        """Whether its Python still starts: an upgrade of the system may have removed it."""
        marker = self._marker()
        if not (self.folder / "pyvenv.cfg").exists() or (marker and not self._intact(marker)):
            return False
        return _succeeds([str(self.python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"])

    def _intact(self, marker: dict[str, Any]) -> bool:
        """Whether its Python is the one that it was made with."""
        return self.python.exists() and marker.get("python") == os.path.realpath(self.python)

    def _marker(self) -> dict[str, Any]:
        try:
            content = json.loads((self.folder / MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _content(self, lock: str) -> dict[str, str]:
        digest = hashlib.sha256((self.locks / lock).read_bytes()).hexdigest()
        return {"lock": lock, "sha256": digest, "python": os.path.realpath(self.python)}


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:])
        words = done.stdout.lower()
        reason = next((meaning for sign, meaning in REASONS if sign in words), "see the lines above.")
        raise BootstrapError(f"{failure}: {reason}")


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextlib.contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    """An exclusive lock for the duration, on a file that is there anyway."""
    with file.open("rb") as handle:
        with contextlib.suppress(OSError):  # some network file systems lock nothing
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
