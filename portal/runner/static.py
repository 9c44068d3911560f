"""Static files, collected again only when one has changed."""

import hashlib
from pathlib import Path

import django
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from portal.state import State


def collect(state: State) -> None:
    """Bring `static/` up to date with what the apps hold."""
    fingerprint, note = _fingerprint(), state.folder("run") / "static"
    if state.static.exists() and note.exists() and note.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    note.write_text(fingerprint)


def _fingerprint() -> str:
    """Of every file's name, size and time of change: reading them all would take as long as collecting them."""
    digest = hashlib.sha256(django.__version__.encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
