"""The whole life of a token, with a real receiver, a real web server and a real client."""

import re

import psycopg
import pytest
import requests
from django.contrib.auth.models import Group, User
from psycopg import sql

from connectors import tokens
from connectors.models import IngestToken, Source
from tests.ingest.receiving.bodies import logs
from tests.processes import receiver, until

PASSWORD = "three long words together"
TOKEN = re.compile(r"agp_(?:ing|api)_[0-9A-Za-z]{49}")


class Browser:
    """A person at the admin: follows redirects, keeps cookies, sends the CSRF token of the page before."""

    def __init__(self, url):
        self.url, self.session = url, requests.Session()

    def get(self, path):
        return self.session.get(self.url + path, timeout=30)

    def send(self, path, **fields):
        page = self.get(path).text
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))
        return self.session.post(
            self.url + path, {**hidden, **fields}, headers={"Referer": self.url + path}, timeout=30
        )


@pytest.fixture
def administrator(transactional_db, live_server):
    role, _ = Group.objects.get_or_create(name="Connector administrator")
    User.objects.create_user("rosa", "", PASSWORD, is_staff=True).groups.add(role)
    browser = Browser(live_server.url)
    browser.send("/admin/login/", username="rosa", password=PASSWORD, next="/admin/")
    return browser


@pytest.fixture
def running_receiver(transactional_db, tmp_path):
    with receiver(tmp_path) as running:
        yield running


def columns_with(superuser: psycopg.Connection, texts):
    """Every row of every table that holds one of the texts, as text or as bytes."""
    tables = superuser.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    wanted = [form for text in texts for form in (text, text.encode().hex())]
    for (table,) in tables:
        query = sql.SQL("SELECT row::text FROM {} row").format(sql.Identifier(table))
        for (row,) in superuser.execute(query).fetchall():
            if any(form in row for form in wanted):
                yield table, row


def test_from_issuing_to_revoking(administrator, running_receiver, database_superuser, caplog):
    issued = administrator.send(
        "/admin/connectors/ingesttoken/add/", name="laptops", scopes=["logs", "metrics"], life="90"
    )
    (secret,) = set(TOKEN.findall(issued.text))
    token = IngestToken.objects.get()
    page = f"/admin/connectors/ingesttoken/{token.pk}/"
    assert administrator.get(f"{page}state/").json()["waiting"] is True

    assert running_receiver.post(logs(), secret).status == 200
    state = until(lambda: (found := administrator.get(f"{page}state/").json())["waiting"] is False and found)
    assert (state["headline"], state["state"]) == ("First event received.", "Active")

    rotated = administrator.send(f"{page}rotate/", overlap="3600")
    (successor,) = set(TOKEN.findall(rotated.text))
    assert [running_receiver.post(logs(), each).status for each in (secret, successor)] == [200, 200]

    revoked = administrator.send(f"{page}revoke/", reason="laptop stolen", confirm=token.last_four)
    assert "is revoked" in revoked.text
    assert [running_receiver.post(logs(), each).status for each in (secret, successor)] == [401, 200]
    token = until(lambda: IngestToken.objects.filter(pk=token.pk, refusals__revoked=1).first())
    assert token.last_refused_address == "127.0.0.1"

    bodies = [each[8:51] for each in (secret, successor)]
    assert not list(columns_with(database_superuser, bodies))
    assert not any(body in caplog.text or body in running_receiver.log.read_text() for body in bodies)


def test_the_search_for_secrets_finds_one(transactional_db, database_superuser):
    token, secret = tokens.issue("ingest", "laptops", by="rosa", scopes=["logs"])
    Source.objects.filter(pk=token.source_id).update(team=f"pasted {secret}")
    assert [table for table, _ in columns_with(database_superuser, [secret[8:51]])] == ["connectors_source"]
