"""Links from figures to the lists of their rows, as far as this person may open them."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from portal.navigation import list_url


class Lists:
    def __init__(self, site: AdminSite, request: HttpRequest) -> None:
        self.site = site
        self.request = request
        self._known: dict[str, str] = {}

    def may_open(self, model: str) -> bool:
        return bool(self._list(model))

    def url(self, model: str, **lookups: Any) -> str:
        """The list of `app.model` narrowed by Django lookups; "" for who may not open it."""
        url = self._list(model)
        named = {name: _text(value) for name, value in lookups.items()}
        return f"{url}?{urlencode(named)}" if url and named else url

    def _list(self, model: str) -> str:
        if model not in self._known:
            self._known[model] = list_url(self.site, self.request, model)
        return self._known[model]


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return str(value)
