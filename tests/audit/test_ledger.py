import hashlib

import pytest
from django.db import connection

from audit import leaf
from audit.models import Content, Event, Seal, Subject
from tests.factories import draft, receipt, record, seal

pytestmark = pytest.mark.django_db

COLUMNS = {
    "audit_event": "agent",
    "audit_content": "command",
    "audit_subject": "email",
    "audit_origin": "team",
    "audit_seal": "sealed_at",
}


def test_it_records_what_it_is_given():
    record(draft("tool_decision", tool_name="Bash", decision="accept", decided_by="person", flags=("nul",)))
    event = Event.objects.get()
    assert (event.kind, event.tool_name, event.decided_by, event.flags) == ("tool_decision", "Bash", "person", ["nul"])
    assert event.subject.email == "dana@acme.example"
    assert (event.origin.team, event.origin.repository) == ("payments", "payments-api")


def test_it_keeps_the_same_record_once():
    same = draft()
    record(same, same)
    record(same)
    assert Event.objects.count() == 1


def test_it_keeps_the_same_record_from_another_source():
    same = draft()
    record(same, source_id=1)
    record(same, source_id=2)
    assert Event.objects.count() == 2


def test_it_keeps_a_thousand_records_that_differ_by_number_only():
    record(*(draft() for _ in range(1000)))
    assert Event.objects.count() == 1000


def test_the_leaf_can_be_recomputed_from_what_is_stored():
    record(draft(content=(("@prompt", "string", "Fix the rounding"),)))
    event, content, subject = Event.objects.get(), Content.objects.get(), Subject.objects.get()
    commitments = [
        leaf.commitment("subject", bytes(subject.salt), bytes(subject.bytes)),
        leaf.commitment("origin", bytes(event.origin.salt), bytes(event.origin.bytes)),
        leaf.commitment("facts", bytes(event.facts_salt), bytes(event.facts)),
        leaf.commitment("content", bytes(content.salt), bytes(content.bytes)),
    ]
    assert leaf.leaf_hash(bytes(event.header), *commitments) == bytes(event.leaf_hash)


def test_the_commitment_of_an_absent_part_is_zero():
    record(draft(content=()))
    assert bytes(Event.objects.get().content_commitment) == bytes(32)
    assert not Content.objects.exists()


def test_identities_are_kept_once():
    record(draft(), draft())
    record(draft())
    assert Subject.objects.count() == 1


def test_the_digest_of_an_identity_cannot_be_guessed_from_its_bytes():
    record(draft())
    subject = Subject.objects.get()
    assert bytes(subject.digest) != hashlib.sha256(bytes(subject.bytes)).digest()


def test_numbers_are_dense_and_in_order_of_arrival():
    first = record(draft(), draft())
    second = record(draft())
    assert seal() == 3
    assert list(Seal.objects.order_by("seq").values_list("seq", "event_id")) == [
        (number, event.id) for number, event in enumerate([*first, *second])
    ]
    record(draft())
    seal()
    assert Seal.objects.order_by("seq").last().seq == 3


def test_the_receive_time_is_that_of_the_receipt():
    moment = receipt(received_at_us=1_795_240_414_605_123)
    (event,) = record(draft(), received_at_us=moment.received_at_us)
    assert Event.objects.get(pk=event.id).received_at.timestamp() == pytest.approx(1_795_240_414.605123, abs=1e-6)


@pytest.mark.parametrize("table", COLUMNS)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = NULL", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_application_may_not_change_evidence(table, statement):
    column = COLUMNS[table]
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement.format(table, column))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", COLUMNS)
@pytest.mark.parametrize(
    "statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"], ids=["update", "delete", "truncate"]
)
def test_the_triggers_refuse_even_the_superuser(table, statement, database_superuser):
    record(draft(content=(("@prompt", "string", "x"),)))
    seal()
    column = COLUMNS[table]
    with pytest.raises(Exception, match="append-only"):
        database_superuser.execute(statement.format(table, column))


@pytest.mark.django_db(transaction=True)
def test_a_partition_cannot_be_truncated_by_itself(database_superuser):
    record(draft())
    partition = database_superuser.execute("SELECT tableoid::regclass::text FROM audit_event").fetchone()[0]
    with pytest.raises(Exception, match="append-only"):
        database_superuser.execute(f"TRUNCATE {partition}")
