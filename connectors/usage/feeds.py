"""The feeds there are, by the names that pages and REST give them."""

from collections.abc import Mapping
from uuid import UUID

from connectors.models import Connection
from connectors.usage import choices
from connectors.usage.precedence import TELEMETRY, Feed

TELEMETRY_NAME = "telemetry"


def name(feed: Feed) -> str:
    """`telemetry`, or the connection's id and the endpoint's name: `0192…/claude_code`."""
    return TELEMETRY_NAME if feed.is_telemetry else f"{feed.connection}/{feed.endpoint}"


def named(text: str) -> Feed | None:
    """The feed of that name, whether there is one or not; None for what is no such name."""
    if text == TELEMETRY_NAME:
        return TELEMETRY
    connection, _, endpoint = text.partition("/")
    try:
        return Feed(str(UUID(connection)), endpoint) if endpoint and "\0" not in endpoint else None
    except ValueError:
        return None


def titles() -> Mapping[str, str]:
    """Every feed that ever said anything, by name: what it is called."""
    found = {TELEMETRY_NAME: "Telemetry"}
    connections = dict(Connection.objects.values_list("pk", "name"))
    for connection, endpoint in sorted(choices.feeds(), key=str):
        feed = Feed(str(connection), endpoint)
        found[name(feed)] = f"{connections.get(connection, 'a connection')}: {endpoint}"
    return found
