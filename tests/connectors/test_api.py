"""Ingestion tokens over REST, through real requests."""

import csv
import datetime as dt
import json

import pytest
from django.db import connection
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from connectors import tokens
from connectors.models import IngestToken, Token

pytestmark = pytest.mark.django_db
ALL = ("tokens:read", "tokens:write")


class Api:
    """A client with one token."""

    def __init__(self, client, secret):
        self.client, self.headers = client, {"Authorization": f"Bearer {secret}"}

    def get(self, path="", **headers):
        return self.client.get(f"/api/v1/ingest-tokens/{path}", headers={**self.headers, **headers})

    def post(self, path="", body=None, **headers):
        return self.client.post(
            f"/api/v1/ingest-tokens/{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={**self.headers, **headers},
        )


def holder(client, *scopes, **options):
    token, secret = tokens.issue("api", "provisioning", by="rosa", scopes=scopes or ALL, **options)
    return token, Api(client, secret)


@pytest.fixture
def api(client):
    return holder(client)[1]


def issue(name="payments-laptops", **options):
    return tokens.issue("ingest", name, **{"by": "rosa", "scopes": ["logs"], **options})


def test_it_issues_a_token_and_gives_the_secret_once(api):
    expires_at = (timezone.now() + dt.timedelta(days=30)).replace(microsecond=0)
    body = {"name": "ci", "scopes": ["logs"], "expires_at": expires_at.isoformat(), "networks": ["10.0.0.0/8"]}
    response = api.post(body=body)
    answer = response.json()
    token = IngestToken.objects.get()
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    assert tokens.digest(answer["token"]) == bytes(token.digest)
    assert (answer["id"], answer["name"], answer["scopes"]) == (str(token.pk), "ci", ["logs"])
    assert (token.expires_at, token.networks) == (expires_at, ["10.0.0.0/8"])
    assert token.created_by == f"API token provisioning (#{Token.objects.get(kind='api').pk})"
    seen = api.get(f"{token.pk}/")
    assert answer["token"] not in seen.content.decode()
    assert {key: value for key, value in answer.items() if key != "token"} == seen.json()


def test_a_name_is_enough(api):
    answer = api.post(body={"name": "ci"}).json()
    assert (answer["scopes"], answer["networks"], answer["expires_at"]) == (["logs", "metrics"], [], None)
    assert answer["source"]["name"] == "ci"
    assert answer["state"] == "waiting"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "This field is required."),
        ({"name": ""}, "This field may not be blank."),
        ({"name": 3.5, "scopes": "logs"}, "Expected a list of items"),
        ({"name": "x" * 81}, "longer than 80 characters"),
        ({"name": "a\u202eb"}, "a character that cannot be seen"),
        ({"name": "a\u0000b"}, "Null characters are not allowed."),
        ({"name": "ci", "scopes": []}, "Name at least one scope: logs, metrics, traces."),
        ({"name": "ci", "scopes": ["events:read"]}, "events:read is not a scope of this kind of token"),
        ({"name": "ci", "networks": ["10.20.0.0/33"]}, "10.20.0.0/33 is not a network: a prefix ends at /32."),
        ({"name": "ci", "expires_at": "2020-01-01T00:00:00Z"}, "The expiry lies in the past."),
        ({"name": "ci", "expires_at": "soon"}, "Datetime has wrong format."),
        ({"name": "ci", "expire_at": "2030-01-01T00:00:00Z"}, "There is no such field."),
        ({"name": "ci", "records_per_minute": 0}, "greater than or equal to 1"),
        ([], ""),
        ("x", ""),
        (None, ""),
    ],
)
def test_it_says_what_is_wrong_and_issues_nothing(api, body, sentence):
    response = api.client.post(
        "/api/v1/ingest-tokens/", json.dumps(body), content_type="application/json", headers=api.headers
    )
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not IngestToken.objects.exists()


def test_it_lists_ingestion_tokens_newest_first_without_secrets(api):
    secrets = [issue(name)[1] for name in ("first", "second")]
    response = api.get()
    assert [each["name"] for each in response.json()["results"]] == ["second", "first"]
    assert not any(secret[8:51] in response.content.decode() for secret in secrets)
    assert "provisioning" not in response.content.decode()


