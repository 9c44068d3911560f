"""What usually is wrong when a step on the way to the receiver fails: a sentence that says where to look."""

import ssl

NO_ADDRESS = "OTLP_PUBLIC_URL is no address that begins with http:// or https:// and names a host."


def unresolved(host: str) -> str:
    return f"The name {host} is not known to this machine: check OTLP_PUBLIC_URL, and the record in DNS."


def unconnected(host: str, port: int, error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"Nothing listens at port {port} of {host}: is the receiver up, or the proxy in front of it?"
    if isinstance(error, TimeoutError):
        return (
            f"Port {port} of {host} stays silent: a firewall drops it, or it can be reached from outside only. "
            "Then ask from another machine, with the command."
        )
    return f"No connection to port {port} of {host}: no route leads there."


def untrusted(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate is not trusted here ({error.verify_message}). Clients refuse it as well, unless their "
            "NODE_EXTRA_CA_CERTS names its authority; for this test, SSL_CERT_FILE does."
        )
    return "The other side does not speak TLS: is https right for this port, or does the proxy speak plain http there?"


def unanswered(scheme: str, error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "Connected, but no answer came: the proxy does not reach the receiver, or the receiver is overloaded."
    wants = "" if scheme == "https" else " Perhaps the port speaks TLS, and the address should begin with https."
    return f"What answers there is no HTTP server that could be understood: port 4317 is gRPC's.{wants}"


_REFUSED = {
    200: "Answered, but the record was not taken.",
    400: "The receiver could not read the record: something on the way changed it.",
    401: "The token is not taken: it was revoked, has expired, or belongs to another portal.",
    403: "The token is known, but may not do this: its kind, its signals or its allowed networks. Seen from the "
    "receiver, this portal's own address has to be among them.",
    404: "Something answers there that is not the receiver: does the proxy forward /v1/logs and /v1/metrics to it?",
    405: "Something answers there that is not the receiver: does the proxy forward POST requests to it?",
    413: "A proxy on the way takes no request of this size, which is small: raise its limit.",
    415: "A proxy on the way changed the type of the content.",
    429: "The token's or the source's budget is used up for this minute.",
    502: "A proxy answers, but does not reach the receiver: is it up, at the address that the proxy has?",
    503: "The receiver is up and cannot record right now: look at /readyz.",
    504: "A proxy answers, but the receiver did not answer it in time.",
}


def refused(status: int) -> str:
    if 300 <= status < 400:
        return "The address sends elsewhere, and OTLP clients do not follow: set OTLP_PUBLIC_URL to the last address."
    return _REFUSED.get(status, "What answers there is not the receiver, or something on the way failed.")
