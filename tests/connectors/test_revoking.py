"""Revocation with its preview and receipt, and the path of a leaked token, through real requests."""

import datetime as dt
import re
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.models import Content, Event
from connectors import tokens
from connectors.models import RevocationReceipt, Token
from connectors.tasks import settle_receipts
from connectors.tokens import leaks, receipts
from tests.connectors.clients import sent
from tests.connectors.people import person, reviewer
from tests.factories import of_agents

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"agp_(?:ing|api)_[0-9A-Za-z]{49}")


@pytest.fixture
def administrator(client):
    client.force_login(person("Connector administrator"))
    return client


def url(page, token=None, model="ingesttoken"):
    return reverse(f"admin:connectors_{model}_{page}", args=[token.pk] if token else [])


def issue(kind="ingest", name="payments-laptops"):
    return tokens.issue(kind, name, by="rosa", scopes=["logs"] if kind == "ingest" else ["tokens:read"])


def act(name):
    return Event.objects.get(event_name=name)


def content_of(event):
    return bytes(Content.objects.get(event=event.pk).bytes).decode()


# ── The preview and the confirmation ────────────────────────────────────────────────────────────────


def test_the_preview_says_who_will_stop(administrator):
    token, _ = issue()
    sent(token)
    sent(token, host="lee-mbp")
    page = administrator.get(url("revoke", token)).content.decode()
    assert re.search(r"Installations active, 24 h</dt><dd class=\"value\"><a [^>]*>2</a>", page)
    assert "dana-mbp" in page
    assert "their sessions will show gaps" in page


def test_the_preview_of_an_api_token_says_what_its_readers_lose(administrator):
    token, _ = issue("api", "siem")
    page = administrator.get(url("revoke", token, "apitoken")).content.decode()
    assert "miss nothing" in page
    assert "What stops" not in page


@pytest.mark.parametrize("typed", ["last_four", "prefix"])
def test_it_is_confirmed_by_what_the_token_looks_like(administrator, typed):
    token, _ = issue()
    answer = administrator.post(url("revoke", token), {"reason": "stolen", "confirm": f" {getattr(token, typed)} "})
    assert answer["Location"] == url("receipt", token)


@pytest.mark.parametrize("typed", ["", "0000", "agp_ing_"])
def test_another_confirmation_revokes_nothing(administrator, typed):
    token, _ = issue()
    assert administrator.post(url("revoke", token), {"reason": "stolen", "confirm": typed}).status_code == 200
    assert Token.objects.get().works
    assert not RevocationReceipt.objects.exists()


# ── The receipt ─────────────────────────────────────────────────────────────────────────────────────


def test_the_receipt_tells_last_and_first(administrator):
    token, _ = issue()
    event = sent(token)
    tokens.revoke(token, "laptop <b>stolen</b>", by="rosa")
    page = administrator.get(url("receipt", token)).content.decode()
    assert "Settled." in page
    assert "192.0.2.7" in page  # of the last event
    assert "laptop &lt;b&gt;stolen&lt;/b&gt;" in page
    assert "nobody has tried it since" in page
    receipt = RevocationReceipt.objects.get()
    assert receipt.last_accepted_at == of_agents().get(pk=event.id).received_at
    refused = tokens.Refused(3, "198.51.100.9", "198.51.100.8")
    tokens.note_refusals(connection.connection, {(token.pk, "revoked"): refused})
    page = administrator.get(url("receipt", token)).content.decode()
    assert "198.51.100.8" in page
    assert "3 requests" in page


def test_a_receipt_that_settles_says_so_and_is_completed_by_the_task(administrator, monkeypatch):
    token, _ = issue()
    tokens.revoke(token, "stolen", by="rosa")
    real = receipts._look
    monkeypatch.setattr(receipts, "_look", lambda receipt: (timezone.now(), False))
    assert "Settling." in administrator.get(url("receipt", token)).content.decode()
    assert administrator.get(url("receipt_state", token)).json()["waiting"] is True
    monkeypatch.setattr(receipts, "_look", real)
    settle_receipts()
    assert RevocationReceipt.objects.get().settled_at is not None
    assert administrator.get(url("receipt_state", token)).json()["headline"] == "Settled."


def test_a_token_that_still_works_has_no_receipt(administrator):
    token, _ = issue()
    assert administrator.get(url("receipt", token)).status_code == 404
    assert administrator.get(url("receipt_state", token)).status_code == 404


def test_revoking_again_keeps_the_first_receipt():
    token, _ = issue()
    tokens.revoke(token, "stolen", by="rosa")
    before = RevocationReceipt.objects.get().revoked_at
    tokens.revoke(token, "again", by="rosa")
    assert RevocationReceipt.objects.get().revoked_at == before


# ── Leaked ──────────────────────────────────────────────────────────────────────────────────────────


def leaking(**changes):
    return {"secret": "", "number": "", "where": "", **changes}


