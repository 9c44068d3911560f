import datetime as dt
import threading
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from audit.acts import Person
from audit.exceptions import NotRecorded
from audit.models import Event
from connectors import addresses, scopes, tokens
from connectors.models import STATES, ApiToken, IngestToken, Source, Token, in_state
from tests.factories import acts

pytestmark = pytest.mark.django_db


def issue(kind="ingest", name="payments-laptops", **options):
    usual = {"by": "rosa", "scopes": ["logs", "metrics"] if kind == "ingest" else ["events:read"]}
    return tokens.issue(kind, name, **{**usual, **options})


def look_up(secret):
    with connection.cursor() as cursor:
        return tokens.lookup(cursor, [tokens.digest(secret)]).get(tokens.digest(secret))


def refusal(secret, scope="logs", address="192.0.2.1", now=None):
    return tokens.check(look_up(secret), "ingest", scope, address, now or timezone.now())


def test_it_keeps_a_digest_and_eight_characters_of_the_secret():
    token, secret = issue()
    token.refresh_from_db()
    assert bytes(token.digest) == tokens.digest(secret)
    assert (token.prefix, token.last_four) == (secret[:12], secret[-4:])


def test_the_whole_row_does_not_hold_the_secret():
    _, secret = issue()
    with connection.cursor() as cursor:
        cursor.execute("SELECT token::text, source::text FROM connectors_token token, connectors_source source")
        assert not any(secret[8:51] in text for row in cursor.fetchall() for text in row)


def test_an_issued_token_is_found_with_what_it_may_do():
    source = Source.objects.create(name="ci", agent="codex")
    expires_at = timezone.now() + dt.timedelta(days=1)
    _, secret = issue(
        source=source, networks=["10.0.0.0/8", "2001:db8::1"], expires_at=expires_at, records_per_minute=600
    )
    record = look_up(secret)
    assert (record.source_id, record.source_name, record.agent) == (source.pk, "ci", "codex")
    assert record.scopes == {"logs", "metrics"}
    assert [str(each) for each in record.networks] == ["10.0.0.0/8", "2001:db8::1/128"]
    assert (record.expires_at, record.records_per_minute) == (expires_at, 600)


def test_one_query_finds_many(django_assert_num_queries):
    secrets = [issue(name=f"source-{number}")[1] for number in range(20)]
    digests = [tokens.digest(each) for each in secrets]
    with django_assert_num_queries(1), connection.cursor() as cursor:
        found = tokens.lookup(cursor, [*digests, b"unknown"])
    assert set(found) == set(digests)


def test_a_source_without_a_hint_gives_none():
    assert look_up(issue()[1]).agent is None


def test_an_api_token_has_no_source():
    _, secret = issue("api", "siem")
    record = look_up(secret)
    assert (record.kind, record.source_id, record.source_name) == ("api", None, None)
    assert not Source.objects.exists()


def test_tokens_of_one_name_share_a_source():
    first, _ = issue(name="Laptops")
    second, _ = issue(name="laptops")
    assert first.source == second.source
    assert second.source.name == "Laptops"


def test_each_kind_is_listed_by_itself():
    ingest, _ = issue()
    api, _ = issue("api", "siem")
    assert [each.pk for each in IngestToken.objects.all()] == [ingest.pk]
    assert [each.pk for each in ApiToken.objects.all()] == [api.pk]


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"scopes": []}, tokens.TokenError, "at least one scope"),
        ({"scopes": ["events:read"]}, tokens.TokenError, "events:read is not a scope of this kind"),
        ({"kind": "api", "scopes": ["logs"]}, tokens.TokenError, "logs is not a scope of this kind"),
        ({"name": f"laptops {tokens.generate('ingest')}"}, tokens.TokenError, "A token or key stands in the name"),
        ({"networks": ["10.0.0.0/33"]}, addresses.NotANetwork, "a prefix ends at /32"),
        ({"expires_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, tokens.TokenError, "lies in the past"),
    ],
)
def test_it_does_not_issue_what_makes_no_sense(options, error, sentence):
    with pytest.raises(error, match=sentence):
        issue(**options)
    assert not Token.objects.exists()
    assert not Source.objects.exists()


def test_a_revoked_token_is_refused_by_the_very_next_look_up():
    token, secret = issue()
    assert refusal(secret) is None
    tokens.revoke(token, "laptop stolen", by="rosa")
    assert refusal(secret).reason == "revoked"


def test_a_token_in_a_reason_is_kept_nowhere():
    token, secret = issue()
    revoked = tokens.revoke(token, f"Dana pasted {secret} into a chat", by="rosa")
    assert revoked.revoke_reason == "Dana pasted [redacted:agp_ing] into a chat"
    with pytest.raises(tokens.TokenError, match="Say why"):
        tokens.revoke(token, "  ", by="rosa")


