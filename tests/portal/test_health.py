"""What a load balancer and a person on call are told."""

import datetime as dt
import logging

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from audit.models import Heartbeat
from ingest.models import Answered
from portal import health, metrics, trust


def beat(name: str, ago: float = 0) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now() - dt.timedelta(seconds=ago)})


@pytest.fixture
def alive(db: None) -> None:
    for name in ("sealer", "projector", "receiver:127.0.0.1:4318"):
        beat(name)


@pytest.fixture
def away(django_db_setup: None, django_db_blocker: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is, as it were, unplugged."""
    with django_db_blocker.unblock():
        connections["default"].close()
        monkeypatch.setitem(connections["default"].settings_dict, "HOST", "/nonexistent")
        yield
        connections["default"].close()


def test_it_is_ready_when_everything_gives_signs_of_life(alive: None, client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("name", ["sealer", "projector", "receiver:127.0.0.1:4318"])
def test_it_names_the_process_that_has_fallen_silent(alive: None, client: Client, name: str) -> None:
    beat(name, ago=health.ALIVE_WITHIN.total_seconds() + 1)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    (reason,) = answer.json()["reasons"]
    assert reason.startswith(f"{name.partition(':')[0]}: no sign of life since 20")


def test_one_of_several_receivers_is_enough(alive: None, client: Client) -> None:
    beat("receiver:127.0.0.1:4318", ago=3600)
    beat("receiver:127.0.0.1:4319")
    assert client.get("/readyz").status_code == 200


def test_it_says_why_sealing_has_halted(alive: None, client: Client) -> None:
    Heartbeat.objects.filter(name="sealer").update(detail={"halted": "The ledger holds 5 events, but 9 were signed."})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["sealer: The ledger holds 5 events, but 9 were signed."]
    found = trust.trust()
    assert (found.state, found.verdict) == ("bad", "Sealing halted")
    assert "9 were signed" in found.reason


def test_it_names_what_has_never_run(db: None, client: Client) -> None:
    Heartbeat.objects.all().delete()
    assert client.get("/readyz").json()["reasons"] == [
        "sealer: it has never run.",
        "projector: it has never run.",
        "receiver: it has never run.",
    ]


def test_it_is_not_ready_before_its_migrations(alive: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    known = health._migrations_known()
    monkeypatch.setattr(health, "_migrations_known", lambda: known | {"audit.9999_to_come"})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["migrations: 1 not applied, the first is audit.9999_to_come."]


def test_a_lost_database_is_a_reason_and_no_secret(
    away: None, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    password = str(connection.settings_dict["PASSWORD"])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["database: no connection, or it refuses to answer."]
    assert password
    assert password not in "".join(logging.Formatter().format(record) for record in caplog.records)


def test_it_lives_without_its_database(away: None, client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_only_reading_is_allowed(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.post(path).status_code == 405


def test_metrics_are_read_from_the_database(alive: None, client: Client) -> None:
    beat("sealer", ago=100)
    text = client.get("/metrics").content.decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines["portal_database_up"] == "1.0"
    assert 99 <= float(lines['portal_process_last_seen_seconds{process="sealer"}']) < 160
    assert lines["portal_events_sealed_total"] == "0.0"
    assert lines["portal_unsealed_age_seconds"] == "0.0"
    assert float(lines["portal_database_bytes"]) > 0
    assert 'portal_rows_estimated{table="audit_event"}' in lines


def test_the_age_of_what_waits_is_read_from_its_ids(alive: None, client: Client) -> None:
    ago = timezone.now() - dt.timedelta(seconds=300)
    first_id = int(ago.timestamp() * 1000).to_bytes(6, "big") + bytes(10)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO audit_unsealed (event_ids, leaf_hashes) VALUES (%s, %s)", [first_id, bytes(32)])
        cursor.execute("INSERT INTO audit_unfolded (event_ids) VALUES (%s)", [first_id])
    values = {
        family.name: sample.value
        for family in metrics.families()
        for sample in family.samples
        if "_age_" in family.name
    }
    assert values == {
        "portal_unsealed_age_seconds": pytest.approx(300, abs=60),
        "portal_unfolded_age_seconds": pytest.approx(300, abs=60),
    }


def test_it_counts_what_the_receiver_answered(db: None, client: Client) -> None:
    now = timezone.now()
    for hours, outcome, records in ((0, "stored", 40), (1, "stored", 2), (0, "401 unknown", 0)):
        Answered.objects.create(
            hour=now - dt.timedelta(hours=hours), outcome=outcome, requests=3, records=records, duplicates=1,
            bytes=100, last_at=now, last_address="192.0.2.1",
        )  # fmt: skip
    lines = client.get("/metrics").content.decode().splitlines()
    assert {
        'portal_ingest_requests_total{outcome="stored"} 6.0',
        'portal_ingest_requests_total{outcome="401 unknown"} 3.0',
        'portal_ingest_records_total{fate="new"} 42.0',
        'portal_ingest_records_total{fate="duplicate"} 3.0',
        'portal_ingest_records_total{fate="rejected"} 0.0',
        "portal_ingest_bytes_total 300.0",
        "portal_quarantined 0.0",
    } <= set(lines)


def test_without_a_database_one_metric_is_left(away: None, client: Client) -> None:
    lines = [line for line in client.get("/metrics").content.decode().splitlines() if not line.startswith("#")]
    assert lines == ["portal_database_up 0.0"]
