import signal
import socket
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.proofs.notes import ED25519, NoteError, VerifierKey
from audit.witness import witness
from audit.witness.server import Server
from audit.witness.witness import Witness, WitnessError


class Command(BaseCommand):
    help = (
        "Cosign checkpoints of the ledgers whose keys are named, for as long as each grew from the last one. "
        "To be run on another host by somebody else; it needs no database."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--log", action="append", required=True, help="A ledger's verifier key; may be repeated.")
        parser.add_argument("--folder", type=Path, default=settings.AUDIT_WITNESS_FOLDER, help="Its key and memory.")
        parser.add_argument("--name", help="What a new key is called; without it, <host name>/witness.")
        parser.add_argument("--host", default="127.0.0.1", help="Where it listens.")
        parser.add_argument("--port", type=int, default=8320)

    def handle(self, **options: Any) -> None:
        folder, name = options["folder"], options["name"]
        try:
            logs = [_log(text) for text in options["log"]]
            if not (folder / witness.KEY_FILE).exists():
                witness.make(folder, name or f"{socket.gethostname()}/witness")
            serving = Witness(folder, logs)
            if name and name != serving.verifier_key.name:
                raise CommandError(f"The key in {folder} is called {serving.verifier_key.name}, not {name}.")
            server = Server((options["host"], options["port"]), serving)
        except (NoteError, WitnessError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{folder} or {options['host']}:{options['port']}: {error.strerror}.") from error
        self.stdout.write(f"{serving.verifier_key}")
        self.stdout.write(f"Listening on http://{options['host']}:{server.server_port}, for {len(logs)} log keys.")
        self.stdout.flush()
        _serve(server)
        serving.close()


def _serve(server: Server) -> None:
    """Until SIGTERM or SIGINT; a submission that is being judged ends with its answer or without one."""
    with server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()


def _log(text: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(text)
    except NoteError as error:
        raise CommandError(f"--log: {error}.") from error
    if key.kind != ED25519:
        raise CommandError("--log: this is a witness's key, not a log's.")
    return key
