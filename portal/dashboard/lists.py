"""Links from figures to the lists of their rows, as far as this person may open them."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from audit import query
from audit.query import Term
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
        named = {
            name: _moment(value) if isinstance(value, dt.datetime) else str(value) for name, value in lookups.items()
        }
        return f"{url}?{urlencode(named)}" if url and named else url

    def asking(self, model: str, *terms: tuple[str, str | dt.datetime]) -> str:
        """The list of `app.model` with these terms in its query bar; "" for who may not open it."""
        url = self._list(model)
        text = query.spell(Term(name, _text(value)) for name, value in terms)
        return f"{url}?{urlencode({'q': text})}" if url else ""

    def _list(self, model: str) -> str:
        if model not in self._known:
            self._known[model] = list_url(self.site, self.request, model)
        return self._known[model]


def _text(value: Any) -> str:
    """As the query bar spells it: the beginning of a day is the day."""
    if not isinstance(value, dt.datetime):
        return str(value)
    at = value.astimezone(dt.UTC)
    return f"{at:%Y-%m-%d}" if at.time() == dt.time() else _moment(at)


def _moment(at: dt.datetime) -> str:
    """In UTC and in full: Django takes a date for a time without a zone."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
