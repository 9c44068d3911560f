import datetime as dt
import threading

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from connectors import tokens
from connectors.models import RevocationReceipt, Token

pytestmark = pytest.mark.django_db


@pytest.fixture
def token():
    issued, _ = tokens.issue("ingest", "laptops", by="rosa", scopes=["logs"])
    return issued


def touch(*uses):
    tokens.touch(connection.connection, uses)


def aged(token, seconds):
    Token.objects.filter(pk=token.pk).update(last_used_at=timezone.now() - dt.timedelta(seconds=seconds))


def test_the_first_use_is_noted(token):
    touch(tokens.Use(token.pk, "192.0.2.1"))
    token.refresh_from_db()
    assert token.last_used_address == "192.0.2.1"
    assert token.last_used_at is not None
    assert token.first_event_at is None


def test_within_a_minute_nothing_is_written(token):
    touch(tokens.Use(token.pk, "192.0.2.1"))
    token.refresh_from_db()
    noted = token.last_used_at
    touch(tokens.Use(token.pk, "192.0.2.2"))
    token.refresh_from_db()
    assert (token.last_used_at, token.last_used_address) == (noted, "192.0.2.1")


def test_after_a_minute_the_use_is_noted_again(token):
    aged(token, 61)
    touch(tokens.Use(token.pk, "192.0.2.2"))
    token.refresh_from_db()
    assert token.last_used_address == "192.0.2.2"
    assert timezone.now() - token.last_used_at < dt.timedelta(seconds=30)


def test_the_first_event_does_not_wait_for_the_minute(token):
    touch(tokens.Use(token.pk, "192.0.2.1"))
    touch(tokens.Use(token.pk, "192.0.2.1", recorded=True))
    token.refresh_from_db()
    assert token.first_event_at is not None


def test_the_first_event_stays_the_first(token):
    first = timezone.now() - dt.timedelta(days=1)
    Token.objects.filter(pk=token.pk).update(first_event_at=first)
    aged(token, 61)
    touch(tokens.Use(token.pk, "192.0.2.1", recorded=True))
    token.refresh_from_db()
    assert token.first_event_at == first
    assert token.last_used_address == "192.0.2.1"


def test_several_uses_of_one_token_are_one_note(token, django_assert_num_queries):
    other, _ = tokens.issue("ingest", "ci", by="rosa", scopes=["logs"])
    with django_assert_num_queries(0):
        touch()
    touch(tokens.Use(token.pk, "a", recorded=True), tokens.Use(other.pk, "b"), tokens.Use(token.pk, "c"))
    token.refresh_from_db()
    other.refresh_from_db()
    assert token.first_event_at is not None
    assert (other.last_used_address, other.first_event_at) == ("b", None)


def test_refusals_are_added_up_by_reason(token):
    tokens.note_refusals(connection.connection, {(token.pk, "revoked"): tokens.Refused(3, "192.0.2.1")})
    tokens.note_refusals(
        connection.connection,
        {(token.pk, "revoked"): tokens.Refused(2, "192.0.2.1"), (token.pk, "wrong_scope"): tokens.Refused(1, "::1")},
    )
    token.refresh_from_db()
    assert token.refusals == {"revoked": 5, "wrong_scope": 1}
    assert token.last_refused_at is not None


def test_refusals_are_still_counted_after_a_revocation(token):
    tokens.revoke(token, "leaked", by="rosa")
    tokens.note_refusals(connection.connection, {(token.pk, "revoked"): tokens.Refused(7, "192.0.2.1")})
    token.refresh_from_db()
    assert token.refusals == {"revoked": 7}


@pytest.mark.django_db(transaction=True)
def test_a_note_waits_for_nobody(token, caplog):
    with own_connection() as busy, own_connection() as touching:
        busy.execute("SELECT 1 FROM connectors_token WHERE id = %s FOR UPDATE", [token.pk])
        touching.execute("SET lock_timeout = '1s'")
        touching.commit()
        tokens.touch(touching, [tokens.Use(token.pk, "192.0.2.1")])
        busy.rollback()
        token.refresh_from_db()
        assert token.last_used_at is None
        assert "not noted" not in caplog.text  # as it would be after waiting for the lock in vain
        tokens.touch(touching, [tokens.Use(token.pk, "192.0.2.1")])
        touching.commit()
    token.refresh_from_db()
    assert token.last_used_address == "192.0.2.1"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_write_once(token):
    barrier = threading.Barrier(8)
    addresses = [f"192.0.2.{number}" for number in range(8)]

    def use(address):
        with own_connection(autocommit=True) as mine:
            barrier.wait()
            tokens.touch(mine, [tokens.Use(token.pk, address)])

    threads = [threading.Thread(target=use, args=[address]) for address in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    token.refresh_from_db()
    assert token.last_used_address in addresses


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("note", ["touch", "refusals"])
def test_a_note_that_cannot_be_made_is_only_logged(token, caplog, note):
    with own_connection() as gone:
        gone.close()
        if note == "touch":
            tokens.touch(gone, [tokens.Use(token.pk, "192.0.2.1")])
        else:
            tokens.note_refusals(gone, {(token.pk, "revoked"): tokens.Refused(1, "192.0.2.1")})
    assert "not noted" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_failed_note_leaves_the_request_its_transaction(token):
    with own_connection() as mine:
        mine.execute("UPDATE connectors_token SET last_used_address = 'kept' WHERE id = %s", [token.pk])
        tokens.note_refusals(mine, {(token.pk, None): tokens.Refused(1, "192.0.2.1")})
        mine.commit()
    token.refresh_from_db()
    assert (token.last_used_address, token.refusals) == ("kept", {})


def own_connection(**options) -> psycopg.Connection:
    return psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}, **options)


def test_a_receipt_keeps_the_first_refusal_and_the_last_acceptance(token):
    tokens.revoke(token, "laptop stolen", by="rosa")
    other, _ = tokens.issue("ingest", "ci", by="rosa", scopes=["logs"])
    receipt = RevocationReceipt.objects.get(token=token)
    minute, second = dt.timedelta(minutes=1), dt.timedelta(seconds=1)
    for address, ago in (("192.0.2.1", second), ("192.0.2.2", minute), ("192.0.2.3", 2 * second)):
        refused = tokens.Refused(1, "198.51.100.1", address, ago)
        tokens.note_refusals(connection.connection, {(token.pk, "revoked"): refused, (other.pk, "budget"): refused})
    tokens.note_accepted(connection.connection, [])
    for address, ago in (("192.0.2.1", 2 * minute), ("192.0.2.2", minute), ("192.0.2.3", 3 * minute)):
        uses = [tokens.Use(token.pk, address, ago=ago), tokens.Use(other.pk, address)]
        tokens.note_accepted(connection.connection, uses)
    receipt.refresh_from_db()
    assert (receipt.first_refused_address, receipt.last_accepted_address) == ("192.0.2.2", "192.0.2.2")
    assert receipt.first_refused_at - receipt.last_accepted_at == dt.timedelta()
    RevocationReceipt.objects.update(settled_at=receipt.last_accepted_at + second)
    tokens.note_accepted(connection.connection, [tokens.Use(token.pk, "192.0.2.4")])
    receipt.refresh_from_db()
    assert (receipt.last_accepted_at, receipt.last_accepted_address) == (receipt.settled_at, "192.0.2.4")
