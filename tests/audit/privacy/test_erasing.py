"""A person is erased: nothing names them any more, and every proof still holds."""

import subprocess

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from audit import acts, checkpoints, ledger, projector, tasks, verification
from audit.exceptions import IdentityErased
from audit.export import feed
from audit.export.reading import Reader
from audit.models import Content, Erased, Erasure, Event, Session, Subject, ToolUse
from audit.privacy import erasing, holds, people
from ingest.models import Quarantined
from portal.embedded import binaries
from tests.factories import draft, evidence, fold, raw, receipt, record, seal

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL, PATH, PROMPT = "vera.planted@acme.example", "/home/vera/secret-plans.txt", "tell nobody of the planted walrus"
VERA = (
    ("@user.email", "string", EMAIL),
    ("@user.id", "string", "installation-of-vera"),
    ("@user.account_uuid", "string", "8f2c9f0e-planted-account"),
    ("resource@host.name", "string", "veras-laptop"),
)
SILENT = (("@user.id", "string", "installation-of-vera"),)
REASON = "Request 17 under Article 17 GDPR"


def tool(**overrides):
    command = {"tool_use_id": "tu-1", "tool_name": "Read", "session_id": "v-1", "subject": VERA, "path": PATH}
    content = [("@tool_input", "string", PATH)]
    return draft(
        "tool_decision", content=content, **command | {"decision": "accept", "decided_by": "person"} | overrides
    )


@pytest.fixture
def planted():
    """A session of Vera's, and one of Dana's beside it."""
    theirs = evidence(
        draft("prompt", subject=VERA, session_id="v-1", content=[("@prompt", "string", PROMPT)]),
        tool(),
        draft("prompt", subject=SILENT, session_id="v-2", content=[("@prompt", "string", PROMPT)]),
        draft("api_request", subject=(), session_id="v-1", content=[("@body", "string", PROMPT)]),
    )
    evidence(draft("prompt", content=[("@prompt", "string", "of Dana's")]))
    return theirs


def erase(who=EMAIL):
    return erasing.run(erasing.ask(people.find(who), reason=REASON, by="officer@acme.example"))


def dumped(superuser_url: str) -> bytes:
    """The whole database as text, with bytes in hexadecimal."""
    url = make_conninfo(superuser_url, dbname=connection.settings_dict["NAME"])
    program = binaries.postgres() / "pg_dump"
    return subprocess.run([program, "--dbname", url], capture_output=True, check=True).stdout.lower()


def traces(dump: bytes) -> list[str]:
    """Which of the planted texts it holds, as text or in bytes."""
    planted = (EMAIL, PATH, "planted walrus", "8f2c9f0e-planted-account", "installation-of-vera", "veras-laptop")
    return [text for text in planted if text.encode() in dump or text.encode().hex().encode() in dump]


def test_it_finds_all_identities_of_a_person(planted):
    assert len(people.find(EMAIL)) == 2
    assert people.find(EMAIL.upper()) == people.find(EMAIL) == people.find("installation-of-vera")
    assert people.find("nobody@acme.example") == []
    pseudonym = Subject.objects.get(email=EMAIL).pseudonym
    assert people.find(pseudonym) == people.find(EMAIL)


def test_nothing_of_the_person_is_left_and_others_keep_theirs(planted):
    done = erase()
    assert (done.state, done.contents, done.identities) == (Erasure.DONE, 4, 2)
    assert not Subject.objects.filter(email=EMAIL).exists()
    assert Session.objects.get(session_id="v-1").host is None
    use = ToolUse.objects.get()
    assert (use.path, use.decision) == (None, "accept")
    (kept,) = Content.objects.exclude(event__agent="portal")
    assert b"of Dana" in bytes(kept.bytes)


def test_neither_database_nor_export_nor_log_keeps_a_trace(planted, superuser_url, caplog):
    caplog.set_level("DEBUG")
    Quarantined.objects.create(
        received_at=timezone.now(), token_id=1, source_id=1, source_name="laptops", address="192.0.2.7", signal="logs",
        encoding="json", reason="odd", whole=True, length=99, sha256=b"", request=f"... {EMAIL} ...".encode(),
    )  # fmt: skip
    acts.record("evidence.listed", by="auditor@acme.example", content={"query": f"person:{EMAIL.upper()}"})
    seal()
    assert len(traces(dumped(superuser_url))) == 6
    erase()
    seal()
    fold()
    assert traces(dumped(superuser_url)) == []
    assert traces(feed.page(-1, feed.LIMIT, Reader(with_content=True, with_identity=True)).lines.lower()) == []
    assert traces(caplog.text.lower().encode()) == []
    assert b"of dana" in dumped(superuser_url) or b"of Dana".hex().encode() in dumped(superuser_url)


