"""Who may ask for what, and what the answer then holds."""

import json

import pytest
from django.urls import get_resolver

from audit.models import Event, Session
from tests.audit.api.conftest import Api, body, response_json
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db

SECRETS = ("dana@acme.example", "install-5f1d", "secret prompt", "secret command", "acme-laptop")


def story() -> dict[str, str]:
    """Evidence with content and identity in every list; what stands in paths."""
    identity = (("@user.email", "string", "dana@acme.example"), ("@user.id", "string", "install-5f1d"),
                ("resource@host.name", "string", "acme-laptop"))  # fmt: skip
    shared = {"subject": identity, "content": [("@prompt", "string", "secret prompt")]}
    evidence(
        draft("prompt", **shared),
        draft("tool_decision", tool_use_id="toolu_1", tool_name="Bash", decision="accept", decided_by="person",
              command="secret command", **shared),
        draft("mode_change", to_mode="plan", **shared),
        draft("mcp_connection", mcp_server="github", mcp_server_provenance="stated", **shared),
    )  # fmt: skip
    return {"session": str(Session.objects.get().pk), "event": str(Event.objects.first().pk)}


READS = {
    "sessions/": "events:read",
    "sessions/{session}/": "events:read",
    "sessions/{session}/timeline/": "events:read",
    "events/": "events:read",
    "events/{event}/": "events:read",
    "permission-decisions/": "events:read",
    "mode-changes/": "events:read",
    "mcp-connections/": "events:read",
    "mcp-servers/": "events:read",
    "export/": "export:read",
}

PROOFS = {"events/{event}/proof/", "ledger/checkpoint/", "ledger/consistency/"}
"""They need a signed ledger, and show neither content nor identity: see test_ledger.py."""


def test_every_address_of_evidence_is_in_this_matrix():
    named = get_resolver("audit.api.urls").url_patterns
    routes = {str(each.pattern).replace("<uuid:id>", "{}") for each in named} - {"schema/"}
    assert routes == {path.format(session="{}", event="{}") for path in READS.keys() | PROOFS}


@pytest.mark.parametrize("path", READS)
def test_it_takes_a_token_and_its_scope(path):
    where = story()
    others = {"events:read", "export:read", "tokens:read", "usage:read", "ledger:read"} - {READS[path]}
    path = path.format(**where)
    assert Api().get(path).status_code == 401
    assert "Bearer" in Api().get(path)["WWW-Authenticate"]
    refused = Api(*others, "content:read", "identity:read").get(path)
    assert (refused.status_code, response_json(refused)["code"]) == (403, "permission_denied")
    name = next(scope for template, scope in READS.items() if template.format(**where) == path)
    assert Api(name).get(path).status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
@pytest.mark.parametrize("path", READS)
def test_content_and_identity_show_only_with_their_scopes(path, accept):
    where = story()
    if accept == "text/csv" and ("{" in path.replace("{session}/timeline", "") or path == "export/"):
        accept = "application/json"
    path, scope = path.format(**where), READS[path]
    hidden = body(Api(scope).get(path, accept)).decode()
    assert not [secret for secret in SECRETS if secret in hidden]
    with_content = body(Api(scope, "content:read").get(path, accept)).decode()
    assert not [secret for secret in ("dana@acme.example", "install-5f1d", "acme-laptop") if secret in with_content]
    with_identity = body(Api(scope, "identity:read").get(path, accept)).decode()
    assert not [secret for secret in ("secret prompt", "secret command") if secret in with_identity]


@pytest.mark.parametrize("path", sorted(set(READS) - {"mcp-servers/", "sessions/", "sessions/{session}/"}))
def test_content_shows_with_its_scope(path):
    where = story()
    shown = body(Api(READS[path], "content:read").get(path.format(**where))).decode()
    assert "secret prompt" in shown or "secret command" in shown


@pytest.mark.parametrize("path", sorted(set(READS) - {"mcp-servers/", "sessions/{session}/timeline/"}))
def test_identity_shows_with_its_scope(path):
    where = story()
    shown = body(Api(READS[path], "identity:read").get(path.format(**where))).decode()
    assert "dana@acme.example" in shown


def test_without_the_scope_an_actor_is_still_the_same_actor():
    story()
    asked = {"agent": "claude_code"}
    plain = Api("events:read").results("events/", **asked)
    full = Api("events:read", "identity:read").results("events/", **asked)
    assert [row["actor"]["id"] for row in plain] == [row["actor"]["id"] for row in full]
    assert len({row["actor"]["id"] for row in plain}) == 1


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", ["events/", "export/", "sessions/"])
def test_evidence_is_read_only(api, path, method):
    response = getattr(api.client, method)(f"/api/v1/{path}", headers=api.headers)
    assert (response.status_code, response_json(response)["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


def test_a_token_revoked_is_refused_by_the_next_request(api):
    from connectors import tokens
    from connectors.models import Token

    assert api.get("events/").status_code == 200
    tokens.revoke(Token.objects.get(), "left", by="a test")
    response = api.get("events/")
    assert (response.status_code, response_json(response)["code"]) == (401, "revoked")


def test_the_admins_session_opens_no_address_here(admin_client):
    assert admin_client.get("/api/v1/events/").status_code == 401


@pytest.mark.parametrize("path", [*(path for path in READS if "{" not in path), "nope/", "events/?nonsense=1"])
def test_evidence_is_not_kept_by_caches(api, path):
    assert api.get(path)["Cache-Control"] == "no-store"


def test_the_schema_needs_no_token():
    assert json.loads(body(Api().get("schema/")))["openapi"].startswith("3.1")
