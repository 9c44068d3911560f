"""A vendor without a network: what it answers is set by the test."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from audit import acts
from connectors.connections import lifecycle
from connectors.models import Connection
from connectors.vendors.shape import (
    Endpoint,
    Fetched,
    KeyKind,
    Organization,
    Reading,
    ReportRow,
    SeatRow,
    UsageRow,
    VendorError,
)

KEY = "sk-canned-0123456789abcdefghijKLMN"
OTHER_KEY = "sk-canned-zyxwvutsrqponmlkjihgfedQRST"
WRONG_KIND = "sk-plain-0123456789abcdefghij"
USAGE = Endpoint("usage", "Usage by person", True, settled_after=dt.timedelta(hours=1), restated_for=3)
COST = Endpoint("cost", "Cost", True, settled_after=dt.timedelta(hours=4), earliest=dt.date(2026, 1, 1))
USERS = Endpoint("users", "Users", False)


@dataclass
class Canned:
    """`pages[endpoint, day]`: bodies, one a page; days without any have one empty page. `errors[endpoint]`: raised
    instead, first come first; `always[endpoint]`: raised each time. `asked`: what was fetched."""

    slug: str = "canned"
    title: str = "Canned"
    key_help: str = "Made at canned.example by an owner."
    endpoints: tuple[Endpoint, ...] = (USAGE, COST, USERS)
    organizations: dict[str, Organization] = field(default_factory=lambda: {KEY: Organization("org-1", "Acme")})
    pages: dict[tuple[str, dt.date | None], list[Any]] = field(default_factory=dict)
    errors: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    always: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[str, dt.date | None, str]] = field(default_factory=list)
    unreadable: bool = False

    def kind_of(self, key: str) -> KeyKind | None:
        if key.startswith("sk-canned-"):
            return KeyKind("canned", "Canned key", "sk-canned-")
        if key.startswith("sk-plain-"):
            return KeyKind("plain", "Plain key", "sk-plain-", refusal="This is a plain key, which reads no usage.")
        return None

    def organization(self, key: str) -> Organization:
        if "organization" in self.always:
            raise self.always["organization"]
        if key not in self.organizations:
            raise VendorError(f"The key {key} is revoked or never was.", status=401, refused=True)
        return self.organizations[key]

    def fetch(self, key: str, endpoint: str, day: dt.date | None, cursor: str) -> Fetched:
        self.asked.append((endpoint, day, cursor))
        if endpoint in self.always:
            raise self.always[endpoint]
        if self.errors[endpoint]:
            raise self.errors[endpoint].pop(0)
        if key not in self.organizations:
            raise VendorError(f"The key {key} is revoked.", status=401, refused=True)
        bodies = self.pages.get((endpoint, day), [[]])
        number = int(cursor or 0)
        following = str(number + 1) if number + 1 < len(bodies) else ""
        return Fetched(200, json.dumps(bodies[number]).encode(), following)

    def read(self, endpoint: str, day: dt.date | None, bodies: Iterable[bytes]) -> Reading:
        if self.unreadable:
            raise VendorError("The answer has a shape that is not known.")
        rows = [row for body in bodies for row in json.loads(body)]
        if endpoint == "users":
            return Reading(seats=[SeatRow(row, f"{row}@acme.example") for row in rows])
        if endpoint == "cost":
            return Reading(reports=[ReportRow(name, {"amount": amount}) for name, amount in rows])
        assert day is not None
        return Reading(usage=[UsageRow(day, "email", who, "claude_code", sessions=count) for who, count in rows])


def connect(name: str = "Claude, engineering", key: str = KEY) -> Connection:
    return lifecycle.connect("canned", name, key, by=acts.Person("rosa"))
