"""Whether the addresses that the portal is to listen on are free."""

import errno
import socket
import time

from portal.embedded.errors import ServerError


def require_free(host: str, port: int, setting: str, purpose: str, patience: float = 0.0) -> None:
    """ServerError if nothing of ours could listen there: what is wrong and which setting changes it.

    `patience`: for how many seconds it may still be taken, by a process of ours that is about to be gone.
    """
    deadline = time.monotonic() + patience
    while error := _refusal(host, port):
        if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
            raise ServerError(f"{_reason(error, host, port)} ({purpose}); {setting} changes it.") from error
        time.sleep(0.05)


def _refusal(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except OSError as error:
        return error
    return None


def _reason(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is taken"
        case errno.EACCES:
            return f"Port {port} on {host} may not be used by this user"
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine"
        case _:
            return f"Cannot listen on {host} port {port}: {error.strerror or error}"


def is_open(host: str, port: int) -> bool:
    """Whether something accepts connections there; a wildcard address is asked on this machine's own."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - asked, not bound
    try:
        with socket.create_connection((target, port), timeout=1):
            return True
    except OSError:
        return False
