from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from connectors import credentials
from connectors.credentials import rotation
from connectors.models import KeyRotation


class Command(BaseCommand):
    help = "The keys that vendors' API keys and other secrets are sealed with (docs/connectors.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        what.add_parser("list", help="The keys of the ring, and how many secrets each one seals.")
        rotate = what.add_parser("rotate", help="Make a new key and seal every secret anew with it.")
        remove = what.add_parser("remove-unused", help="Delete the keys that seal nothing any more.")
        for each in (rotate, remove):
            each.add_argument("--by", required=True, help="Who does it.")

    def handle(self, **options: Any) -> None:
        match options["what"]:
            case "list":
                self._list()
            case "rotate":
                self._rotate(options["by"])
            case "remove-unused":
                removed = rotation.remove_unused(options["by"])
                self.stdout.write("\n".join(f"{key.hex()} removed" for key in removed) or "Every old key is in use.")

    def _list(self) -> None:
        ring, counts = credentials.ring(), rotation.counts()
        for key in ring.ids():
            current = "  current" if key == ring.newest() else ""
            self.stdout.write(f"{key.hex()}  {ring.made_at(key):%Y-%m-%d}  {counts.pop(key, 0)} secrets{current}")
        for key, count in counts.items():
            self.stdout.write(f"{key.hex()}  NOT IN THE RING  {count} secrets that cannot be opened")

    def _rotate(self, by: str) -> None:
        begun = rotation.begin(by)
        rotation.reseal(self._progress)
        begun.refresh_from_db()
        self.stdout.write(f"\r{begun.resealed} of {begun.total} secrets are sealed with the new key {begun.new_key}.")
        if begun.told:
            self.stderr.write(f"These did not open, and stay as they are:\n{begun.told}")

    def _progress(self, rotation: KeyRotation) -> None:
        self.stdout.write(f"\r{rotation.resealed} of {rotation.total} secrets ", ending="")
        self.stdout.flush()
