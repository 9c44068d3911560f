"""The OpenAPI document: valid, complete, and true of the answers."""

import re
import warnings

import jsonschema
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.validation import validate_schema

from audit.models import Session
from tests.audit.api.conftest import response_json
from tests.audit.api.test_lists import story

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema(api) -> dict:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return response_json(api.get("schema/"))


def routes(patterns, prefix: str = "") -> set[str]:
    found = set()
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            found |= routes(each.url_patterns, path)
        elif isinstance(each, URLPattern) and "(?P<path>" not in path:
            found.add(
                "/"
                + re.sub(r"<(?:uuid:)?(\w+)>|\(\?P<(\w+)>[^)]*\)", r"{\1\2}", path).replace("^", "").replace("$", "")
            )
    return {path.replace(r"\Z", "") for path in found if path.startswith("/api/v1/")}


def test_it_is_a_valid_openapi_document(schema):
    validate_schema(schema)
    assert schema["openapi"] == "3.1.0"


def test_every_address_is_in_it(schema):
    expected = {re.sub(r"\{\w+\}", "{}", path) for path in routes(get_resolver().url_patterns)} - {"/api/v1/schema/"}
    assert {re.sub(r"\{\w+\}", "{}", path) for path in schema["paths"]} == expected


def operations(schema: dict):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_names_its_scopes_and_errors(schema):
    for name, operation in operations(schema):
        (security,) = operation["security"]
        assert security["apiToken"], name
        assert security["apiToken"][0] in operation["description"], name
        assert {"400", "401", "403", "503"} <= operation["responses"].keys(), name
        problem = operation["responses"]["401"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}, name
    assert schema["components"]["securitySchemes"]["apiToken"]["scheme"] == "bearer"


def test_every_parameter_is_described(schema):
    for name, operation in operations(schema):
        for parameter in operation.get("parameters", []):
            assert parameter["in"] == "path" or parameter.get("description"), (name, parameter["name"])


@pytest.mark.parametrize(
    ("path", "count"),
    [("events", 21 + 3), ("sessions", 13 + 3), ("permission-decisions", 20 + 3), ("mcp-servers", 6)],
)
def test_lists_name_their_filters(schema, path, count):
    parameters = schema["paths"][f"/api/v1/{path}/"]["get"]["parameters"]
    assert len([each for each in parameters if each["in"] == "query"]) == count


def test_lists_come_as_csv_and_the_feed_as_lines(schema):
    assert set(schema["paths"]["/api/v1/events/"]["get"]["responses"]["200"]["content"]) == {
        "application/json", "text/csv",
    }  # fmt: skip
    feed = schema["paths"]["/api/v1/export/"]["get"]["responses"]
    assert set(feed["200"]["content"]) == {"application/x-ndjson"}
    assert set(feed["200"]["headers"]) == {"X-Next-Cursor", "X-Has-More", "Link"}
    assert "410" in feed


def test_references_lead_somewhere(schema):
    names = set(re.findall(r"#/components/schemas/(\w+)", str(schema)))
    assert names <= schema["components"]["schemas"].keys()


@pytest.mark.parametrize(
    "path",
    [
        "sessions/", "sessions/{id}/", "sessions/{id}/timeline/", "events/", "events/{id}/", "permission-decisions/",
        "mode-changes/", "mcp-connections/", "mcp-servers/",
    ],
)  # fmt: skip
def test_answers_are_as_described(api, schema, path):
    story()
    key = api.results("events/")[0]["id"] if path.startswith("events/") else str(Session.objects.get().pk)
    described = schema["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    document = {**described, "components": schema["components"]}
    jsonschema.validate(api.read(path.format(id=key)), document, jsonschema.Draft202012Validator)


def test_problems_are_as_described(api, schema):
    document = {**schema["components"]["schemas"]["Problem"], "components": schema["components"]}
    for path in ("events/?nonsense=1", "nope/", "events/?page_size=0"):
        jsonschema.validate(response_json(api.get(path)), document, jsonschema.Draft202012Validator)
