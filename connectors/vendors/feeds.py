"""What vendors that answer JSON over HTTP share: a table of feeds, asked page by page and read all together."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.vendors import values
from connectors.vendors.http import Answer, Client
from connectors.vendors.shape import Endpoint, Fetched, KeyKind, Reading, VendorError

Query = list[tuple[str, str]]
Page = Mapping[str, Any]
_LONGEST_CURSOR = 8000


@dataclass(frozen=True, slots=True)
class Feed:
    """One endpoint: where it is asked, with what, how it goes on, and what its rows become.

    `cursor` names the parameter of the next page. `next_of` takes it from a page ("" after the last).
    """

    endpoint: Endpoint
    path: str
    query: Callable[[dt.date | None], Query]
    read: Callable[[dt.date | None, Iterator[Page]], Reading]
    cursor: str = ""
    next_of: Callable[[Page], str] = lambda page: ""


class Vendor:
    """One vendor at one address; a subclass says which feeds and which keys there are.

    It keeps neither keys nor answers, and may be shared between threads.
    """

    slug: str
    title: str
    vendor_name: str
    """As errors call it."""
    key_help: str
    key_kinds: Sequence[KeyKind]
    default_url: str
    feeds: Mapping[str, Feed]

    def __init__(self, base_url: str = "", *, about: str = "", **limits: Any) -> None:
        self.client = Client(self.vendor_name, base_url or self.default_url, about=about, **limits)
        self.endpoints: Sequence[Endpoint] = [feed.endpoint for feed in self.feeds.values()]

    def headers(self, key: str) -> Mapping[str, str]:
        """Those that carry the key."""
        raise NotImplementedError

    def kind_of(self, key: str) -> KeyKind | None:
        """The kind of the longest prefix that fits."""
        fitting = [kind for kind in self.key_kinds if key.startswith(kind.prefix)]
        return max(fitting, key=lambda kind: len(kind.prefix), default=None)

    def fetch(self, key: str, endpoint: str, day: dt.date | None, cursor: str) -> Fetched:
        """One page; cursor "" is the first. Raises VendorError."""
        feed = self._feed(endpoint, day)
        query = feed.query(day)
        if cursor:
            query.append((feed.cursor, cursor))
        try:
            answer = self.ask(key, feed.path, query)
        except VendorError as error:
            raise self.told_of(error, feed, day, cursor) from None
        return Fetched(answer.status, answer.body, _next(feed, values.parsed(answer.body), cursor))

    def read(self, endpoint: str, day: dt.date | None, bodies: Iterable[bytes]) -> Reading:
        """All pages of a pull as rows. Raises VendorError for what cannot be understood."""
        return self._feed(endpoint, day).read(day, values.pages(iter(bodies)))

    def ask(self, key: str, path: str, query: Query) -> Answer:
        kind = self.kind_of(key)
        if kind is not None and kind.refusal:
            raise VendorError(kind.refusal, refused=True)
        return self.client.get(path, query, key=key, headers=self.headers(key))

    def told_of(self, error: VendorError, feed: Feed, day: dt.date | None, cursor: str) -> VendorError:
        """The error as this vendor means it there: a question no longer accepted with its cursor begins anew."""
        if error.status == 400 and cursor:
            return VendorError(error.told + " The list is read again from its beginning.", status=400, restart=True)
        return error

    def _feed(self, endpoint: str, day: dt.date | None) -> Feed:
        feed = self.feeds[endpoint]
        if feed.endpoint.daily and day is None:
            raise ValueError(f"{endpoint} is asked for a day")
        first = feed.endpoint.earliest
        if day is not None and first is not None and day < first:
            raise VendorError(f"{self.vendor_name} has no figures from before {first:%d %B %Y}.", refused=True)
        return feed


def next_page(page: Page) -> str:
    """The cursor of lists that end with `has_more` false, or that have no such field and end with no `next_page`."""
    if page.get("has_more") is False:
        return ""
    return _cursor(page.get("next_page"), needed=page.get("has_more") is True)


def last_id(page: Page) -> str:
    """The cursor of lists that go on after an id."""
    return _cursor(page.get("last_id"), needed=True) if page.get("has_more") is True else ""


def of_day(day: dt.date | None) -> dt.date:
    assert day is not None, "a daily feed is read for a day"
    return day


def midnight(day: dt.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _next(feed: Feed, page: Page, asked: str) -> str:
    following = feed.next_of(page)
    if following and following == asked:
        raise values.unreadable("its next page is itself")
    return following


def _cursor(value: Any, *, needed: bool) -> str:
    if value is None or value == "":
        if needed:
            raise values.unreadable("there is more, and it does not say where")
        return ""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > _LONGEST_CURSOR:
        raise values.unreadable("the cursor of its next page is none")
    return value
