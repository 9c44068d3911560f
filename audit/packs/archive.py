"""A zip that is written file by file, never held in memory; each file is hashed on its way."""

import hashlib
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

STEADY = (1980, 1, 1, 0, 0, 0)
"""The time of the files in it: the manifest says when it was made."""


class Archive:
    """Use as a context manager. `digests` has the SHA-256 of each file so far, in hexadecimal."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.digests: dict[str, str] = {}

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        entry = zipfile.ZipInfo(name, STEADY)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        digest = hashlib.sha256()
        with self._zip.open(entry, "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                member.write(piece)
        self.digests[name] = digest.hexdigest()
