"""Lists in pages, and the refusals that go with them. A cursor holds its question; asked another, it is refused."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

Query = Mapping[str, Sequence[str]]


class Refused(Exception):
    def __init__(self, status: int, type: str, message: str) -> None:
        self.status, self.type, self.message = status, type, message
        super().__init__(message)


def invalid(message: str) -> Refused:
    return Refused(400, "invalid_request_error", message)


def one(query: Query, name: str, default: str | None = None) -> str:
    values = query.get(name, ())
    if len(values) > 1:
        raise invalid(f"{name}: given more than once")
    if not values and default is None:
        raise invalid(f"{name}: Field required")
    return values[0] if values else str(default)


def limit(query: Query, default: int, most: int) -> int:
    asked = one(query, "limit", str(default))
    if not asked.isdigit() or not 1 <= int(asked) <= most:
        raise invalid(f"limit: must be between 1 and {most}")
    return int(asked)


def only(query: Query, *names: str) -> None:
    for name in query:
        if name not in names:
            raise invalid(f"{name}: Extra inputs are not permitted")


def paged(
    path: str, query: Query, rows: Sequence[Any], size: int, refreshed: int = 0
) -> tuple[Sequence[Any], str | None]:
    """A page of the rows, and the cursor of the next; None after the last.

    `refreshed` counts how often the figures were refreshed: a cursor from before is gone (410).
    """
    bound = _bound(path, query)
    first = 0
    if "page" in query:
        cursor = _opened(one(query, "page"))
        if cursor["bound"] != bound:
            raise invalid("page: the cursor was issued for another query")
        if cursor["refreshed"] != refreshed:
            raise Refused(410, "invalid_request_error", "The data was refreshed; the cursor has expired. Start again.")
        first = cursor["first"]
    following = first + size
    if following >= len(rows):
        return rows[first:following], None
    return rows[first:following], _sealed({"bound": bound, "first": following, "refreshed": refreshed})


def after_id(query: Query, rows: Sequence[Mapping[str, Any]], size: int, name: str = "after_id") -> dict[str, Any]:
    first = 0
    if name in query:
        ids = [row["id"] for row in rows]
        if one(query, name) not in ids:
            raise invalid(f"{name}: no such object")
        first = ids.index(one(query, name)) + 1
    page = rows[first : first + size]
    return {
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": first + size < len(rows),
    }


def _bound(path: str, query: Query) -> str:
    asked = sorted((name, list(values)) for name, values in query.items() if name != "page")
    return hashlib.sha256(json.dumps([path, asked]).encode()).hexdigest()[:16]


def _sealed(cursor: dict[str, Any]) -> str:
    return "page_" + base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def _opened(text: str) -> dict[str, Any]:
    try:
        cursor = json.loads(base64.urlsafe_b64decode(text.removeprefix("page_")))
        assert {"bound", "first", "refreshed"} <= cursor.keys()
    except (ValueError, AssertionError, AttributeError):
        raise invalid("page: malformed cursor") from None
    return cursor
