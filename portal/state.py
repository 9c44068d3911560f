"""Everything the portal keeps on this machine: one folder, `var/` beside `manage.py` or wherever `PORTAL_VAR` says.

    secrets/    one file a secret, 0600, made at first use
    keys/       the ring of keys that vendors' keys are sealed with
    postgres/   the embedded database's data
    broker/     the embedded broker's append-only file
    packs/      finished evidence packs, for a week
    static/     collected static files
    run/        locks and, where the path is short enough, the servers' sockets

Deleting the folder is a factory reset. Standard library only: it is read before Django and without it.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

PROJECT = Path(__file__).resolve().parent.parent
DATABASE = "portal"
OWNER, APPLICATION, SUPERUSER, ERASER = "portal_owner", "portal_app", "postgres", "portal_eraser"
DATABASE_SOCKET, BROKER_SOCKET = ".s.PGSQL.5432", "broker.sock"
LONGEST_SOCKET_PATH = 103  # bytes without the closing NUL: macOS has 104 in all, Linux 108


@dataclass(frozen=True, slots=True)
class State:
    """The folder `root` (absolute) and what lies in it."""

    root: Path

    def folder(self, name: str) -> Path:
        """The folder of that name, made for this user's eyes only (0700) where it is missing."""
        for path in (self.root, self.root / name):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def sockets(self) -> Path:
        """The folder of the servers' sockets: its path is always the same and short enough for one.

        `run/s` where that path is short, has no comma (which parts a list of hosts), and the servers run as this user.
        As root they do not, and have no right to enter the state's folder: then a folder in `/run`. It is made, and its
        owner checked, when a server starts.
        """
        inside = self.root / "run" / "s"
        plain = "," not in str(inside) and '"' not in str(inside)
        if os.geteuid() != 0 and plain and len(os.fsencode(inside / DATABASE_SOCKET)) <= LONGEST_SOCKET_PATH:
            return inside
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        run = Path("/run")
        if os.geteuid() == 0 and run.is_dir():
            return run / f"portal-{name}"
        return Path("/tmp") / f"portal-{os.geteuid()}-{name}"  # noqa: S108 - the servers refuse a folder of another's

    def remove_sockets(self) -> None:
        """After the servers have stopped."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    def secret(self, name: str) -> str:
        """The secret of that name: 256 random bits as 64 hexadecimal digits, made at its first use.

        Processes that start together agree on one: the file appears under its name with its content, or not at all.
        """
        path = self.root / "secrets" / name
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return self._make_secret(path)

    def secret_bytes(self, name: str) -> bytes:
        """The 32 bytes of a secret, for HMAC and the like."""
        return bytes.fromhex(self.secret(name))

    def _make_secret(self, path: Path) -> str:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=self.folder("secrets"))
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
        Path(temporary).unlink()
        return path.read_text(encoding="ascii").strip()

    def database_url(self, role: str, database: str = DATABASE) -> str:
        """The embedded database as libpq reads it, through its socket."""
        password, host = self.secret(f"{role}.password"), quote(str(self.sockets), safe="")
        return f"postgresql://{role}:{password}@/{database}?host={host}"

    def broker_url(self) -> str:
        """The embedded broker as kombu reads it, through its socket."""
        return f"redis+socket://:{self.secret('broker.password')}@{quote(str(self.sockets / BROKER_SOCKET))}"


def here() -> State:
    """The state of this installation."""
    return State(Path(os.path.abspath(os.environ.get("PORTAL_VAR") or PROJECT / "var")))  # noqa: PTH100 - no symlinks


def folder() -> Path:
    return here().root


def secret(name: str) -> str:
    return here().secret(name)


def secret_bytes(name: str) -> bytes:
    return here().secret_bytes(name)


def database_url(role: str) -> str:
    return here().database_url(role)


def broker_url() -> str:
    return here().broker_url()
