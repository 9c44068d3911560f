"""The whole path as a user has it: `up`, the printed token, what an agent sends, and what the three readers see."""

import http.cookiejar
import json
import re
import signal
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.captures import CAPTURES
from tests.ingest.receiving.load import load
from tests.portal.test_up import Portal
from tests.processes import ReceiverProcess, until


class Reader:
    """The printed secrets, used as a person and as programs would."""

    def __init__(self, portal: Portal) -> None:
        text = portal.text()
        self.portal = portal
        self.ingest = re.search(r"agp_ing_\w{49}", text)[0]
        self.api = re.search(r"agp_api_\w{49}", text)[0]
        self.password = re.search(r"password \(shown only now\): (\S+)", text)[1]
        self.receiver = ReceiverProcess(portal.otlp, portal.output, {})

    def get(self, path: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.portal.web}/api/v1/{path}", headers={"Authorization": f"Bearer {self.api}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def feed(self) -> list[dict[str, Any]]:
        """Every line of the feed, read page by page by its cursor."""
        lines: list[dict[str, Any]] = []
        after = ""
        while True:
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.portal.web}/api/v1/export/?limit=10000{after}",
                headers={"Authorization": f"Bearer {self.api}"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                page = [json.loads(line) for line in answer.read().decode().splitlines()]
                after, more = f"&after={answer.headers['X-Next-Cursor']}", answer.headers["X-Has-More"] == "true"
            lines += page
            if not more:
                return lines

    def admin(self, path: str) -> str:
        """A page as the first administrator sees it."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        login = f"http://127.0.0.1:{self.portal.web}/admin/login/"
        with opener.open(login, timeout=30) as page:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]
        form = {"username": "admin", "password": self.password, "csrfmiddlewaretoken": token, "next": "/admin/"}
        opener.open(login, urllib.parse.urlencode(form).encode(), timeout=30).close()
        with opener.open(f"http://127.0.0.1:{self.portal.web}{path}", timeout=30) as page:
            return page.read().decode()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    portal = Portal(tmp_path_factory.mktemp("end-to-end"))
    portal.start()
    yield Reader(portal)
    if portal.process is not None:
        portal.stop(signal.SIGTERM)
    portal.state.remove_sockets()


def test_what_an_agent_sends_is_seen_in_api_feed_and_admin(reader: Reader) -> None:
    session = "18b9637e-e5ca-4e16-abf7-660eaa3fd3ae"
    for path in sorted((CAPTURES / "f-interactive-decisions.json").glob("*.json")):
        signal_path = "/v1/logs" if ".logs." in path.name else "/v1/metrics"
        assert reader.receiver.post(path.read_bytes(), reader.ingest, path=signal_path).status == 200
    (found,) = until(lambda: json.loads(reader.get(f"sessions/?session={session}"))["results"])
    until(lambda: len(json.loads(reader.get(f"permission-decisions/?session={session}"))["results"]) == 11)
    decided = json.loads(reader.get(f"permission-decisions/?session={session}"))["results"]
    assert {row["session_id"] for row in decided} == {session}
    assert until(lambda: [line for line in reader.feed() if line["session_id"] == session])
    page = reader.admin(f"/admin/audit/session/{found['id']}/change/")
    assert "Accepted by person" in page
    assert "Rejected by person" in page


def test_killed_as_a_whole_under_load_it_loses_nothing(reader: Reader, request: pytest.FixtureRequest) -> None:
    portal = reader.portal
    with load(reader.receiver, reader.ingest) as running:
        for _ in range(20 if request.config.getoption("--slow") else 2):
            goal = running.count() + 60
            until(lambda goal=goal: running.count() >= goal, 60)
            portal.stop(signal.SIGKILL)
            portal.start()
        goal = running.count() + 60
        until(lambda: running.count() >= goal, 60)
    acknowledged = running.acknowledged

    def marks() -> list[str]:
        return [line["content"]["mark"] for line in reader.feed() if (line["content"] or {}).get("mark")]

    until(lambda: acknowledged <= set(marks()), 60)
    lines = reader.feed()
    assert [line["seq"] for line in lines] == list(range(len(lines)))
    stored = marks()
    assert len(stored) == len(set(stored))
