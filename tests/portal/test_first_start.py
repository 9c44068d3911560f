"""A fresh portal gets an administrator and two tokens, shown once or taken from the settings."""

import io
import json

import pytest
from django.contrib.auth import get_user_model

from audit import checkpoints
from audit.signer import Signer
from connectors import credentials, scopes, tokens
from connectors.models import Connection, Token
from portal.embedded.errors import ServerError
from portal.env import SettingError
from portal.runner import first_start, up
from portal.runner.log import Log
from tests.factories import draft, raw, record, seal

pytestmark = pytest.mark.django_db
VARIABLES = ("PORTAL_ADMIN_EMAIL", "PORTAL_ADMIN_PASSWORD", *first_start.SETTINGS.values())


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def token_after(lines: list[str], prefix: str) -> str:
    (line,) = [line for line in lines if prefix in line]
    start = line.index(prefix)
    return line[start : start + 57]


def test_it_shows_what_it_made_and_that_works() -> None:
    lines = first_start.prepare()
    password = lines[0].rsplit(" ", 1)[1]
    user = get_user_model().objects.get(username="admin")
    assert user.check_password(password)
    assert user.is_superuser
    for kind, prefix in ((scopes.INGEST, "agp_ing_"), (scopes.API, "agp_api_")):
        secret = token_after(lines, prefix)
        assert tokens.kind_of(secret) == kind
        assert set(Token.objects.get(digest=tokens.digest(secret)).scopes) == set(scopes.SCOPES[kind])
    text = "\n".join(lines)
    snippet = json.loads(text[text.index("{\n") : text.index("\n}") + 2])
    assert snippet["env"]["OTEL_EXPORTER_OTLP_HEADERS"].endswith(token_after(lines, "agp_ing_"))


def test_it_does_so_once() -> None:
    first_start.prepare()
    assert first_start.prepare() == []
    assert (get_user_model().objects.count(), Token.objects.count()) == (1, 2)


def test_it_makes_no_new_token_when_the_first_was_revoked() -> None:
    first_start.prepare()
    for token in Token.objects.all():
        tokens.revoke(token, "leaked", by="somebody")
    assert first_start.prepare() == []


def test_it_takes_an_administrator_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ADMIN_EMAIL", "ada@example.org")
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", "correct horse battery")
    assert first_start.prepare()[0] == "Administrator: ada@example.org"
    user = get_user_model().objects.get()
    assert (user.username, user.email) == ("ada@example.org", "ada@example.org")
    assert user.check_password("correct horse battery")
    user.set_password("changed in the admin")
    user.save()
    first_start.prepare()
    assert get_user_model().objects.get().check_password("changed in the admin")


def test_it_takes_tokens_from_the_settings_and_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {kind: tokens.generate(kind) for kind in first_start.SETTINGS}
    for kind, name in first_start.SETTINGS.items():
        monkeypatch.setenv(name, given[kind])
    lines = first_start.prepare()
    assert len(lines) == 1
    assert not any(secret in line for secret in given.values() for line in lines)
    for kind, secret in given.items():
        assert Token.objects.get(kind=kind).digest == tokens.digest(secret)
    assert first_start.prepare() == []


def test_a_token_that_was_revoked_is_not_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_BOOTSTRAP_API_TOKEN", tokens.generate(scopes.API))
    first_start.prepare()
    token = tokens.revoke(Token.objects.get(kind=scopes.API), "leaked", by="somebody")
    first_start.prepare()
    assert Token.objects.get(kind=scopes.API).revoked_at == token.revoked_at


@pytest.mark.parametrize("given", ["agp_api_short", tokens.generate(scopes.INGEST)], ids=["malformed", "other-kind"])
def test_it_says_which_setting_holds_no_token(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PORTAL_BOOTSTRAP_API_TOKEN", given)
    with pytest.raises(SettingError, match="PORTAL_BOOTSTRAP_API_TOKEN") as caught:
        first_start.prepare()
    assert given not in str(caught.value)


def test_nobody_can_log_in_with_an_empty_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ADMIN_EMAIL", "ada@example.org")
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", "")
    lines = first_start.prepare()
    assert "password (shown only now)" in lines[0]
    assert not get_user_model().objects.get().check_password("")


def test_the_signing_key_is_made_once_and_never_for_a_ledger_that_was_signed(settings, tmp_path):
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "signer"
    up._require_key()
    key = (tmp_path / "signer" / "ledger.key").read_bytes()
    up._require_key()
    assert (tmp_path / "signer" / "ledger.key").read_bytes() == key
    record(draft())
    seal()
    checkpoints.sign(raw(), Signer(tmp_path / "signer"))
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "elsewhere"
    with pytest.raises(ServerError, match="signed before, but its key is not in"):
        up._require_key()
    assert not (tmp_path / "elsewhere").exists()
    settings.AUDIT_SIGNS = False
    up._require_key()


def test_the_key_ring_is_made_once_and_a_lost_one_is_told_and_not_replaced(settings, tmp_path, db):
    settings.CONNECTORS_KEY_FOLDER = tmp_path / "keys"
    told = io.StringIO()
    up._require_key_ring(Log(told))
    made = credentials.ring().ids()
    up._require_key_ring(Log(told))
    assert (len(made), credentials.ring().ids(), told.getvalue()) == (1, made, "")
    connection = Connection(vendor="anthropic_admin", name="Claude")
    credentials.seal(connection, "secret", "sk-ant-admin01-x")
    connection.save(force_insert=True)
    settings.CONNECTORS_KEY_FOLDER = tmp_path / "elsewhere"
    up._require_key_ring(Log(told))
    assert "Bring the folder back" in told.getvalue()
    assert not (tmp_path / "elsewhere").exists()
