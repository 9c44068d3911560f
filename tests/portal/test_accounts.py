"""Under whose rights the servers run, and what is refused because it is another's."""

import os
import pwd
from pathlib import Path

import pytest

from portal.embedded.accounts import Account, account, private_folder
from portal.embedded.errors import ServerError

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "postgres"
    folder.mkdir()
    return folder


@pytest.mark.skipif(os.geteuid() == 0, reason="root's servers run as another user")
def test_an_ordinary_users_servers_run_as_that_user(folder: Path) -> None:
    assert account(folder) is None


@root
def test_roots_servers_run_as_an_existing_user_without_rights(tmp_path: Path) -> None:
    chosen = account(tmp_path / "not there yet")
    assert chosen is not None
    assert pwd.getpwuid(chosen.uid).pw_name in {"postgres", "nobody"}


@root
def test_a_setting_names_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_SERVER_USER", "daemon")
    daemon = pwd.getpwnam("daemon")
    assert account(tmp_path / "not there yet") == Account(daemon.pw_uid, daemon.pw_gid)


@root
@pytest.mark.parametrize("name", ["root", "no-such-user"])
def test_it_is_never_root_nor_nobody_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PORTAL_SERVER_USER", name)
    with pytest.raises(ServerError, match=f"there is no user {name}; name one in PORTAL_SERVER_USER"):
        account(tmp_path / "not there yet")


@root
def test_data_that_is_there_decides(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_SERVER_USER", "daemon")
    os.chown(folder, 12345, 12346)
    assert account(folder) == Account(12345, 12346)


@root
def test_data_of_roots_is_refused(folder: Path) -> None:
    with pytest.raises(ServerError, match="belongs to root, and a database never runs as root"):
        account(folder)


@root
def test_data_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(folder, 12345, 12345)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ServerError, match=r"belongs to another user \(uid 12345\); run this as that user"):
        account(folder)


@root
def test_a_folder_that_another_user_has_put_in_the_way_is_refused(folder: Path) -> None:
    os.chown(folder, 12345, 12345)
    with pytest.raises(ServerError, match="is in the way: it is no folder of user 0"):
        private_folder(folder, None)


def test_a_link_that_was_put_in_the_way_is_refused(folder: Path) -> None:
    link = folder.with_name("link")
    link.symlink_to(folder)
    with pytest.raises(ServerError, match="is in the way"):
        private_folder(link, None)


def test_a_folder_of_its_own_is_closed_to_others(folder: Path) -> None:
    folder.chmod(0o777)
    assert private_folder(folder, None).stat().st_mode & 0o777 == 0o700
