"""Which feed is believed for a user-day. Figures of two feeds are never added up. Pure.

Two feeds that speak of the same person, day and agent speak of the same work, each with its own blind spots: a vendor's
interface knows every device of an account but no request through another cloud, telemetry knows every cloud but only
the devices that send. So one is believed, for each group of columns the first that says anything in it:

1. a vendor's endpoint whose day is settled, that is, pulled to its end when the vendor had all of it (Endpoint's
   `settled_after`): it is what is billed by, does not depend on a device's settings, and no developer can change it;
2. telemetry: it is there at once, and for what vendors do not see;
3. a vendor's day that is not settled: more of it may come.

Of several endpoints in the same place the first by name, then by connection: the order says nothing, but it never
changes. A group is believed as a whole, so that an accept is never set against the rejects of another feed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

GROUPS: Mapping[str, tuple[str, ...]] = {
    "activity": ("sessions", "lines_added", "lines_removed", "commits", "pull_requests", "tools"),
    "prompts": ("prompts",),
    "requests": ("requests",),
    "tokens": ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens", "cost_computed"),
    "cost": ("cost_reported",),
}
"""Columns that are believed together. Computed costs follow from tokens, and go with them."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A connection's endpoint; telemetry without a connection, from whatever sources it came."""

    connection: str = ""
    endpoint: str = ""

    @property
    def is_telemetry(self) -> bool:
        return not self.connection


TELEMETRY = Feed()


@dataclass(frozen=True, slots=True)
class Said:
    """That a feed says something of a user-day in these groups."""

    feed: Feed
    settled: bool
    groups: Collection[str]


def rank(feed: Feed, settled: bool) -> tuple[int, str, str]:
    """Feeds in the order in which they are believed, texts by code point; `believing` puts them so in SQL."""
    place = 1 if feed.is_telemetry else 0 if settled else 2
    return place, feed.endpoint, feed.connection


def believed(said: Iterable[Said]) -> dict[str, Feed]:
    """For each group that anybody speaks of, the feed that is believed."""
    found: dict[str, Feed] = {}
    for each in sorted(said, key=lambda each: rank(each.feed, each.settled)):
        for group in each.groups:
            found.setdefault(group, each.feed)
    return found
