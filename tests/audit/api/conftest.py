from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.factories import older_token

PLAIN = ("events:read",)
FULL = ("events:read", "content:read", "identity:read", "export:read")


class Api:
    """A client of /api/v1/ with one token."""

    def __init__(self, *scopes: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {}
        if scopes:
            self.headers = {"Authorization": f"Bearer {older_token('api', *scopes)}"}

    def get(self, path: str, accept: str = "", **parameters: Any) -> Any:
        address = path if path.startswith(("http", "/")) else f"/api/v1/{path}"
        headers = self.headers | ({"Accept": accept} if accept else {})
        return self.client.get(address, parameters, headers=headers)

    def read(self, path: str, **parameters: Any) -> Any:
        """The body of a successful answer."""
        response = self.get(path, **parameters)
        assert response.status_code == 200, body(response)
        return response_json(response)

    def results(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        return self.read(path, **parameters)["results"]

    def pages(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """All pages, by following `next`."""
        found = [self.read(path, **parameters)]
        while found[-1]["next"]:
            found.append(self.read(found[-1]["next"]))
        return found


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def response_json(response: Any) -> Any:
    import json

    return json.loads(body(response))


@pytest.fixture
def api(db: None) -> Api:
    return Api(*FULL)


@pytest.fixture
def holding(db: None) -> Callable[..., Api]:
    """A client whose token has just these scopes."""
    return Api
