"""What every vendor's module offers, and the rows its answers become. Pure: no Django, no database, no clock.

Money is Decimal US dollars, whatever the vendor counts in; days are UTC; identities are as `Identity.Kind` names them.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class KeyKind:
    """A kind of key by its prefix. `refusal` says in plain words why this vendor does not take it; "" if it does."""

    slug: str
    title: str
    prefix: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing that can be asked. `daily`: asked once a UTC day; else it is a list as it is now.

    `settled_after`: how long after a day's end its figures come at all; `restated_for`: for how many days after that
    they may still change, so that the day is asked again. `earliest`: no data before.
    """

    name: str
    title: str
    daily: bool
    settled_after: dt.timedelta = dt.timedelta(0)
    restated_for: int = 0
    earliest: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """One page as it came. `next_cursor` "" after the last."""

    status: int
    body: bytes = field(repr=False)
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One identity's day at one endpoint; see connectors.models.UsageDay, whose columns these are."""

    day: dt.date
    identity_kind: str
    identity: str
    agent: str
    model: str = ""
    surface: str = ""
    customer_type: str = ""
    remote: bool | None = None
    sessions: int = 0
    prompts: int = 0
    lines_added: int = 0
    lines_removed: int = 0
    commits: int = 0
    pull_requests: int = 0
    tools: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0
    cost_reported: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SeatRow:
    external_id: str
    email: str
    name: str = ""
    role: str = ""
    added_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What is nobody's user-day. `key` is unique within endpoint and day; `data` is plain JSON, money as text."""

    key: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What all pages of one pull say together."""

    usage: Sequence[UsageRow] = ()
    seats: Sequence[SeatRow] | None = None  # None: this endpoint lists no seats
    reports: Sequence[ReportRow] = ()


class VendorError(Exception):
    """An answer that is none. `told` says in words what happened and what to do; it holds no key.

    `status` is HTTP's (None: no answer). `retry_after`: seconds the vendor asks to wait. `restart`: the cursor no
    longer holds, begin with the first page again. `refused`: asking again is of no use until somebody changes
    something.
    """

    def __init__(
        self,
        told: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        restart: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(told)
        self.told, self.status, self.retry_after = told, status, retry_after
        self.restart, self.refused = restart, refused


class Vendor(Protocol):
    """A vendor's module as an object; `connectors.vendors.registry.VENDORS` has them by slug."""

    slug: str
    title: str
    key_help: str
    """Where the key is made, by whom, with which scope: plain text for the form."""
    endpoints: Sequence[Endpoint]

    def kind_of(self, key: str) -> KeyKind | None:
        """The kind of key, by its prefix; None for what looks like no key at all."""

    def organization(self, key: str) -> Organization:
        """Whose key it is; the first thing that is asked when connecting. Raises VendorError."""

    def fetch(self, key: str, endpoint: str, day: dt.date | None, cursor: str) -> Fetched:
        """One page; cursor "" is the first. Raises VendorError."""

    def read(self, endpoint: str, day: dt.date | None, bodies: Iterable[bytes]) -> Reading:
        """All pages of a pull as rows. Raises VendorError for what cannot be understood."""
