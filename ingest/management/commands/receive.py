import asyncio
import gc
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from ingest.receiving.receiver import Receiver

HEADER_MILLISECONDS = 10_000
CONNECTIONS = 4096


class Command(BaseCommand):
    help = "Receives OTLP/HTTP until stopped. Several may share one address on a machine, each with a number."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--number", type=int, default=1, help="which of the receivers at this address it is")

    def handle(self, *args: Any, **options: Any) -> None:
        # What the imports made stays; only what requests make is looked through, and seldom: they make few cycles.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        asyncio.run(serve(options["number"]))


async def serve(number: int) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it has taken.

    Granian listens with SO_REUSEPORT: the kernel spreads connections over the processes of one user at one address.
    """
    server = Server(
        Receiver(number),
        address=settings.OTLP_HTTP_HOST,
        port=settings.OTLP_HTTP_PORT,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        websockets=False,
        backpressure=CONNECTIONS,
        backlog=2048,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()