def test_it_lists_in_pages_without_a_query_a_row(api, django_assert_max_num_queries):
    for number in range(5):
        issue(f"source-{number}")
    with django_assert_max_num_queries(6):
        first = api.get("?page_size=3").json()
    second = api.client.get(first["next"], headers=api.headers).json()
    names = [each["name"] for each in first["results"] + second["results"]]
    assert names == [f"source-{number}" for number in (4, 3, 2, 1, 0)]
    assert second["next"] is None
    for size in ("0", "1001", "x", "", "9" * 5000, "\u0661"):
        assert api.get(f"?page_size={size}").status_code == 400


def test_the_list_comes_as_csv(api):
    token, secret = issue(networks=["10.0.0.0/8", "2001:db8::/32"])
    response = api.get(Accept="text/csv")
    (row,) = csv.DictReader(response.content.decode().splitlines())
    assert response["Content-Type"].startswith("text/csv")
    assert (row["id"], row["name"], row["source.name"]) == (str(token.pk), "payments-laptops", "payments-laptops")
    assert json.loads(row["networks"]) == ["10.0.0.0/8", "2001:db8::/32"]
    assert secret[8:51] not in response.content.decode()


def test_it_refuses_a_parameter_it_does_not_know(api):
    assert api.get("?name=laptops").status_code == 400


def test_errors_are_problem_details(api, client):
    for response in (api.post(), api.get("9/"), client.get("/api/v1/ingest-tokens/")):
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["detail"]


def test_the_description_names_the_scopes():
    schema = SchemaGenerator().get_schema(public=True)
    operations = schema["paths"]["/api/v1/ingest-tokens/{id}/rotate/"]["post"]
    assert operations["security"] == [{"apiToken": ["tokens:write"]}]
    assert {"201", "400", "401", "403", "404", "409"} <= set(operations["responses"])
    issued = schema["components"]["schemas"]["IssuedToken"]["properties"]
    assert "token" in issued
    assert "token" not in schema["components"]["schemas"]["IngestToken"]["properties"]


def test_it_rotates_with_an_overlap(api):
    old, old_secret = issue()
    response = api.post(f"{old.pk}/rotate/", {"overlap_seconds": 3600})
    answer = response.json()
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    assert answer["token"] != old_secret
    assert answer["rotated_from"] == str(old.pk)
    before = api.get(f"{old.pk}/").json()
    assert (before["state"], before["replaced_by"]) == ("rotating", answer["id"])
    old.refresh_from_db()
    assert dt.timedelta(minutes=59) < old.valid_until - timezone.now() <= dt.timedelta(hours=1)


@pytest.mark.parametrize("overlap", [-1, 7 * 86400 + 1, "x", 1.5])
def test_it_refuses_an_overlap_out_of_bounds(api, overlap):
    old, _ = issue()
    assert api.post(f"{old.pk}/rotate/", {"overlap_seconds": overlap}).status_code == 400
    assert IngestToken.objects.count() == 1


def test_what_no_longer_works_is_not_rotated(api):
    old, _ = issue()
    tokens.revoke(old, "leaked", by="rosa")
    response = api.post(f"{old.pk}/rotate/")
    assert response.status_code == 409
    assert "This token is revoked" in response.content.decode()


def test_a_revoked_token_tells_its_receipt(api):
    token, _ = issue()
    assert api.get(f"{token.pk}/").json()["receipt"] is None
    answer = api.post(f"{token.pk}/revoke/", {"reason": "laptop stolen"}).json()
    receipt = answer["receipt"]
    assert receipt["revoked_at"] < receipt["settled_at"]
    assert (receipt["last_accepted_at"], receipt["first_refused_at"], receipt["refused"]) == (None, None, 0)
    refused = {(token.pk, "revoked"): tokens.Refused(2, "192.0.2.9", "192.0.2.8")}
    tokens.note_refusals(connection.connection, refused)
    later = api.get(f"{token.pk}/").json()["receipt"]
    assert (later["first_refused_address"], later["refused"]) == ("192.0.2.8", 2)
    listed = api.get("").json()["results"]
    assert [each["receipt"] and each["receipt"]["refused"] for each in listed if each["id"] == str(token.pk)] == [2]


def test_it_revokes_with_a_reason(api):
    token, _ = issue()
    assert api.post(f"{token.pk}/revoke/").status_code == 400
    assert api.post(f"{token.pk}/revoke/", {"reason": " "}).status_code == 400
    answer = api.post(f"{token.pk}/revoke/", {"reason": "laptop stolen"}).json()
    assert (answer["state"], answer["revoke_reason"]) == ("revoked", "laptop stolen")
    again = api.post(f"{token.pk}/revoke/", {"reason": "other"})
    assert (again.status_code, again.json()["revoke_reason"]) == (200, "laptop stolen")