def test_the_first_reason_for_a_revocation_stays():
    token, _ = issue()
    tokens.revoke(token, " laptop stolen ", by="rosa")
    again = tokens.revoke(token, "something else", by="mallory")
    assert (again.revoke_reason, again.revoked_by) == ("laptop stolen", "rosa")


@pytest.mark.parametrize("reason", ["", "  "])
def test_it_does_not_revoke_without_a_reason(reason):
    token, _ = issue()
    with pytest.raises(tokens.TokenError, match="Say why"):
        tokens.revoke(token, reason, by="rosa")
    assert token.state == "waiting"


def test_after_a_rotation_both_work_until_the_overlap_is_over():
    old, old_secret = issue(networks=["192.0.2.0/24"], records_per_minute=600)
    new, new_secret = tokens.rotate(old, dt.timedelta(hours=1), by="rosa")
    later = timezone.now() + dt.timedelta(hours=1, seconds=1)
    assert refusal(old_secret) is None
    assert refusal(new_secret) is None
    assert refusal(old_secret, now=later).reason == "replaced"
    assert refusal(new_secret, now=later) is None
    assert (new.name, new.source, new.networks, new.scopes, new.records_per_minute) == (
        (old.name, old.source, old.networks, old.scopes, old.records_per_minute)
    )
    old.refresh_from_db()
    assert (new.rotated_from, old.replaced_by) == (old, new)
    assert (old.state, new.state) == ("rotating", "waiting")


def test_without_an_overlap_the_old_one_stops_at_once():
    old, secret = issue()
    tokens.rotate(old, dt.timedelta(), by="rosa")
    assert refusal(secret).reason == "replaced"


def test_a_rotation_gives_the_new_one_as_long_a_life():
    old, _ = issue(expires_at=timezone.now() + dt.timedelta(days=90))
    Token.objects.filter(pk=old.pk).update(expires_at=timezone.now() + dt.timedelta(days=30))
    new, _ = tokens.rotate(old, by="rosa")
    assert dt.timedelta(days=29) < new.expires_at - timezone.now() < dt.timedelta(days=31)


@pytest.mark.parametrize("overlap", [dt.timedelta(seconds=-1), dt.timedelta(days=7, seconds=1)])
def test_the_overlap_is_bounded(overlap):
    old, _ = issue()
    with pytest.raises(tokens.TokenError, match="at most 7 days"):
        tokens.rotate(old, overlap, by="rosa")
    assert Token.objects.count() == 1


def test_only_a_token_that_works_is_rotated_and_only_once():
    old, _ = issue()
    tokens.rotate(old, by="rosa")
    with pytest.raises(tokens.TokenError, match="rotated already"):
        tokens.rotate(old, by="rosa")
    tokens.revoke(old, "seen in a log", by="rosa")
    with pytest.raises(tokens.TokenError, match="This token is revoked"):
        tokens.rotate(old, by="rosa")
    assert Token.objects.count() == 2


def test_it_adopts_a_secret_once_with_all_scopes():
    secret = tokens.generate("api")
    token = tokens.adopt("api", secret, "siem", by="environment")
    assert set(token.scopes) == set(scopes.API_SCOPES)
    assert tokens.adopt("api", secret, "siem", by="environment") is None
    tokens.revoke(token, "leaked", by="rosa")
    assert tokens.adopt("api", secret, "siem", by="environment") is None
    assert look_up(secret).revoked_at is not None


@pytest.mark.parametrize("secret", ["", "agp_ing_x", pytest.param(tokens.generate("ingest"), id="ingestion")])
def test_it_does_not_adopt_what_is_no_token_of_the_kind(secret):
    with pytest.raises(tokens.TokenError, match="begins with agp_api_") as refused:
        tokens.adopt("api", secret, "siem", by="environment")
    assert not secret or secret not in str(refused.value)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        pytest.param("DELETE FROM connectors_token", "tokens are kept", id="delete"),
        pytest.param("TRUNCATE connectors_token", "tokens are kept", id="truncate"),
        pytest.param("TRUNCATE connectors_source CASCADE", "tokens are kept", id="truncate-the-source"),
        pytest.param("UPDATE connectors_token SET revoked_at = NULL, revoked_by = ''", "is final", id="unrevoke"),
        pytest.param("UPDATE connectors_token SET revoke_reason = 'tidying'", "is final", id="reason"),
        pytest.param("UPDATE connectors_token SET scopes = '{logs,traces}'", "stays what it was", id="scopes"),
        pytest.param("UPDATE connectors_token SET networks = '{}'", "stays what it was", id="networks"),
        pytest.param("UPDATE connectors_token SET digest = sha256('x')", "stays what it was", id="digest"),
        pytest.param("UPDATE connectors_token SET id = 9", "stays what it was", id="id"),
    ],
)
def test_the_database_refuses_even_its_superuser(database_superuser, statement, sentence):
    token, _ = issue(networks=["10.0.0.0/8"])
    tokens.revoke(token, "laptop stolen", by="rosa")
    with pytest.raises(psycopg.errors.RestrictViolation, match=sentence):
        database_superuser.execute(statement)
    token.refresh_from_db()
    assert (token.state, token.revoke_reason) == ("revoked", "laptop stolen")


