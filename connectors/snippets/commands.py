"""Commands for a terminal: ask the receiver, read from the portal."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.addresses import address


def reachability(endpoint: str, secret: str) -> str:
    """A shell command that asks the receiver whether it takes this token: it answers {} with status 200."""
    return (
        f"curl -sS -i -H 'Authorization: Bearer {secret}' \\\n"
        f"  -H 'Content-Type: application/json' -d '{{\"resourceLogs\": []}}' \\\n"
        f"  '{endpoint}/v1/logs'"
    )


@dataclass(frozen=True, slots=True)
class Request:
    """A reading command and what it answers."""

    title: str
    command: str


def requests(portal: str, secret: str, scopes: Collection[str]) -> list[Request]:
    """Shell commands that read what a token of these scopes may read."""
    paths = (
        ("export:read", "The feed: the first hundred events, one a line", "export/?limit=100"),
        ("events:read", "The five sessions seen last", "sessions/?page_size=5"),
        ("tokens:read", "Ingestion tokens", "ingest-tokens/"),
    )
    return [
        Request(title, f"curl -sS -H 'Authorization: Bearer {secret}' \\\n  '{portal}/api/v1/{path}'")
        for scope, title, path in paths
        if scope in scopes
    ]


def is_local(url: str) -> bool:
    """Whether `url` can only be reached from the machine the portal runs on."""
    host = urlsplit(url).hostname or ""
    parsed = address(f"[{host}]" if ":" in host else host)
    return host == "localhost" or (parsed is not None and (parsed.is_loopback or parsed.is_unspecified))
