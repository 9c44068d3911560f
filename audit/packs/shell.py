"""A pack written at once, for whoever has a shell on the portal's machine."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TextIO, cast

import psycopg
from django.db import connection

from audit.models import EvidencePack
from audit.packs import making, requests
from audit.packs.report import Extent
from audit.progress import Progress


def write(pack: EvidencePack, path: Path, told: TextIO) -> Extent:
    """Writes it beside `path` and puts it there when it is whole and recorded; tells on `told` how far it is.

    Raises what `making.write` does, NotRecorded and OSError; then nothing is left at `path`.
    """
    connection.ensure_connection()
    database = cast(psycopg.Connection, connection.connection)
    total = making.check(database, pack)
    requests.record_request(pack)
    progress = Progress(told, "events", total)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            made = making.write(database, pack, file, lambda done, _: progress.update(done))
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        progress.clear()
        requests.record_made(pack, made, sha256)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return made
