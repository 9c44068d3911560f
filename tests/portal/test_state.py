"""The state's folder: secrets that are made once, for one user's eyes, however many start at once."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from kombu.utils.url import url_to_parts
from psycopg.conninfo import conninfo_to_dict

from portal import state
from portal.state import LONGEST_SOCKET_PATH, PROJECT, State


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    here = State(tmp_path / "var")
    first = here.secret("django.key")
    assert here.secret("django.key") == first
    assert State(tmp_path / "var").secret("django.key") == first
    assert len(here.secret_bytes("django.key")) == 32
    assert here.secret("identity.key") != first


def test_secrets_are_for_this_user_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        State(tmp_path / "var").secret("django.key")
    finally:
        os.umask(before)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "var", *(tmp_path / "var").rglob("*"))
    }
    assert modes == {"var": 0o700, "secrets": 0o700, "django.key": 0o600}


def test_processes_that_start_together_agree_on_a_secret(tmp_path: Path) -> None:
    code = "import sys; from portal.state import here; sys.stdin.read(1); print(here().secret('django.key'))"
    environment = {**os.environ, "PORTAL_VAR": str(tmp_path / "var"), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", code]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(8)
    ]
    for process in started:  # each waits for this, so that they are all there when the first one is let go
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    answers = {process.communicate()[0].strip() for process in started}
    assert len(answers) == 1
    assert answers == {State(tmp_path / "var").secret("django.key")}
    assert [path.name for path in (tmp_path / "var" / "secrets").iterdir()] == ["django.key"]


def test_a_setting_moves_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTAL_VAR", str(tmp_path / "elsewhere"))
    assert state.here().root == tmp_path / "elsewhere"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTAL_VAR", "relative")
    assert state.here().root == tmp_path / "relative"
    monkeypatch.delenv("PORTAL_VAR")
    assert state.here().root == PROJECT / "var"


@pytest.mark.parametrize("root", ["/var/lib/portal", "/home/some body/portal/var", "/" + 40 * "very long/" + "var"])
def test_the_path_of_a_socket_is_short_enough_and_always_the_same(root: str) -> None:
    sockets = State(Path(root)).sockets
    assert sockets == State(Path(root)).sockets
    assert sockets != State(Path(root + "2")).sockets
    for name in (state.DATABASE_SOCKET, state.BROKER_SOCKET):
        assert len(os.fsencode(sockets / name)) <= LONGEST_SOCKET_PATH


def test_urls_survive_a_path_with_spaces_and_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    here = State(Path("/tmp/a b@c:d%20?x#y/var"))
    monkeypatch.setattr(State, "secret", lambda self, name: "0" * 64)
    assert conninfo_to_dict(here.database_url("portal_app")) == {
        "user": "portal_app",
        "password": "0" * 64,
        "dbname": "portal",
        "host": str(here.sockets),
    }
    broker = url_to_parts(here.broker_url().removeprefix("redis+"))  # as kombu does it
    assert (broker.password, f"/{broker.path}") == ("0" * 64, str(here.sockets / state.BROKER_SOCKET))
