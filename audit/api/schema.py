"""The OpenAPI document: scopes and errors of every operation, and rows that are structs."""

from typing import Any, Literal

import msgspec
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentIdentity, ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.permissions import SAFE_METHODS

from audit.api import problem

SECURITY = "apiToken"
Direction = Literal["request", "response"]
_REF = "#/components/schemas/{name}"
_ERRORS = {
    "400": "A parameter, a cursor or the body cannot be used; `errors` says which.",
    "401": "No API token, or one that is not valid.",
    "403": "The token lacks a scope, is of the wrong kind, or may not be used from this address.",
    "404": "There is no such thing.",
    "405": "The method is not allowed here.",
    "406": "It does not come in the form that was asked for.",
    "410": "The cursor belongs to an epoch that is not in use.",
    "415": "The body is not JSON.",
    "503": "The database is not reachable, the search took too long, or the request could not be recorded.",
}


class Structs(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Rows that are msgspec structs, with the structs they hold as components of their own."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        return str(self.target.__name__)

    def get_identity(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        return ComponentIdentity(self.target)  # type: ignore[no-untyped-call]

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        _, components = msgspec.json.schema_components([self.target], ref_template=_REF)
        own: dict[str, Any] = components.pop(self.target.__name__)
        for name, schema in components.items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, object=name)  # type: ignore[no-untyped-call]
            )
        return own


class Schema(AutoSchema):
    """Adds what every operation here has: its scopes and its errors; and for lists of evidence their row and CSV."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{SECURITY: list(self._scopes())}]

    def get_description(self) -> str:  # type: ignore[override] # as drf-spectacular's own
        scopes = " and ".join(f"`{scope}`" for scope in self._scopes())
        return f"{super().get_description()}\n\nScope: {scopes}." if scopes else super().get_description()

    def get_response_serializers(self) -> Any:
        row = getattr(self.view, "row", None)
        if row is None:
            return super().get_response_serializers()
        answers: dict[Any, Any] = {(200, "application/json"): row}
        if any(renderer.format == "csv" for renderer in self.view.renderer_classes):
            answers[200, "text/csv"] = OpenApiTypes.STR
        return answers

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        answers = super()._get_response_bodies(direction)
        for status in self._errors():
            described = OpenApiResponse(problem.Problem, description=_ERRORS[status])
            answer = self._get_response_for_code(described, status, [problem.MEDIA_TYPE])  # type: ignore[no-untyped-call]
            answers.setdefault(status, answer)
        return answers

    def _scopes(self) -> list[str]:
        name = "required_scopes" if self.method in SAFE_METHODS else "required_scopes_to_write"
        return list(getattr(self.view, name, None) or ())

    def _errors(self) -> list[str]:
        left_out = {
            "404": "{" not in self.path,
            "410": not self.path.endswith("/export/"),
            "415": self.method in SAFE_METHODS,
        }
        return [status for status in _ERRORS if not left_out.get(status)]