def test_projections_are_those_of_a_rebuild(planted):
    erase()
    fold()

    def rows():
        return [list(model.objects.order_by("pk").values()) for model in (Session, ToolUse)]

    before = rows()
    projector.rebuild(raw())
    assert rows() == before


def test_the_ledger_still_verifies(planted, signer):
    seal()
    checkpoints.sign(raw(), signer)
    erase()
    seal()
    key = signer.verifier_key(checkpoints.sign(raw(), signer).origin)
    assert [str(fault) for fault in verification.verify(raw(), key)] == []


def test_a_part_that_is_gone_without_an_event_that_says_so_is_a_fault(planted, signer, database_superuser):
    seal()
    key = signer.verifier_key(checkpoints.sign(raw(), signer).origin)
    event = Event.objects.get(kind="tool_decision")
    with database_superuser.transaction():
        database_superuser.execute("SET LOCAL session_replication_role = replica")
        database_superuser.execute("DELETE FROM audit_content WHERE event_id = %s", [event.pk])
        other = Event.objects.filter(agent="claude_code").exclude(pk=event.pk).first()
        database_superuser.execute(
            "INSERT INTO audit_erased VALUES (%s, 'content', %s)", [bytes(event.content_commitment), other.pk]
        )
    (fault,) = verification.verify(raw(), key)
    assert "no event of the portal says that it was erased" in str(fault)


def test_the_database_erases_nothing_that_no_event_names(planted):
    event = Event.objects.get(kind="tool_decision")
    act = Event.objects.exclude(pk=event.pk).first()
    for function, what in (("contents", event.pk), ("facts", event.pk), ("subjects", event.subject_id)):
        with connection.cursor() as cursor, pytest.raises(DatabaseError, match="no event of the portal"):
            cursor.execute(f"SELECT audit_erase_{function}_v1(ARRAY[%s]::uuid[], %s)", [what, act.pk])
    assert not Erased.objects.exists()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("person", EMAIL),
        ("session", lambda: str(Session.objects.get(session_id="v-1").pk)),
        ("repository", "payments-api"),
        ("query", "tool:Read"),
        ("query", "walrus"),
    ],
)
def test_a_hold_stands_in_the_way_until_it_is_released(planted, kind, value):
    hold = holds.place(
        kind, value() if callable(value) else value, reason="Case 4711 of legal", by="counsel@acme.example"
    )
    waiting = erase()
    assert (waiting.state, waiting.hold_id) == (Erasure.HELD, hold.pk)
    assert Content.objects.filter(event__agent="claude_code").count() == 5
    assert Subject.objects.filter(email=EMAIL).exists()
    holds.release(hold, reason="Case 4711 is closed", by="counsel@acme.example")
    assert erasing.run(waiting).state == Erasure.DONE
    if kind == "person":
        hold.refresh_from_db()
        assert hold.value == "erased"


def test_a_hold_refuses_in_the_database_too(planted):
    holds.place("session", str(Session.objects.get(session_id="v-1").pk), reason="Case 4711 of legal", by="counsel")
    event = Event.objects.get(kind="tool_decision")
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="legal hold"):
        cursor.execute("SELECT audit_erase_contents_v1(ARRAY[%s]::uuid[], %s)", [event.pk, event.pk])


def test_who_comes_back_is_somebody_new(planted):
    before = set(Subject.objects.values_list("pk", flat=True))
    erase()
    record(draft(subject=VERA, session_id="v-3"))
    again = Subject.objects.get(email=EMAIL)
    assert again.pk not in before


def test_an_event_on_the_way_is_prepared_anew(planted):
    prepared = ledger.prepare(raw(), receipt(), [draft(subject=VERA)])
    erase()
    with pytest.raises(IdentityErased), raw().transaction():
        ledger.append(raw(), prepared)
    record(draft(subject=VERA))


def test_it_goes_on_where_it_was_cut_off(planted, monkeypatch):
    monkeypatch.setattr("audit.privacy.tombstones.COMMITMENTS_AT_ONCE", 1)
    asked = erasing.ask(people.find(EMAIL), reason=REASON, by="officer@acme.example")

    def stop(erasure):
        if erasure.contents == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erasing.run(asked, stop)
    asked.refresh_from_db()
    assert (asked.state, asked.contents) == (Erasure.RUNNING, 2)
    assert erasing.run(asked).contents == 4
    assert Erased.objects.filter(part="content").count() == 4


def test_one_that_fails_keeps_nobody_else_waiting(planted, monkeypatch):
    first = erasing.ask([], reason=REASON, by="officer@acme.example")
    second = erasing.ask(people.find(EMAIL), reason=REASON, by="officer@acme.example")
    run = erasing.run
    monkeypatch.setattr(erasing, "run", lambda erasure: 1 / 0 if erasure.pk == first.pk else run(erasure))
    tasks.erase_waiting()
    second.refresh_from_db()
    assert second.state == Erasure.DONE
