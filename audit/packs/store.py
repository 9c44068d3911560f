"""The folder of finished packs: readable by the portal alone, under names that nobody can guess."""

import contextlib
import io
import os
import secrets
from collections.abc import Container
from pathlib import Path

from django.conf import settings


def new_name() -> str:
    return f"{secrets.token_hex(16)}.zip"


def create(name: str) -> io.BufferedRandom:
    """A new file that only its owner may read; raises OSError."""
    descriptor = os.open(_folder() / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w+b")


def read(name: str) -> io.BufferedReader:
    """Raises FileNotFoundError where it is gone, or lies on another machine."""
    return (_folder() / name).open("rb")


def remove(name: str) -> None:
    if name:
        (_folder() / name).unlink(missing_ok=True)


def remove_all_but(known: Container[str]) -> int:
    """Takes away what a crash left behind; how many files that were."""
    strays = [path for path in _folder().glob("*.zip") if path.name not in known]
    for path in strays:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    return len(strays)


def _folder() -> Path:
    folder: Path = settings.AUDIT_PACK_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
