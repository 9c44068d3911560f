"""The embedded PostgreSQL: how its data folder is made, how its server is started, and when it is ready.

As root the server runs under another account that may be unable to reach its own data folder, when that lies below a
folder only root may enter. So it gets the open folder itself: its data directory is `/proc/self/fd/N`, a descriptor
opened by root and inherited through every fork, and nothing's permissions change. Tried with PostgreSQL 15 and 18.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from portal import state
from portal.embedded import binaries, tuning
from portal.embedded.accounts import Account, private_folder
from portal.embedded.children import Launch
from portal.embedded.errors import ServerError

_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
PATIENCE = 60  # seconds
_INIT = ["--username", state.SUPERUSER, "--encoding=UTF8", "--data-checksums", "--text-search-config=simple"]
_INIT += ["--auth=scram-sha-256"]


@dataclass
class Postgres:
    """One server over one data folder. `prepare`, then `launch`, then `ready` until true, then `provision`."""

    state: state.State
    account: Account | None
    durable: bool = True
    name: str = "postgres"

    def __post_init__(self) -> None:
        self.programs = binaries.postgres()
        self._version = binaries.postgres_version(self.programs)
        self._program = binaries.Program(self.programs / "postgres")
        self._descriptor: int | None = None
        self._blocked_since: float | None = None

    def prepare(self) -> None:
        """Everything that must hold before the server can be started: programs, sockets, data folder, pid file."""
        private_folder(self.state.sockets, self.account)
        if self._program.copy is None:
            initdb = binaries.runnable(self.programs / "initdb", binaries.postgres_parts(self.programs), self.account)
            self._program = binaries.Program(initdb.path.with_name("postgres"), initdb.copy)
        if not self.state.postgres.exists():
            self._make_data()
        self._require_same_version()
        self._release_locks()

    def launch(self) -> Launch:
        data, descriptors = self._data(self.state.postgres)
        settings = tuning.settings(self._version, self.state.sockets, durable=self.durable)
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return Launch(
            arguments=[self._program.path, "-D", data, *options],
            environment=_ENVIRONMENT,
            stop_signal=signal.SIGINT,  # "fast": roll back, flush, leave; SIGTERM would wait for every client
            account=self.account,
            descriptors=descriptors,
        )

    def ready(self) -> bool:
        """By its own word in the pid file, then by connecting: asking earlier would fill its log with refusals."""
        with contextlib.suppress(FileNotFoundError, psycopg.OperationalError):
            if (self.state.postgres / "postmaster.pid").read_text().rstrip().endswith("ready"):
                self._connect().close()
                return True
        return False

    def provision(self) -> None:
        """The two logins and the database they share, with the passwords of `secrets/`; the eraser, who has none."""
        with self._connect() as connection:
            for role in (state.OWNER, state.APPLICATION):
                self._login(connection, role)
            self._eraser(connection)
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [state.DATABASE]).fetchone():
                names = sql.Identifier(state.DATABASE), sql.Identifier(state.OWNER)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
                revoke = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(names[0])
                connection.execute(revoke)
                grant = sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}")
                connection.execute(grant.format(names[0], sql.Identifier(state.APPLICATION)))

    def _login(self, connection: psycopg.Connection, role: str) -> None:
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if exists:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.state.database_url(role), connect_timeout=5).close()
                return
        statement = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}" if exists else "CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(statement.format(sql.Identifier(role), self.state.secret(f"{role}.password")))

    @staticmethod
    def _eraser(connection: psycopg.Connection) -> None:
        """Nobody logs in as the eraser: the owner hands it the functions that erase (audit/grants.py)."""
        names = sql.Identifier(state.ERASER), sql.Identifier(state.OWNER)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [state.ERASER]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(names[0]))
        connection.execute(sql.SQL("GRANT {} TO {}").format(*names))

    def close(self) -> None:
        """After the server has stopped: nothing of it stays outside the state's folder."""
        self._program.remove_copy()
        self._program = binaries.Program(self.programs / "postgres")
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _connect(self) -> psycopg.Connection:
        url = self.state.database_url(state.SUPERUSER, "postgres")
        return psycopg.connect(url, autocommit=True, connect_timeout=2)

    def _data(self, folder: Path) -> tuple[str, tuple[int, ...]]:
        """The data directory as the server names it, and the descriptors it must inherit for that."""
        if self.account is None or sys.platform != "linux":
            return str(folder), ()
        if self._descriptor is None:
            self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._descriptor}", (self._descriptor,)

    def _make_data(self) -> None:
        """Under another name first, so that a start that is cut short leaves nothing half-made behind."""
        making = self.state.postgres.with_name("postgres.new")
        shutil.rmtree(making, ignore_errors=True)
        self.state.folder("run")
        private_folder(making, self.account)
        password = self.state.sockets / "password"
        password.write_text(self.state.secret(f"{state.SUPERUSER}.password") + "\n", encoding="ascii")
        password.chmod(0o600)
        if self.account:
            self.account.own(password)
        data, descriptors = self._data(making)
        try:
            unsynced = [] if self.durable else ["--no-sync"]
            self._initdb([*_INIT, *unsynced, f"--pwfile={password}", "-D", data], descriptors)
        finally:
            password.unlink()
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
        making.rename(self.state.postgres)

    def _initdb(self, options: list[str], descriptors: tuple[int, ...]) -> None:
        """Code point order on every system: built in from 17 on, else the C library's C.UTF-8."""
        built_in = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        locale = built_in if self._version >= 17 else ["--locale=C.UTF-8"]
        done = subprocess.run(
            [self._program.path.with_name("initdb"), *options, *locale],
            env=_ENVIRONMENT,
            cwd="/",
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
            pass_fds=descriptors,
            umask=0o077,
            start_new_session=True,  # a terminal's Ctrl-C is for us to heed, after it has finished
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"initdb could not make {self.state.postgres}: {done.stderr.strip()[-500:]}")

    def _require_same_version(self) -> None:
        made_by = int((self.state.postgres / "PG_VERSION").read_text())
        if made_by != self._version:
            raise ServerError(
                f"{self.state.postgres} was made by PostgreSQL {made_by}, and {self.programs} holds {self._version}; "
                f"name the programs of PostgreSQL {made_by} in PORTAL_PG_BIN, or move the data with pg_dump."
            )

    def blocked(self) -> bool:
        """Whether processes of a killed predecessor still hold the data; it is to be asked again until they do not.

        A server that was told to stop is waited for. Processes whose server is dead go by themselves as soon as they
        look up from their work; those that do not within PATIENCE are killed, as they would be in a crash.
        """
        remaining = _processes_in(self.state.postgres)
        if not remaining:
            self._blocked_since = None
            return False
        self._blocked_since = self._blocked_since or time.monotonic()
        if time.monotonic() - self._blocked_since > PATIENCE:
            server = self._pid_in_file()
            if server in remaining:
                raise ServerError(
                    f"Another PostgreSQL (process {server}) runs on {self.state.postgres}; stop it first."
                )
            for pid in remaining:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        return True

    def _pid_in_file(self) -> int | None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int((self.state.postgres / "postmaster.pid").read_text().split("\n", 1)[0])
        return None

    def _release_locks(self) -> None:
        """After a crash the process numbers in the lock files may by now be some other program's, or a dead child's.

        The server would then refuse to start for good. Our own number in `postmaster.pid` makes it look twice at what
        matters, the shared memory that processes of the old server may still hold, which that file also names.
        """
        if sys.platform != "linux" or _processes_in(self.state.postgres):
            return
        for left in self.state.sockets.glob(f"{state.DATABASE_SOCKET}*"):
            left.unlink()
        with contextlib.suppress(FileNotFoundError), (self.state.postgres / "postmaster.pid").open("r+") as file:
            _, *rest = file.read().split("\n", 1)
            file.seek(0)
            file.write("\n".join([str(os.getpid()), *rest]))
            file.truncate()


def _processes_in(folder: Path) -> set[int]:
    """The processes that work in that folder, which every process of a PostgreSQL server does. Linux only."""
    found, wanted = set(), os.path.realpath(folder)
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry / "cwd") == wanted:  # noqa: PTH115 - the text, not a path to follow
                found.add(int(entry.name))
    return found - {os.getpid()}
