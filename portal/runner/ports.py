"""Whether the addresses that the portal is to listen on are free."""

import errno
import os
import socket

from portal.embedded.errors import ServerError


def require_free(host: str, port: int, setting: str, purpose: str) -> None:
    """ServerError if nothing of ours could listen there: what is wrong and which setting changes it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except OSError as error:
        raise ServerError(f"{_reason(error, host, port)} ({purpose}); {setting} changes it.") from error


def _reason(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is taken"
        case errno.EACCES:
            return f"Port {port} on {host} may not be used by this user"
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine"
        case number:
            return f"Cannot listen on {host} port {port}: {os.strerror(number) if number else error}"


def is_open(host: str, port: int) -> bool:
    """Whether something accepts connections there; a wildcard address is asked on this machine's own."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - asked, not bound
    try:
        with socket.create_connection((target, port), timeout=1):
            return True
    except OSError:
        return False
