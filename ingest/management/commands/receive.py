from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings


class Command(BaseCommand):
    help = "Receives OTLP/HTTP until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        Granian(
            "ingest.receiver:application",
            address=settings.OTLP_HTTP_HOST,
            port=settings.OTLP_HTTP_PORT,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=10_000),
            workers=settings.INGEST_WORKERS,
            websockets=False,
            backpressure=4096,
            backlog=2048,
            respawn_failed_workers=True,
            workers_kill_timeout=10,
            log_access=False,
        ).serve()