def test_a_form_issues_once():
    key = uuid4()
    token, _ = issue(form_key=key)
    with pytest.raises(tokens.AlreadyIssued) as refused:
        issue(form_key=key)
    assert refused.value.token == token
    assert Token.objects.count() == 1


def test_a_form_rotates_once():
    key = uuid4()
    old, _ = issue()
    new, _ = tokens.rotate(old, by="rosa", form_key=key)
    with pytest.raises(tokens.AlreadyIssued) as refused:
        tokens.rotate(old, by="rosa", form_key=key)
    assert refused.value.token == new
    assert Token.objects.count() == 2


@pytest.mark.parametrize("kind", ["ingest", "api"])
@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "waiting"),
        ({"expires_at": 13}, "waiting"),
        ({"used": 0}, "active"),
        ({"used": 0, "expires_at": 20}, "active"),
        ({"used": 0, "expires_at": 13}, "expiring"),
        ({"used": 0, "expires_at": -1}, "expired"),
        ({"valid_until": 1}, "rotating"),
        ({"valid_until": 1, "expires_at": 2}, "rotating"),
        ({"valid_until": -1}, "replaced"),
        ({"valid_until": 1, "expires_at": -1}, "expired"),
        ({"valid_until": -1, "revoked_at": -1}, "revoked"),
        ({"expires_at": -1, "revoked_at": -1}, "revoked"),
    ],
)
def test_a_token_says_its_state_and_is_found_by_it(kind, changes, state):
    now = timezone.now()
    token, _ = issue(kind)
    used = "first_event_at" if kind == "ingest" else "last_used_at"
    values = {name.replace("used", used): now + dt.timedelta(days=days) for name, days in changes.items()}
    Token.objects.filter(pk=token.pk).update(**values)
    token.refresh_from_db()
    assert token.state == state
    assert token.works == (state not in {"revoked", "expired", "replaced"})
    assert [each for each in STATES if Token.objects.filter(in_state(each, now)).exists()] == [state]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["issue", "rotate", "adopt"])
def test_two_at_once_make_one_token(act):
    key, secret = uuid4(), tokens.generate("ingest")
    old, _ = issue(name="old")
    steps = {
        "issue": lambda: issue(form_key=key),
        "rotate": lambda: tokens.rotate(old, by="rosa"),
        "adopt": lambda: tokens.adopt("ingest", secret, "adopted", by="environment"),
    }
    barrier, made = threading.Barrier(4), []

    def run():
        barrier.wait()
        try:
            made.append(steps[act]())
        except tokens.TokenError as error:
            made.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert sum(1 for each in made if each and not isinstance(each, Exception)) == 1
    assert Token.objects.count() == 2


def test_each_step_of_a_tokens_life_is_an_act_of_the_portal():
    rosa = Person("rosa", "rosa@acme.example")
    token, secret = issue(by=rosa)
    new, new_secret = tokens.rotate(token, by=rosa)
    tokens.revoke(token, f"Dana pasted {secret}", by=rosa)
    tokens.revoke(token, "again", by=rosa)
    adopted = tokens.adopt("api", tokens.generate("api"), "siem", by="environment")
    told = [(act["name"], act["by"], act["token.id"], act["token.kind"], act["token.name"]) for act in acts()]
    assert told == [
        ("token.issued", "rosa", token.pk, "ingest", "payments-laptops"),
        ("token.rotated", "rosa", new.pk, "ingest", "payments-laptops"),
        ("token.revoked", "rosa", token.pk, "ingest", "payments-laptops"),
        ("token.issued", "environment", adopted.pk, "api", "siem"),
    ]
    assert (acts()[0]["token.scopes"], acts()[0]["source.id"]) == ("logs metrics", token.source_id)
    assert acts("token.rotated")[0]["token.replaces"] == token.pk
    assert acts("token.revoked")[0]["reason"] == "Dana pasted [redacted:agp_ing]"
    assert not any(each[8:] in str(acts()) for each in (secret, new_secret))


def test_what_cannot_be_recorded_is_not_done(unrecordable):
    token, secret = issue()
    with unrecordable():
        for step in (issue, lambda: tokens.rotate(token, by="rosa"), lambda: tokens.revoke(token, "lost", by="rosa")):
            with pytest.raises(NotRecorded):
                step()
    assert list(Token.objects.values_list("pk", "revoked_at", "valid_until")) == [(token.pk, None, None)]
    assert refusal(secret) is None


def test_an_act_names_people_only_where_it_can_be_erased():
    token, _ = issue(name="Dana's laptop", by="dana")
    tokens.revoke(token, "Dana left", by="dana")
    for event in Event.objects.all():
        assert b"ana" not in bytes(event.facts) + bytes(event.header)