@pytest.mark.parametrize("around", ["{}", "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer {}\n", "'{}',"])
def test_a_leaked_token_is_found_by_its_secret_and_revoked(administrator, around, caplog):
    token, secret = issue()
    issue(name="another")
    answer = administrator.post(
        url("leaked"), leaking(secret=around.format(secret), where="a public gist"), follow=True
    )
    assert answer.redirect_chain == [(url("leak", token), 302)]
    token.refresh_from_db()
    assert (token.state, token.revoke_reason) == ("revoked", "leaked: a public gist")
    assert Token.objects.filter(revoked_at=None).count() == 1
    assert RevocationReceipt.objects.get().settled_at is not None
    assert "a public gist" in content_of(act("token.leaked"))
    page = answer.content.decode()
    assert secret not in page + caplog.text
    for name in ("token.leaked", "token.revoked"):
        assert secret[8:51] not in content_of(act(name)) + bytes(act(name).facts).decode()


def test_a_leaked_token_is_found_by_its_number(administrator):
    token, _ = issue()
    assert f'value="{token.pk}"' in administrator.get(url("leaked"), {"token": token.pk}).content.decode()
    administrator.post(url("leaked"), leaking(number=token.pk))
    token.refresh_from_db()
    assert token.revoke_reason == "leaked"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "one of the two"),
        ({"secret": "agp_ing_" + "A" * 43 + "0Zadj0", "number": "1"}, "one of the two"),
        ({"secret": "hunter2"}, "There is no token of this portal in it"),
        ({"secret": "agp_ing_" + "A" * 49}, "a character is wrong or missing"),
        ({"secret": "agp_ing_" + "A" * 43 + "0Zadj0"}, "was never one of this portal"),
        ({"number": "999"}, "There is no token of this number"),
        ({"number": "1", "where": "it was agp_ing_" + "A" * 49}, "Leave the token itself out of it"),
    ],
)
def test_what_is_no_token_is_said_and_never_written_back(administrator, changes, sentence):
    issue()
    page = administrator.post(url("leaked"), leaking(**changes)).content.decode()
    assert sentence in page
    if changes.get("secret"):
        assert changes["secret"] not in page
    assert not Token.objects.exclude(revoked_at=None).exists()


def test_a_successor_takes_its_place_at_once(administrator):
    token, secret = issue()
    answer = administrator.post(url("leaked"), leaking(secret=secret, successor="on"))
    (new_secret,) = set(SECRET.findall(answer.content.decode()))
    new = Token.objects.get(digest=tokens.digest(new_secret))
    assert (new.rotated_from_id, new.state) == (token.pk, "waiting")
    assert "no-store" in answer["Cache-Control"]
    assert url("leak", token) in answer.content.decode()
    token.refresh_from_db()
    assert token.state == "revoked"


def test_a_leaked_token_of_the_other_kind_is_taken_too(client):
    client.force_login(person(is_superuser=True))
    token, secret = issue("api", "siem")
    answer = client.post(url("leaked"), leaking(secret=secret))
    assert answer["Location"] == url("leak", token, "apitoken")
    assert "It was never used." in client.get(answer["Location"]).content.decode()
    token.refresh_from_db()
    assert token.state == "revoked"


def test_a_token_that_was_revoked_is_reported_all_the_same(administrator):
    token, secret = issue()
    tokens.revoke(token, "lost", by="rosa")
    administrator.post(url("leaked"), leaking(secret=secret, successor="on"))
    token.refresh_from_db()
    assert token.revoke_reason == "lost"
    assert act("token.leaked")
    assert Token.objects.count() == 1


def test_all_uses_since_a_day_are_shown_to_those_who_may_see_them(client, administrator):
    token, _ = issue()
    sent(token, session_id="s-7")
    other, _ = issue(name="another")
    sent(other, host="other-mbp", session_id="s-8")
    page = administrator.get(url("leak", token)).content.decode()
    assert "192.0.2.7" in page
    assert "dana-mbp" in page
    assert "other-mbp" not in page
    assert "Your role does not include seeing evidence" in page
    tomorrow = (timezone.now() + dt.timedelta(days=1)).date().isoformat()
    assert (
        "No event came with it since then"
        in administrator.get(url("leak", token), {"since": tomorrow}).content.decode()
    )
    both = reviewer()
    both.groups.add(Group.objects.get(name="Connector administrator"))
    client.force_login(both)
    (session,) = leaks.uses(token, token.created_at - dt.timedelta(days=1)).sessions
    assert isinstance(session.id, UUID)
    page = client.get(url("leak", token), {"since": "not a day"}).content.decode()
    assert reverse("admin:audit_session_change", args=[session.id]) in page


@pytest.mark.parametrize("page", ["leaked", "leak", "receipt"])
def test_others_reach_none_of_it(client, page):
    token, secret = issue()
    tokens.revoke(issue(name="x")[0], "x", by="rosa")
    client.force_login(reviewer())
    assert client.get(url(page, None if page == "leaked" else token)).status_code == 403
    assert client.post(url("leaked"), leaking(secret=secret)).status_code == 403
    token.refresh_from_db()
    assert token.works
