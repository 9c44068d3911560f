"""Files that outlive a crash, and the keys of those who sign: the log's signer and a witness keep theirs alike."""

import base64
import contextlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def make_key(path: Path) -> None:
    """A new Ed25519 key, only its owner's to read. Raises FileExistsError rather than replace one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(path, base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()) + b"\n")
    sync_folder(path.parent)


def read_key(path: Path) -> Ed25519PrivateKey:
    """Raises OSError, or ValueError for what is no key."""
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes(), validate=False))


def replace(path: Path, data: bytes) -> None:
    """Through a second file, so that a crash leaves the old content or the new one, and never half of one."""
    temporary = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    write_new(temporary, data)
    temporary.replace(path)
    sync_folder(path.parent)


def write_new(path: Path, data: bytes) -> None:
    """A file of its owner's alone that was not there before, on disk when this returns. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Makes the names in it last, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
