"""An end to a conversation that neither side may drag out: a socket's own timeout begins anew with every byte."""

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def within(seconds: float, connection: socket.socket) -> Iterator[None]:
    """Cuts the connection if the block takes longer; whoever reads or writes then gets an OSError or the end."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
