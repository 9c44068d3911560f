"""The server: keys first, then faults, then the answer. It listens on loopback only."""

import datetime as dt
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.vendor import anthropic_admin, anthropic_analytics, openai
from tests.vendor.company import Company
from tests.vendor.faults import Fault, Faults
from tests.vendor.keys import Keys
from tests.vendor.pages import Query, Refused

Answer = Callable[["FakeVendor", Query], dict[str, Any]]
_ANALYTICS = "/v1/organizations/analytics"
ADMIN: dict[str, Answer] = {
    "/v1/organizations/usage_report/claude_code": anthropic_admin.claude_code,
    "/v1/organizations/usage_report/messages": anthropic_admin.messages,
    "/v1/organizations/cost_report": anthropic_admin.cost,
    "/v1/organizations/users": anthropic_admin.users,
    "/v1/organizations/workspaces": anthropic_admin.workspaces,
}
ANALYTICS: dict[str, Answer] = {
    f"{_ANALYTICS}/summaries": anthropic_analytics.summaries,
    f"{_ANALYTICS}/users": anthropic_analytics.users,
    f"{_ANALYTICS}/skills": anthropic_analytics.skills,
    f"{_ANALYTICS}/connectors": anthropic_analytics.connectors,
    f"{_ANALYTICS}/plugins": anthropic_analytics.plugins,
    f"{_ANALYTICS}/apps/chat/projects": anthropic_analytics.projects,
    f"{_ANALYTICS}/artifacts": anthropic_analytics.artifacts,
    f"{_ANALYTICS}/usage_report": anthropic_analytics.usage_report,
    f"{_ANALYTICS}/cost_report": anthropic_analytics.cost_report,
    f"{_ANALYTICS}/user_usage_report": anthropic_analytics.user_usage_report,
    f"{_ANALYTICS}/user_cost_report": anthropic_analytics.user_cost_report,
}
OPENAI: dict[str, Answer] = {
    "/v1/organization/usage/completions": openai.completions,
    "/v1/organization/costs": openai.costs,
    "/v1/organization/users": openai.users,
}
ME = "/v1/organizations/me"


@dataclass(frozen=True)
class Request:
    """What was asked; of the key only its kind."""

    method: str
    path: str
    query: str
    user_agent: str
    key: str
    status: int


class FakeVendor:
    """A vendor at `url` while it is entered, or from `start` to `stop`.

    `page_limit`: no page has more rows, whatever is asked. `now`: what the vendor takes for the time.
    `me_for_enterprise`: whether an Enterprise key may ask whose it is. `address_field`: how the reports by user name
    an actor's address; it was `email`. `gate` is called before each answer, and may keep it back.
    """

    def __init__(
        self,
        users: int = 60,
        days: int = 90,
        *,
        last_day: dt.date = dt.date(2026, 11, 27),
        seed: str = "acme",
        port: int = 0,
        now: Callable[[], dt.datetime] | None = None,
    ) -> None:
        self.company = Company(users, days, last_day, seed)
        self.keys, self.revoked = Keys.of(seed), set[str]()
        self.faults = Faults()
        self.now = now or (lambda: dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(12), dt.UTC))
        self.page_limit = 1000
        self.refreshes = 0
        self.me_for_enterprise = True
        self.address_field = "email_address"
        self.requests: list[Request] = []
        self.gate: Callable[[], None] = lambda: None
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.vendor = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def size(self, asked: int) -> int:
        return min(asked, self.page_limit)

    def refresh(self) -> None:
        """The figures of usage and cost are refreshed: cursors from before are gone."""
        self.refreshes += 1

    def restate(self, day: dt.date) -> None:
        """That day has other figures from now on."""
        self.company.restate(day)
        self.refresh()

    def answer(self, path: str, query: Query, headers: Mapping[str, str]) -> dict[str, Any]:
        """What is answered, or Refused."""
        if path in OPENAI:
            return self._openai(path, query, headers)
        key = headers.get("x-api-key", "")
        if "anthropic-version" not in headers:
            raise Refused(400, "invalid_request_error", "anthropic-version: header is required")
        if not key:
            raise Refused(401, "authentication_error", "x-api-key header is required")
        kind = self.kind_of(key)
        if kind in ("unknown", "revoked", "openai_admin", "openai_project"):
            raise Refused(401, "authentication_error", "invalid x-api-key")
        if path == ME:
            if kind not in ("admin", "analytics", "without_scope") or (kind != "admin" and not self.me_for_enterprise):
                raise Refused(403, "permission_error", "This key may not read the organization.")
            return anthropic_admin.me(self, query)
        if path in ADMIN and kind != "admin":
            raise Refused(403, "permission_error", "This endpoint requires an Admin API key.")
        if path in ANALYTICS and kind != "analytics":
            held = "read:members" if kind == "without_scope" else "none"
            raise Refused(
                403, "permission_error", f"API key is missing a scope. Held: [{held}]. Needed: [read:analytics]."
            )
        if path not in ADMIN and path not in ANALYTICS:
            raise Refused(404, "not_found_error", "Not found")
        return (ADMIN | ANALYTICS)[path](self, query)

    def kind_of(self, key: str) -> str:
        kinds = {value: name for name, value in vars(self.keys).items()}
        return "revoked" if key in self.revoked else kinds.get(key, "unknown" if key else "none")

    def _openai(self, path: str, query: Query, headers: Mapping[str, str]) -> dict[str, Any]:
        kind = self.kind_of(headers.get("authorization", "").removeprefix("Bearer "))
        if kind == "openai_project":
            raise Refused(403, "insufficient_permissions", "You have insufficient permissions for this operation. "
                          "Missing scopes: api.usage.read.")  # fmt: skip
        if kind != "openai_admin":
            raise Refused(401, "invalid_api_key", "Incorrect API key provided.")
        return OPENAI[path](self, query)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    vendor: FakeVendor

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        vendor, parts = self.server.vendor, urlsplit(self.path)
        vendor.gate()
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = vendor.faults.take(parts.path)
        status, extra, body, cut = self._answered(fault, parts.path, parts.query, headers)
        key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        vendor.requests.append(
            Request("GET", parts.path, parts.query, headers.get("user-agent", ""), vendor.kind_of(key), status)
        )
        self._send(status, extra, body, cut)

    def _answered(
        self, fault: Fault | None, path: str, query: str, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes, int | None]:
        number = f"req_{next(self.server.vendor._numbers):06}"
        extra = {"content-type": "application/json", "request-id": number, **dict(fault.headers if fault else ())}
        if path in OPENAI:
            extra |= {"x-request-id": number, "openai-organization": "acme-org"}
        if fault and fault.hold:
            fault.hold.wait(60)
        if fault and fault.body is not None:
            return fault.status, extra, fault.body, None
        if fault and fault.status != 200:
            message = fault.message + (f" {headers.get('x-api-key')}" if fault.echo_key else "")
            return fault.status, extra, _error(fault.type, message, number), None
        try:
            found = self.server.vendor.answer(path, parse_qs(query, keep_blank_values=True), headers)
        except Refused as refused:
            return refused.status, extra, _error(refused.type, refused.message, number), None
        return 200, extra, json.dumps(found).encode(), fault.cut if fault else None

    def _send(self, status: int, headers: Mapping[str, str], body: bytes, cut: int | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[: min(cut, len(body) - 1)])
        if cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: tests read `requests`."""


def _error(type: str, message: str, number: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": type, "message": message}, "request_id": number}).encode()
