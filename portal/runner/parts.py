"""The portal's own processes, as a table."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from portal.embedded.children import Launch
from portal.runner.orphans import MARK
from portal.runner.supervisor import Part
from portal.state import PROJECT, State


def portal_parts(state: State) -> list[Part]:
    """The receivers, web, Celery's worker and beat, the sealer, the projector; with witnesses, who asks them."""
    environment = child_environment(state)
    table = {
        **{_receiver(number): _command("receive", f"--number={number}") for number in receivers()},
        "web": _web(),
        "worker": _celery("worker", "--concurrency=2", "--without-gossip", "--without-mingle"),
        "beat": _celery("beat"),  # its scheduler is CELERY_BEAT_SCHEDULER: `-S` means something else to a worker
        "sealer": _command("seal"),
        "projector": _command("project"),
    }
    if settings.AUDIT_WITNESSES and settings.AUDIT_SIGNS:
        table["cosigner"] = _command("cosign")
    return [_part(name, arguments, environment) for name, arguments in table.items()]


def receivers() -> range:
    return range(1, settings.INGEST_RECEIVERS + 1)


def _receiver(number: int) -> str:
    """The first one's name is the kind's: it is the one that `up` waits for."""
    return "receiver" if number == 1 else f"receiver-{number}"


def child_environment(state: State) -> Mapping[str, str]:
    """Ours, and what tells a child that it is one. The project is found from whatever folder `up` was called in."""
    path = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
    return {
        **os.environ,
        MARK: str(state.root),
        "PORTAL_VAR": str(state.root),
        "PYTHONPATH": path,
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        # glibc keeps freed memory for each thread that asked for it; two such stores hold it together.
        "MALLOC_ARENA_MAX": "2",
        # Celery warns of pickled messages when its worker runs as root; ours takes nothing but JSON.
        "PYTHONWARNINGS": "ignore:You're running the worker",
    }


def _part(name: str, arguments: list[str], environment: Mapping[str, str]) -> Part:
    def launch() -> Launch:
        return Launch([sys.executable, *arguments], environment, folder=Path.cwd())

    return Part(name, launch)


def _command(name: str, *arguments: str) -> list[str]:
    return [str(PROJECT / "manage.py"), name, *arguments]


def _celery(*arguments: str) -> list[str]:
    return ["-m", "celery", "--app=portal.celery", "--quiet", *arguments, "--loglevel=INFO"]


def _web() -> list[str]:
    """WSGI; the receiver is a process of its own.

    A thread is taken for as long as someone reads what it streams, so a few slow downloads must not be all there are;
    each costs some 15 MB once it was busy, and a connection to the database, of which the embedded one has 100.
    """
    address = [f"--host={settings.WEB_HOST}", f"--port={settings.WEB_PORT}"]
    threads = ["--workers=1", "--blocking-threads=16", "--backpressure=64", "--workers-kill-timeout=10"]
    return ["-m", "granian", "--interface=wsgi", *address, *threads, "--no-ws", "portal.wsgi:application"]
