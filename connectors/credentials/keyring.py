"""The keys that secrets are sealed with: one file a key, 0600, in a folder that no backup of the database holds.

    <16 hexadecimal digits>.key   the key as 64 hexadecimal digits; the name is its id
    current                       the id of the key that new values are sealed with

Hosts that share a database share this folder, too (a copy, renewed after each rotation).
"""

import contextlib
import datetime as dt
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from connectors.credentials.cipher import ID_BYTES, KEY_BYTES, Key


class NoKey(Exception):
    """A key that is not in the ring; the message says which, and where it is looked for."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    folder: Path

    def current(self, *, may_make: bool = False) -> Key:
        """The key for new values. An empty ring gets its first key if it may; else NoKey."""
        newest = self.newest()
        if newest is not None:
            return self.key(newest)
        if may_make:
            return self._make_first()
        raise NoKey(
            f"There is no key ring in {self.folder}, but secrets that were sealed with one. Bring the folder back from "
            "its copy; or start a new one with `manage.py credentials_key rotate` and set each secret again."
        )

    def key(self, key_id: bytes) -> Key:
        """The key of that id. Raises NoKey."""
        path = self._path(key_id)
        try:
            return Key(key_id, bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except FileNotFoundError:
            raise NoKey(f"The key {key_id.hex()} is not in {self.folder}.") from None

    def ids(self) -> list[bytes]:
        """The ids of all keys, oldest first."""
        paths = sorted(self.folder.glob("*.key"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [bytes.fromhex(path.stem) for path in paths]

    def newest(self) -> bytes | None:
        """The id of the current key; None while the ring is empty."""
        try:
            return bytes.fromhex((self.folder / "current").read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def made_at(self, key_id: bytes) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._path(key_id).stat().st_mtime, dt.UTC)

    def make(self) -> Key:
        """A new key, current from now on."""
        key = self._new()
        self._write(self.folder / "current", key.id.hex(), replace=True)
        return key

    def _make_first(self) -> Key:
        """The first key. Of several processes that come here together, all get the same."""
        key = self._new()
        self._write(self.folder / "current", key.id.hex())
        first = self.current()
        if first.id != key.id:
            self._path(key.id).unlink()
        return first

    def _new(self) -> Key:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Key(secrets.token_bytes(ID_BYTES), secrets.token_bytes(KEY_BYTES))
        self._write(self._path(key.id), key.secret.hex())
        return key

    def remove(self, key_id: bytes) -> None:
        """Deletes a key for good; never the current one. Whoever calls has made sure that nothing is sealed with it."""
        if key_id == self.newest():
            raise ValueError("The current key stays.")
        self._path(key_id).unlink()

    def _path(self, key_id: bytes) -> Path:
        return self.folder / f"{key_id.hex()}.key"

    def _write(self, path: Path, text: str, *, replace: bool = False) -> None:
        """The file appears whole and on disk, or not at all; one that is there stays unless it is to be replaced."""
        descriptor, temporary = tempfile.mkstemp(prefix=".", dir=self.folder)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(temporary).replace(path)
        else:
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(temporary)
            Path(temporary).unlink()
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
