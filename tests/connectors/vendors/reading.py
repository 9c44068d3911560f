"""A pull by hand: all pages of one endpoint, and what they say together."""

import datetime as dt
from typing import Any

from connectors.vendors.shape import Reading


def pages(client: Any, key: str, endpoint: str, day: dt.date | None = None) -> list[bytes]:
    bodies, cursor = [], ""
    while True:
        fetched = client.fetch(key, endpoint, day, cursor)
        bodies.append(fetched.body)
        if not (cursor := fetched.next_cursor):
            return bodies


def pull(client: Any, key: str, endpoint: str, day: dt.date | None = None) -> Reading:
    return client.read(endpoint, day, pages(client, key, endpoint, day))
