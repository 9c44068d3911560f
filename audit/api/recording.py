"""What is answered of evidence is recorded first (DESIGN §3.2). What cannot be recorded is not answered.

Every view of evidence is a `Recorded` one. Polls of a list or of the feed are recorded once for each token, address and
hour, objects likewise; a search that names a person, and a whole list as a file, each time. An empty poll leaves none.
"""

from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from audit import acts, query
from audit.api import problem
from audit.api.permissions import consumer, rights
from audit.exceptions import NotRecorded


class Recorded(APIView):
    """`object_kind`: what the `id` in an address names. A view whose answer holds nothing says so in `is_empty`,
    one that answers with a whole list as a file in `downloads` its format."""

    object_kind: ClassVar[str] = ""
    is_empty = False
    downloads = ""

    def dispatch(self, request: Any, *args: Any, **keys: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **keys)
        if response.status_code == HTTPStatus.OK:
            try:
                self._record(self.request, keys)
            except NotRecorded as error:
                return problem.handler(error, {})
        return response

    def _record(self, request: Request, keys: dict[str, Any]) -> None:
        sought = asked(request)
        match = request.resolver_match
        endpoint = match.url_name if match else ""
        if self.object_kind:
            facts = {"object.kind": self.object_kind, "object.id": str(keys["id"])}
            self._require(request, "evidence.viewed", facts, once=True)
        elif self.downloads and not self.is_empty:
            self._require(request, "evidence.downloaded", {"list": endpoint, "format": self.downloads}, sought)
        elif self._names_person(request, sought):
            self._require(request, "evidence.listed", {"list": endpoint}, sought)
        elif not self.is_empty:
            self._require(request, "export.polled", {"list": endpoint}, once=True)

    def _names_person(self, request: Request, sought: dict[str, str]) -> bool:
        return "actor" in request.query_params or any(map(query.names_person, sought.values()))

    def _require(
        self,
        request: Request,
        name: str,
        facts: dict[str, Any],
        content: dict[str, str] | None = None,
        *,
        once: bool = False,
    ) -> None:
        held, token = rights(request), cast(Any, request.auth)
        acts.require(
            name,
            by=consumer(request),
            facts={
                **facts,
                "token.id": token.id,
                "content.shown": held.content,
                "identity.shown": held.identity,
            },
            content=content,
            once=acts.HOUR if once else None,
        )


def asked(request: Request) -> dict[str, str]:
    """The parameters of a request, as content of an act."""
    told = "&".join(f"{name}={value}" for name, values in request.query_params.lists() for value in values)
    return {"query": told} if told else {}
