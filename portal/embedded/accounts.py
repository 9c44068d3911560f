"""Under whose rights the servers run: ours, but never root's."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from portal.embedded.errors import ServerError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


def account(*folders: Path) -> Account | None:
    """None: the servers run as this user. As root: the account that owns the data already, else an existing one."""
    owners = {folder: folder.stat() for folder in folders if folder.exists()}
    if os.geteuid() != 0:
        for folder, status in owners.items():
            if status.st_uid != os.geteuid():
                raise ServerError(f"{folder} belongs to another user (uid {status.st_uid}); run this as that user.")
        return None
    for folder, status in owners.items():
        if status.st_uid == 0:
            raise ServerError(
                f"{folder} belongs to root, and a database never runs as root: chown -R it to another user."
            )
        return Account(status.st_uid, status.st_gid)
    return _unprivileged()


def _unprivileged() -> Account:
    chosen = os.environ.get("PORTAL_SERVER_USER")
    for name in (chosen,) if chosen else CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    wanted = chosen or " or ".join(CANDIDATES)
    raise ServerError(f"Servers do not run as root, and there is no user {wanted}; name one in PORTAL_SERVER_USER.")


def private_folder(path: Path, owner: Account | None) -> Path:
    """The folder, 0700 and owned by the servers' account; made where it is missing, refused where it is another's."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    wanted = owner.uid if owner else os.geteuid()
    if status.st_uid not in {wanted, os.geteuid()} or path.is_symlink():
        raise ServerError(f"{path} is in the way: it is no folder of user {wanted}; remove it, or set PORTAL_VAR.")
    path.chmod(0o700)
    if owner:
        owner.own(path)
    return path
