from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.cosigning import Cosigning
from audit.loop import Loop


class Command(BaseCommand):
    help = "Asks the witnesses to cosign each newest checkpoint, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AUDIT_WITNESSES:
            raise CommandError("AUDIT_WITNESSES names none.")
        Loop("cosigner", Cosigning().round).run()
