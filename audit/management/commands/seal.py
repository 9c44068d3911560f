from typing import Any

from django.core.management.base import BaseCommand

from audit import sealer
from audit.loop import Loop


class Command(BaseCommand):
    help = "Numbers committed events until stopped. Any number may run; one is effective at a time."

    def handle(self, *args: Any, **options: Any) -> None:
        Loop("sealer", sealer.seal).run()
