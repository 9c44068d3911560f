"""verify_ledger against somebody who can do everything in the database but does not hold the key."""

import io
import re
import time

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.utils import timezone

from audit import checkpoints, ledger, verification
from audit.proofs import notes
from audit.proofs.notes import VerifierKey
from audit.signer import Signer
from tests.factories import draft, raw, receipt, record, seal

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = 300


@pytest.fixture
def key(signer) -> VerifierKey:
    """A ledger of some events under two checkpoints, and what verifies them."""
    decision = {"decision_raw": "decision=accept source=config", "decision": "accept", "decided_by": "policy"}
    said = [
        ("@event.name", "string", "tool_decision"),
        ("@decision", "string", "accept"),
        ("@source", "string", "config"),
    ]
    record(
        draft("tool_decision", facts=[*said, ("@tool_name", "string", "Bash")], tool_name="Bash", **decision),
        *(draft(content=[("@prompt", "string", f"text {n}")]) for n in range(EVENTS // 2 - 1)),
    )
    seal()
    checkpoints.sign(raw(), signer)
    record(*(draft() for _ in range(EVENTS // 2)))
    seal()
    return signer.verifier_key(checkpoints.sign(raw(), signer).origin)


@pytest.fixture
def attack(database_superuser):
    database_superuser.execute("SET session_replication_role = replica")
    return database_superuser.execute


def faults(key) -> list[str]:
    return [str(fault) for fault in verification.verify(raw(), key)]


def test_nothing_is_wrong_with_an_honest_ledger(key):
    assert faults(key) == []


NUMBER_7 = "(SELECT event_id FROM audit_seal WHERE seq = 7)"


def flip(table: str, column: str, where: str) -> str:
    """One bit of a column."""
    return f"UPDATE {table} SET {column} = set_byte({column}, 9, get_byte({column}, 9) # 1) WHERE {where}"


EVENT, CONTENT = f"id = {NUMBER_7}", f"event_id = {NUMBER_7}"
ATTACKS = {
    "facts": (flip("audit_event", "facts", EVENT), "#7 .*facts is not"),
    "header": (flip("audit_event", "header", EVENT), "#7 .*header and parts"),
    "content": (flip("audit_content", "bytes", CONTENT), "#7 .*content is not"),
    "salt": (flip("audit_content", "salt", CONTENT), "#7 .*content is not"),
    "content gone": (f"DELETE FROM audit_content WHERE {CONTENT}", "#7 .*content is gone"),
    "event gone": (f"DELETE FROM audit_event WHERE {EVENT}", "#7 .*event is gone"),
    "leaf": (flip("audit_event", "leaf_hash", EVENT), "#7 .*not the one that was numbered"),
    "seal": (flip("audit_seal", "leaf_hash", "seq = 7"), "tile 0/0: not what"),
    "subject": (flip("audit_subject", "bytes", "true"), "#7 .*subject is not"),
    "origin": ("UPDATE audit_event SET origin_id = NULL", "#7 .*header and parts"),
    "number gone": ("DELETE FROM audit_seal WHERE seq = 7", "#7: the number is missing"),
    "tail gone": ("DELETE FROM audit_seal WHERE seq >= 290", "#290: the number is missing"),
    "tile": (flip("audit_tile", "hashes", "true"), "tile 0/0: not what"),
    "tile gone": ("DELETE FROM audit_tile", "tile 0/0: missing"),
    "root": (flip("audit_checkpoint", "root", "size = 150"), "checkpoint 150 .*root is not"),
    "note": ("UPDATE audit_checkpoint SET note = replace(note, '150', '151')", "checkpoint 150 .*something else"),
    "old checkpoint again": (
        "UPDATE audit_checkpoint SET note = (SELECT min(note) FROM audit_checkpoint WHERE size = 150)",
        "checkpoint 300 .*something else",
    ),
    "head": (flip("audit_head", "frontier", "true"), "head: "),
    "column": ("UPDATE audit_event SET tool_name = 'Read' WHERE tool_name = 'Bash'", "#0 .*tool_name says 'Read'"),
    "decision": (
        "UPDATE audit_event SET decision_raw = 'decision=reject source=config' WHERE tool_name = 'Bash'",
        "#0 .*decision_raw",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_changed_behind_its_back_is_named(key, attack, name):
    statement, what = ATTACKS[name]
    attack(statement)
    found = faults(key)
    assert any(re.search(what, each) for each in found), found


def test_heads_are_read_piece_by_piece(key, attack, monkeypatch):
    monkeypatch.setattr(verification, "_HEADS_AT_ONCE", 1)
    assert faults(key) == []
    attack(flip("audit_checkpoint", "root", "true"))
    assert {each.split(" ")[1] for each in faults(key)} == {"150", "300"}


def test_a_cosignature_that_does_not_verify_is_named(key, attack):
    private = Ed25519PrivateKey.generate()
    witness = notes.verifier_key("w.example.org/1", private, notes.COSIGNATURE)
    with psycopg.Cursor(raw()) as cursor:
        cursor.execute("SELECT epoch, size, note FROM audit_checkpoint ORDER BY size LIMIT 1")
        epoch, size, note = cursor.fetchone()
        line = notes.cosign(notes.parse(note).text, witness.name, private, 1_800_000_000).line
        row = [epoch, size, witness.name, line, timezone.now()]
        cursor.execute("INSERT INTO audit_cosignature VALUES (%s, %s, %s, %s, %s)", row)
    found = [str(fault) for fault in verification.verify(raw(), key, witnesses=[witness])]
    assert found == []
    attack("UPDATE audit_cosignature SET line = overlay(line PLACING 'AAAA' FROM 60 FOR 4)")
    (found,) = verification.verify(raw(), key, witnesses=[witness])
    assert str(found) == f"checkpoint {size} of epoch 0: the signature of {witness.name} does not verify"
    assert faults(key) == []


def test_swapped_rows_are_named(key, attack):
    attack("UPDATE audit_seal SET seq = seq + 1000 WHERE seq IN (7, 8)")
    attack("UPDATE audit_seal SET seq = CASE seq WHEN 1007 THEN 8 ELSE 7 END WHERE seq > 1000")
    assert "tile 0/0: not what its leaves give" in faults(key)


def test_an_event_that_came_past_the_only_writer_is_named(key):
    two_minutes_ago = time.time_ns() // 1000 - 120_000_000
    (stray,) = ledger.prepare(raw(), receipt(received_at_us=two_minutes_ago), [draft()])
    with psycopg.Cursor(raw()) as cursor:
        ledger.copy_rows(cursor, "audit_event", ledger._EVENT_COLUMNS, [stray.row])
    assert faults(key) == [f"{stray.id}: it has no number, and none is to come"]


def test_what_waits_for_its_number_is_no_fault(key):
    record(draft(), received_at_us=time.time_ns() // 1000 - 120_000_000)
    assert faults(key) == []


@pytest.mark.parametrize(
    ("facts", "columns"),
    [
        ([("@tool_name", "string", "x" * 300)], {"tool_name": "x" * 256}),
        ([("@tool_name", "string", "a\0b")], {"tool_name": "a\u2400b"}),
        ([("@tool_name", "string", "a"), ("@tool_name", "int", 1)], {"tool_name": None}),
        ([("@decision", "string", "y" * 300)], {"decision_raw": f"decision={'y' * 256}"}),
        ([("@permission_mode", "string", "default")], {"kind": "mode_change", "mode": "plan"}),
    ],
    ids=["long", "nul", "repeated", "long word", "mode change"],
)
def test_odd_telemetry_raises_no_false_alarm(facts, columns):
    record(draft(**{"kind": "tool_decision", "facts": facts} | columns))
    seal()
    assert faults(None) == []


def test_another_key_did_not_sign(key, tmp_path):
    other = Signer(tmp_path / "other")
    other.make_key()
    assert any("not signed with this key" in each for each in faults(other.verifier_key(key.name)))


def test_the_command_says_so_and_fails(key, attack, settings, tmp_path):
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "signer"
    told = io.StringIO()
    call_command("verify_ledger", stdout=told)
    assert told.getvalue() == f"{EVENTS} events verified: nothing is wrong.\n"
    attack(f"DELETE FROM audit_event WHERE {EVENT}")
    told = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", stdout=told)
    assert ended.value.code == 1
    assert "#7 " in told.getvalue()
    assert "1 faults" in told.getvalue()
