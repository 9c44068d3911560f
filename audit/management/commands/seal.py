from typing import Any

from django.core.management.base import BaseCommand

from audit.loop import Loop
from audit.sealing import Sealing


class Command(BaseCommand):
    help = (
        "Numbers, integrates and signs committed events until stopped. Any number may run; one is effective at a time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        Loop("sealer", Sealing().round).run()
