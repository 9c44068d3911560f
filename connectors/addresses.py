"""Whose address a request comes from, and which networks it lies in.

The peer's address is fact. `X-Forwarded-For` is the sender's claim, believed only as far as trusted proxies wrote it.
An IPv4 address in IPv6 clothes (::ffff:192.0.2.1, RFC 4291 §2.5.5.2) is the IPv4 address.
"""

import functools
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MAPPED = IPv6Network("::ffff:0:0/96")


class NotANetwork(ValueError):
    """A text that names no network; the message says why, in words for whoever typed it."""


def address(text: str) -> Address | None:
    """The address in `text`, with or without a port or a zone; None if there is none (a unix socket's peer)."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


@functools.lru_cache(maxsize=4096)
def network(text: str) -> Network:
    """The network in `text`: CIDR, or one address. Raises NotANetwork."""
    text = text.strip()
    host, _, prefix = text.partition("/")
    try:
        host_address = ip_address("" if "%" in host else host)  # a zone is one machine's own name for a link
    except ValueError:
        raise NotANetwork(f"{text} is not a network: write it like 10.20.0.0/16 or 2001:db8::/32.") from None
    longest = host_address.max_prefixlen
    if "/" in text and not (prefix.isascii() and prefix.isdecimal() and int(prefix) <= longest):
        raise NotANetwork(f"{text} is not a network: a prefix ends at /{longest}.")
    parsed = ip_network(text, strict=False)
    if "/" in text and parsed.network_address != host_address:
        raise NotANetwork(f"{text} is not a network: the one around this address is {parsed}.")
    if isinstance(parsed, IPv6Network) and parsed.subnet_of(MAPPED):
        return ip_network((int(parsed.network_address) & 0xFFFF_FFFF, parsed.prefixlen - 96))
    return parsed


def lies_in(candidate: Address, networks: Iterable[Network]) -> bool:
    return any(candidate.version == each.version and candidate in each for each in networks)


def client_address(peer: str, forwarded_for: str, trusted: Iterable[str]) -> str:
    """The address of the client: the nearest hop that is not a trusted proxy.

    `forwarded_for` is the value of X-Forwarded-For (several headers joined with commas), `trusted` the proxies'
    networks. What stands left of an untrusted or unreadable hop was written by the sender and is not read.
    A peer without an address (a unix socket) is returned as it is.
    """
    networks = tuple(network(each) for each in trusted)
    here = address(peer)
    if here is None:
        return peer
    for claim in reversed(forwarded_for.split(",") if forwarded_for else []):
        hop = address(claim)
        if not lies_in(here, networks) or hop is None:
            break
        here = hop
    return str(here)
