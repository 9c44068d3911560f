"""What is shown of evidence is recorded first (DESIGN §3.2). What cannot be recorded is not shown.

It is decided here, for every address that an admin of evidence has: a page that is added later cannot forget it.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern

from audit import acts, query
from audit.admin import rights

Keys = dict[str, Any]


class RecordedPages(admin.ModelAdmin):
    """Mixed into every admin that shows evidence."""

    @property
    def urls(self) -> list[URLPattern]:
        return [self._recorded(url) for url in self.get_urls()]

    def _recorded(self, url: URLPattern) -> URLPattern:
        page = str(url.name or "").removeprefix(f"{self.opts.app_label}_{self.opts.model_name}_")
        view: Callable[..., HttpResponseBase] = url.callback

        @wraps(view)
        def recorded(request: HttpRequest, *args: Any, **keys: Any) -> HttpResponseBase:
            """Nothing of an answer has left the portal yet: pages are not rendered, files not begun."""
            response = view(request, *args, **keys)
            if response.status_code == HTTPStatus.OK:
                self._record(request, page, keys)
            return response

        return URLPattern(url.pattern, recorded, url.default_args, url.name)

    def _record(self, request: HttpRequest, page: str, keys: Keys) -> None:
        name = str(self.opts.verbose_name_plural).lower().replace(" ", "-")
        if page == "changelist":
            listed(request, name)
        elif page == "download":
            _require(request, "evidence.downloaded", {"list": name, "format": keys["form"]}, asked(request))
        else:
            viewed(request, *self._object(keys), **{key: keys[key] for key in ("part",) if key in keys})

    def _object(self, keys: Keys) -> tuple[str, str]:
        """What a page is about: the event that it names, or the row of this admin."""
        if "event" in keys:
            return "event", str(keys["event"])
        kind = self.opts.concrete_model._meta.verbose_name  # type: ignore[union-attr] # no admin is of an abstract model
        return str(kind).lower().replace(" ", "-"), _spelled(keys["object_id"])


def viewed(request: HttpRequest, kind: str, key: str, **more: str) -> None:
    """The page of one object, once an hour. Raises NotRecorded."""
    _require(request, "evidence.viewed", {"object.kind": kind, "object.id": key, **more}, once=True)


def listed(request: HttpRequest, name: str) -> None:
    """A list, once an hour; each time with its query where that names a person. Raises NotRecorded."""
    sought = asked(request)
    by_subject = any(name.partition("__")[0] == "subject" for name in request.GET)
    if by_subject or any(map(query.names_person, sought.values())):
        _require(request, "evidence.listed", {"list": name}, sought)
    else:
        _require(request, "evidence.listed", {"list": name}, once=True)


def asked(request: HttpRequest) -> dict[str, str]:
    """What a list was asked, as content of an act: the query, and whatever else its address says."""
    others = (f"{name}={value}" for name, values in request.GET.lists() if name != SEARCH_VAR for value in values)
    told = {"query": request.GET.get(SEARCH_VAR, ""), "parameters": "&".join(others)}
    return {name: text for name, text in told.items() if text}


def _require(
    request: HttpRequest, name: str, facts: dict[str, str], content: dict[str, str] | None = None, once: bool = False
) -> None:
    held = rights.of(request)
    acts.require(
        name,
        by=acts.person(request.user),
        facts={**facts, "content.shown": held.content, "identity.shown": held.identity},
        content=content,
        once=acts.HOUR if once else None,
    )


def _spelled(key: str) -> str:
    """A key as it is always spelled: one object is one, however its address was typed."""
    try:
        return str(UUID(key))
    except ValueError:
        return key
