"""Reading over HTTP, through the real web process: pages, lists, searches, the feed."""

import contextlib
import http.client
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

from audit.models import Session
from connectors import scopes, tokens
from connectors.models import Token

REQUESTS, WARM_UP = 40, 3
FEED_LIMIT, FEED_LINES = 10_000, 200_000
NAME = "bench"
LONG = 4_500


@dataclass(frozen=True, slots=True)
class Target:
    """A page or an answer of the API by what a person would call it."""

    name: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def reader() -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Headers of a logged-in administrator and of an API client with every scope, for as long as the block lasts."""
    users = get_user_model().objects
    user = users.filter(username=NAME).first() or users.create_superuser(NAME, "", None)
    token, secret = tokens.issue(scopes.API, NAME, by=NAME, scopes=tuple(scopes.SCOPES[scopes.API]))
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    try:
        yield {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}, {"Authorization": f"Bearer {secret}"}
    finally:
        session.flush()
        tokens.revoke(Token.objects.get(pk=token.pk), "the bench is over", by=NAME)
        user.delete()


def targets(cookie: Mapping[str, str], bearer: Mapping[str, str]) -> Iterator[Target]:
    """What people open and ask for most."""
    queries = {
        "by tool": "tool:Bash",
        "by person": "person:person07@acme.example",
        "by MCP server": "mcp_server:prod-db",
        "by word": "rounding",
        "by rare word": "idempotency",
        "by substring of a path": "path:src/payments",
        "by substring of a command": "command:kubectl",
        "refused, last week": "decision:reject after:-7d",
    }
    yield Target("admin: sessions", "/admin/audit/session/", cookie)
    yield Target("admin: events", "/admin/audit/event/", cookie)
    for name, query in queries.items():
        yield Target(f"admin: search {name}", f"/admin/search/?q={quote(query)}", cookie)
        yield Target(f"admin: sessions {name}", f"/admin/audit/session/?q={quote(query)}", cookie)
    for name, path in (
        ("usage, 30 days", "usageday/usage/"),
        ("people", "person/"),
        ("installations", "installation/"),
        ("coverage", "covered/"),
    ):
        yield Target(f"admin: {name}", f"/admin/connectors/{path}", cookie)
    long = (
        Session.objects.filter(events__gte=LONG).order_by("-events").first()
        or Session.objects.order_by("-events").first()
    )
    if long:
        yield Target(f"admin: session of {long.events:,} events", f"/admin/audit/session/{long.id}/change/", cookie)
        yield Target("API: its timeline", f"/api/v1/sessions/{long.id}/timeline/", bearer)
    for name, query in (
        ("sessions", "sessions/"),
        ("events by tool", "events/?tool=Bash"),
        ("events by person", "events/?actor=person07@acme.example"),
        ("events by MCP server", "events/?mcp_server=prod-db"),
        ("events by word", "events/?q=rounding"),
        ("decisions refused", "permission-decisions/?decision=reject"),
        ("MCP servers", "mcp-servers/"),
        ("usage", "usage/"),
        ("coverage", "coverage/"),
    ):
        yield Target(f"API: {name}", f"/api/v1/{query}", bearer)


def time_of(target: Target, requests: int) -> dict[str, Any]:
    """p50 and p95 of one client's requests, one after the other; the status if it is not 200."""
    host = http.client.HTTPConnection(settings.WEB_HOST, settings.WEB_PORT, timeout=60)
    milliseconds: list[float] = []
    with contextlib.closing(host):
        for number in range(WARM_UP + requests):
            started = time.perf_counter()
            host.request("GET", target.path, headers=dict(target.headers))
            response = host.getresponse()
            size = len(response.read())
            if response.status != 200:
                return {"name": target.name, "status": response.status}
            if number >= WARM_UP:
                milliseconds.append((time.perf_counter() - started) * 1000)
    return {"name": target.name, "bytes": size, **percentiles(milliseconds)}


def percentiles(milliseconds: Sequence[float], digits: int = 1) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        "p50_ms": round(ordered[len(ordered) // 2], digits),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], digits),
        "max_ms": round(ordered[-1], digits),
    }


def feed(bearer: Mapping[str, str]) -> dict[str, Any]:
    """Lines a second of the native export, page after page as a SIEM takes them."""
    host = http.client.HTTPConnection(settings.WEB_HOST, settings.WEB_PORT, timeout=60)
    lines = size = 0
    cursor = ""
    started = time.perf_counter()
    with contextlib.closing(host):
        while lines < FEED_LINES:
            after = f"&after={quote(cursor)}" if cursor else ""
            host.request("GET", f"/api/v1/export/?limit={FEED_LIMIT}{after}", headers=dict(bearer))
            response = host.getresponse()
            body = response.read()
            if response.status != 200:
                return {"status": response.status}
            lines += body.count(b"\n")
            size += len(body)
            cursor = response.headers["X-Next-Cursor"]
            if response.headers["X-Has-More"] != "true":
                break
    seconds = time.perf_counter() - started
    return {
        "lines": lines,
        "events_per_second": round(lines / seconds),
        "megabytes_per_second": round(size / seconds / 1e6, 1),
    }