def test_api_tokens_are_out_of_reach(client):
    own, api = holder(client)
    for response in (
        api.get(f"{own.pk}/"),
        api.post(f"{own.pk}/rotate/"),
        api.post(f"{own.pk}/revoke/", {"reason": "x"}),
    ):
        assert response.status_code == 404
    assert Token.objects.count() == 1


@pytest.mark.parametrize("path", ["0/", "999999999999999999/", "9999999999999999999999/", "x/", "-1/"])
def test_what_is_not_there_is_404(api, path):
    assert api.get(path).status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nothing_is_edited_or_deleted(api, method):
    token, _ = issue()
    response = getattr(api.client, method)(f"/api/v1/ingest-tokens/{token.pk}/", headers=api.headers)
    assert response.status_code == 405
    assert IngestToken.objects.count() == 1


def calls(api, token):
    return {
        "list": lambda: api.get(),
        "retrieve": lambda: api.get(f"{token.pk}/"),
        "create": lambda: api.post(body={"name": "ci"}),
        "rotate": lambda: api.post(f"{token.pk}/rotate/"),
        "revoke": lambda: api.post(f"{token.pk}/revoke/", {"reason": "x"}),
    }


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (("tokens:read",), {"list", "retrieve"}),
        (("tokens:write",), {"create", "rotate", "revoke"}),
        (ALL, {"list", "retrieve", "create", "rotate", "revoke"}),
        (("events:read", "content:read", "export:read"), set()),
    ],
)
def test_scopes_open_what_they_name(client, scopes, allowed):
    token, _ = issue()
    _, api = holder(client, *scopes)
    answers = {name: call() for name, call in calls(api, token).items()}
    assert {name for name, answer in answers.items() if answer.status_code < 300} == allowed
    assert {answer.status_code for name, answer in answers.items() if name not in allowed} <= {403}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "Send a token"),
        ("", "Send a token"),
        ("Basic YTpi", "Send a token"),
        ("Bearer x", "not a token of this portal"),
        pytest.param(f"Bearer {tokens.generate('api')}", "not known here", id="unknown"),
    ],
)
def test_without_a_token_it_answers_401(client, header, reason):
    response = client.get("/api/v1/ingest-tokens/", headers={"Authorization": header} if header is not None else {})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert reason in response.content.decode()


def test_a_session_of_the_admin_opens_nothing(client, admin_user):
    client.force_login(admin_user)
    assert client.get("/api/v1/ingest-tokens/").status_code == 401


def test_an_ingestion_token_gets_403(client):
    _, secret = issue()
    response = Api(client, secret).get()
    assert response.status_code == 403
    assert "not an API token" in response.content.decode()


def test_a_revoked_token_is_refused_by_the_next_request(client):
    token, api = holder(client)
    assert api.get().status_code == 200
    tokens.revoke(token, "leaked", by="rosa")
    response = api.get()
    assert response.status_code == 401
    assert "was revoked" in response.content.decode()
    token.refresh_from_db()
    assert token.refusals == {"revoked": 1}


def test_an_expired_token_is_refused(client):
    token, api = holder(client, expires_at=timezone.now() + dt.timedelta(hours=1))
    assert api.get().status_code == 200
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert api.get().status_code == 401


def test_the_last_use_is_noted(client):
    token, api = holder(client)
    api.get()
    token.refresh_from_db()
    assert token.last_used_address == "127.0.0.1"
    assert token.state == "active"


@pytest.mark.parametrize(
    ("trusted", "forwarded_for", "status"),
    [
        ((), "10.1.2.3", 403),
        (("127.0.0.0/8",), "10.1.2.3", 200),
        (("127.0.0.0/8",), "10.1.2.3, 192.0.2.1", 403),
        (("127.0.0.0/8",), "::ffff:10.1.2.3", 200),
        (("192.0.2.0/24",), "10.1.2.3", 403),
    ],
)
def test_networks_look_through_trusted_proxies_only(client, settings, trusted, forwarded_for, status):
    settings.INGEST_TRUSTED_PROXIES = trusted
    token, api = holder(client, networks=["10.0.0.0/8"])
    assert api.get(**{"X-Forwarded-For": forwarded_for}).status_code == status
    token.refresh_from_db()
    assert token.refusals == ({} if status == 200 else {"wrong_network": 1})
