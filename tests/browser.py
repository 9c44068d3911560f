"""Pages in a real browser: Debian's Chromium, driven by Playwright, watched for everything a page must not do.

`browser.open(path, user=…)` gives a Visit; `visit.assert_harmless()` says that nothing was blocked by the content
security policy, asked of another host, thrown by a script or shown in a dialog, and that the page fits the window.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = 390
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  violations.push([event.effectiveDirective, event.blockedURI, event.sourceFile, event.lineNumber].join(" ")));
"""
UNNAMED = """
() => [...document.querySelectorAll("a[href], button, select, textarea, summary, input:not([type=hidden])")]
  .filter((control) => control.checkVisibility())
  .filter((control) => ![
    control.getAttribute("aria-label"), control.title, control.textContent,
    control.querySelector("[title]")?.title,
    /^(submit|button)$/.test(control.type) ? control.value : "",
    ...[...(control.labels ?? [])].flatMap((label) =>
      [label.textContent, label.querySelector("[aria-label]")?.getAttribute("aria-label")]),
    ...(control.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent),
  ].some((name) => name?.trim()))
  .map((control) => control.outerHTML.slice(0, 200))
"""
TOO_WIDE = """
() => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((element) => `${element.tagName}.${element.className} ${element.textContent.trim().slice(0, 60)}`).slice(-8)
"""


@dataclass
class Visit:
    """One open page and what it did. `status` is that of the page itself."""

    page: Any
    host: str
    status: int = 0
    external: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self) -> "Visit":
        self.page.on("request", self._request)
        self.page.on("dialog", self._dialog)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self._response)
        return self

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.host, "about:")):
            self.external.append(request.url)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _response(self, response: Any) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.errors.append(f"{response.status} {response.url}")

    def go(self, path: str) -> "Visit":
        response = self.page.goto(self.host + path, wait_until="load")
        self.status = response.status
        return self

    def evaluate(self, script: str) -> Any:
        """What the script says of the whole page: a click returns when the next page has only begun to arrive."""
        self.page.wait_for_load_state("load")
        return self.page.evaluate(script)

    @property
    def violations(self) -> list[str]:
        found: list[str] = self.evaluate("window.violations")
        return found

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        width: int = self.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    @property
    def unnamed(self) -> list[str]:
        """Controls that a screen reader could not name."""
        found: list[str] = self.evaluate(UNNAMED)
        return found

    def assert_harmless(self) -> None:
        assert self.violations == []
        assert self.external == []
        assert self.dialogs == []
        # Chromium reports a page that answers 4xx or 5xx on the console as well.
        assert [error for error in self.errors if "Failed to load resource" not in error or self.status < 400] == []
        assert self.overflow <= 0, self.evaluate(TOO_WIDE)


class Browser:
    """Opens pages of a live server, each in a fresh profile."""

    def __init__(self, chromium: Any, host: str) -> None:
        self.chromium = chromium
        self.host = host
        self._contexts: list[Any] = []

    def open(
        self,
        path: str,
        user: Any = None,
        *,
        width: int = 1280,
        dark: bool = False,
        script: bool = True,
        zone: str = "UTC",
    ) -> Visit:
        """The page at `path` as that user sees it; logged out without one. Further pages: `visit.go(path)`."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
            timezone_id=zone,
        )
        self._contexts.append(context)
        context.set_default_timeout(30_000)
        context.add_init_script(WATCH)
        if user is not None:
            context.add_cookies([self._session(user)])
        return Visit(context.new_page(), self.host).watch().go(path)

    def _session(self, user: Any) -> dict[str, Any]:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.host}

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One Chromium for all tests; skips, and says why, on a machine that has none."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian: apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed")
    # Playwright's event loop runs in the tests' own thread, where Django would otherwise refuse to ask the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def browser(chromium: Any, live_server: Any) -> Iterator[Browser]:
    opened = Browser(chromium, live_server.url)
    yield opened
    opened.close()
