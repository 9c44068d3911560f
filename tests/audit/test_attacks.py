"""Every attack is refused or seen on an honest installation, and one that is not is told (I13, I08, I09, I10)."""

import io

import pytest
from django.core.management import call_command
from django.db import connections

from audit import checkpoints, protection, verification
from audit.attacks import histories, refusals
from audit.management.commands import attack_evidence
from tests.factories import draft, evidence, raw

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


def attacked() -> tuple[int, str]:
    told = io.StringIO()
    try:
        call_command("attack_evidence", stdout=told)
    except SystemExit as ended:
        return int(ended.code), told.getvalue()
    return 0, told.getvalue()


def everything(superuser) -> list:
    """What could tell that somebody was here: rows, definitions, rights, and where sequences stand."""
    tables = superuser.execute(
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
    ).fetchall()
    rows = "SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {} t"
    catalogues = (
        "pg_trigger ORDER BY oid",
        "pg_rewrite ORDER BY oid",
        "pg_constraint ORDER BY oid",
        "pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY oid",
        "pg_sequences WHERE schemaname = 'public' ORDER BY sequencename",
    )
    return [
        [(name, superuser.execute(rows.format(name)).fetchone()) for (name,) in tables],
        [superuser.execute(f"SELECT * FROM {catalogue}").fetchall() for catalogue in catalogues],
        superuser.execute("SELECT oid, relacl::text FROM pg_class WHERE relkind IN ('r', 'p') ORDER BY 1").fetchall(),
    ]


@pytest.fixture
def ledger(signer):
    evidence(*(draft(content=[("@prompt", "string", f"text {n}")]) for n in range(300)))
    checkpoints.sign(raw(), signer)


def test_everything_is_refused_or_seen_and_no_trace_is_left(ledger, database_superuser):
    before = everything(database_superuser)
    code, told = attacked()
    assert code == 0, told
    lines = told.splitlines()
    assert lines[-1] == "Every attack was refused or seen."
    assert all(line.startswith("ok ") for line in lines[:-1])
    for attack in (
        *refusals.CHANGES,
        *refusals.DEFINITIONS,
        *refusals.ONCE,
        *(each.attack for each in histories.histories()),
    ):
        assert any(line[7:].startswith(attack) for line in lines), attack
    for name in ("signer", "witness", "verify_ledger"):
        assert name in told
    assert everything(database_superuser) == before
    assert list(protection.faults(raw())) == []


def test_an_installation_without_a_single_event_refuses_as_well(database_superuser):
    before = everything(database_superuser)
    code, told = attacked()
    assert (code, everything(database_superuser)) == (0, before), told


TAKEN_AWAY = {
    "a trigger of rows": (
        "ALTER TABLE audit_seal DISABLE TRIGGER append_only",
        "ALTER TABLE audit_seal ENABLE TRIGGER append_only",
        ("UPDATE", "DELETE", "upsert"),
        "audit_seal: done",
    ),
    "a trigger of an empty table": (
        "ALTER TABLE audit_cosignature DISABLE TRIGGER append_only",
        "ALTER TABLE audit_cosignature ENABLE TRIGGER append_only",
        ("UPDATE", "DELETE", "upsert"),
        "audit_cosignature: done",
    ),
    "a trigger of TRUNCATE": (
        "ALTER TABLE audit_tile DISABLE TRIGGER no_truncate",
        "ALTER TABLE audit_tile ENABLE TRIGGER no_truncate",
        ("TRUNCATE",),
        "audit_tile: done",
    ),
    "all triggers of a table": (
        "ALTER TABLE audit_subject DISABLE TRIGGER USER",
        "ALTER TABLE audit_subject ENABLE TRIGGER USER",
        ("UPDATE", "DELETE", "TRUNCATE", "upsert"),
        "audit_subject: done",
    ),
}


@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_a_protection_that_is_gone_is_missed_and_named(ledger, database_superuser, name):
    take, give_back, attacks, told = TAKEN_AWAY[name]
    database_superuser.execute(take)
    try:
        with attack_evidence._connected("owner") as connection:
            found = list(refusals.attempts(connection, "owner", owns=True))
        seen = list(protection.faults(raw()))
    finally:
        database_superuser.execute(give_back)
    missed = [each for each in found if each.missed]
    assert {each.attack for each in missed} == set(attacks)
    assert all(told in each.observed for each in missed)
    assert {fault.place for fault in seen} == {told.partition(":")[0]}


def test_a_right_too_many_does_not_help_against_triggers_but_is_seen(ledger, database_superuser):
    login = connections["default"].settings_dict["USER"]
    database_superuser.execute(f"GRANT DELETE ON audit_content TO {login}")
    try:
        with attack_evidence._connected("default") as connection:
            assert not any(each.missed for each in refusals.attempts(connection, "app", owns=False))
        (fault,) = protection.faults(raw())
    finally:
        database_superuser.execute(f"REVOKE DELETE ON audit_content FROM {login}")
    assert str(fault) == "audit_content: the application has the right to DELETE"


def test_the_command_fails_when_anything_is_missed(ledger, monkeypatch):
    monkeypatch.setattr(verification, "verify", lambda *_: iter(()))
    code, told = attacked()
    assert code == 1
    missed = [line for line in told.splitlines() if line.startswith("MISSED")]
    by_verifying = [each for each in histories.histories() if each.seen_by == histories.VERIFY]
    assert len(missed) == len(by_verifying)
    assert all("done, and not seen" in line for line in missed)
    assert f"{len(missed)} attacks were missed." in told


def test_a_statement_that_could_not_be_tried_counts_as_missed(ledger, database_superuser, monkeypatch):
    monkeypatch.setattr(refusals, "LOCK_TIMEOUT", "1ms")
    with database_superuser.transaction():
        database_superuser.execute("LOCK TABLE audit_tile IN ACCESS EXCLUSIVE MODE")
        with attack_evidence._connected("owner") as connection:
            found = list(refusals.attempts(connection, "owner", owns=True))
    missed = [each for each in found if each.missed]
    assert any("audit_tile: not tried: canceling statement due to lock timeout" in each.observed for each in missed)
