"""The portal and its witnesses: what is asked, what is believed, what is shown, and that sealing waits for nobody."""

import datetime as dt
import io
import itertools
import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from audit import checkpoints, cosigning, witnesses
from audit.checks import witnesses as check
from audit.cosigning import Cosigning
from audit.loop import Halted
from audit.models import Heartbeat, Seal, Witness
from audit.proofs import notes
from audit.sealing import Sealing
from audit.signer import Signer
from audit.verifier import verify
from audit.witness import known, submission
from audit.witness.known import Known, Reply
from portal import env, state, trust
from portal.runner import parts
from tests.audit.api.conftest import Api, body
from tests.audit.witness.logs import made, serving
from tests.factories import draft, raw, record, seal

pytestmark = pytest.mark.django_db

NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def head(signer, settings, tmp_path):
    """A ledger of 300 events under a signed head."""
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "signer"
    record(*(draft(content=[("@prompt", "string", f"text {n}")]) for n in range(300)))
    seal()
    return checkpoints.sign(raw(), signer)


@pytest.fixture
def witness(head, signer, settings, tmp_path):
    """A witness of this ledger, configured here."""
    with serving(made(tmp_path / "w1", signer.verifier_key(head.origin), now=now())) as found:
        trusting(settings, found)
        yield found


def now() -> float:
    return timezone.now().timestamp()


def trusting(settings, *found: Known, quorum: int | None = None) -> None:
    settings.AUDIT_WITNESSES = found
    settings.AUDIT_WITNESS_QUORUM = len(found) if quorum is None else quorum


def grow(signer, count: int = 1) -> int:
    record(*(draft() for _ in range(count)))
    seal()
    return checkpoints.sign(raw(), signer).size


def ask(*found: Known) -> int:
    return Cosigning(found or None).round(raw())


def shown() -> checkpoints.Published:
    with psycopg.Cursor(raw()) as cursor:
        return checkpoints.latest(cursor)


def cosigned() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT size FROM audit_cosignature ORDER BY size")
        return [size for (size,) in cursor.fetchall()]


def test_each_newest_checkpoint_is_cosigned_once(witness, signer):
    assert ask() == 1
    assert ask() == 0
    for count in (1, 500, 30):
        grow(signer, count)
        assert ask() == 1
    assert cosigned() == [300, 301, 801, 831]
    row = Witness.objects.get()
    assert (row.name, row.size, row.problem) == (witness.key.name, 831, "")


def test_it_asks_no_more_often_than_every_ten_seconds(witness, signer):
    at = [100.0]
    asking = Cosigning(clock=lambda: at[0])
    assert asking.round(raw()) == 1
    grow(signer)
    at[0] += 9
    assert asking.round(raw()) == 0
    at[0] += 1
    assert asking.round(raw()) == 1


def test_what_is_shown_bears_the_cosignature(witness, signer):
    assert notes.verified_by(notes.parse(shown().note), [witness.key]) == {}
    ask()
    grow(signer)
    note = notes.parse(body(Api("ledger:read").get("ledger/checkpoint/")).decode())
    assert note.text.splitlines()[1] == "300"  # the newest has 301 events, and no cosignature yet
    assert set(notes.verified_by(note, [witness.key])) == {witness.key}
    with psycopg.Cursor(raw()) as cursor:
        assert checkpoints.latest(cursor, beyond=300).head.size == 301


def test_without_a_recent_cosignature_the_newest_is_shown(witness, signer, monkeypatch):
    ask()
    grow(signer)
    assert shown().head.size == 300
    monkeypatch.setattr(checkpoints, "FRESH", dt.timedelta(0))
    assert shown().head.size == 301


def test_a_quorum_needs_as_many_witnesses(witness, head, signer, settings, tmp_path):
    with serving(made(tmp_path / "w2", signer.verifier_key(head.origin), name="w2", now=now())) as second:
        trusting(settings, witness, second)
        ask(witness)
        with psycopg.Cursor(raw()) as cursor:
            assert checkpoints.cosigned(cursor) is None
            assert ask() == 1
            assert checkpoints.cosigned(cursor).head.size == 300
    keys = [witness.key, second.key]
    assert set(notes.verified_by(notes.parse(shown().note), keys)) == set(keys)


def verified(folder) -> int:
    call_command("export_events", "--evidence", output=folder / "dump.ndjson", stderr=io.StringIO())
    told = io.StringIO()
    call_command("ledger_policy", stdout=told)
    (folder / "policy.json").write_text(told.getvalue())
    arguments = [str(folder / "dump.ndjson"), "--policy", str(folder / "policy.json")]
    return subprocess.run([sys.executable, "-I", verify.__file__, *arguments], check=False).returncode


def test_a_dump_satisfies_a_policy_that_asks_for_the_witness(witness, signer, tmp_path):
    assert verified(tmp_path) == 2
    ask()
    grow(signer)
    assert verified(tmp_path) == 0
    policy = json.loads((tmp_path / "policy.json").read_text())
    assert (policy["witness_keys"], policy["quorum"]) == ([str(witness.key)], 1)
    text = (tmp_path / "dump.ndjson").read_text("utf-8")
    line = shown().note.splitlines()[-1]
    (tmp_path / "dump.ndjson").write_text(text.replace(f"{line}\\n", ""), "utf-8")
    arguments = [str(tmp_path / "dump.ndjson"), "--policy", str(tmp_path / "policy.json")]
    assert verify.main(arguments) == 2


def test_a_dump_says_when_witnesses_are_missing(witness, tmp_path):
    told = io.StringIO()
    call_command("export_events", "--evidence", output=tmp_path / "dump.ndjson", stderr=told)
    assert "Too few witnesses" in told.getvalue()


# ── Witnesses that fail (F12) ───────────────────────────────────────────────────────────────────


def problem(found: Known) -> str:
    return Witness.objects.get(name=found.key.name).problem


def test_a_witness_that_is_down_costs_its_cosignature_and_no_other(witness, settings):
    down = Known(NOBODY, notes.verifier_key("down", Ed25519PrivateKey.generate(), notes.COSIGNATURE))
    trusting(settings, down, witness)
    assert ask() == 1
    assert problem(down).startswith("No answer: ")
    standing = witnesses.standing(timezone.now())
    assert (standing.state, standing.verdict) == ("warn", "Cosigned by 1 of 2")


def test_one_that_knows_another_size_is_asked_again_with_it(witness, signer, monkeypatch):
    """As after a restored backup of this database, or a second portal on it: the witness may be ahead of our rows."""
    ask()
    grow(signer)
    monkeypatch.setattr(cosigning, "_cosigned", lambda *_: 7)
    assert ask() == 1
    assert cosigned() == [300, 301]


def test_a_cosignature_of_another_key_is_not_believed(witness, settings, tmp_path):
    impostor = Known(witness.url, notes.verifier_key(witness.key.name, Ed25519PrivateKey.generate(), notes.COSIGNATURE))
    trusting(settings, impostor)
    assert ask() == 0
    assert "another key" in problem(impostor)
    assert cosigned() == []
    standing = witnesses.standing(timezone.now())
    assert (standing.state, standing.verdict) == ("bad", "Not cosigned")


WRONG = {
    "unavailable": (Reply(503, "later"), "It answered 503: later."),
    "hostile": (Reply(500, "a\x00b\x1b[31m\u202e"), r"It answered 500: a\0b\e[31m\u202e."),
    "unknown": (Reply(404, ""), "It does not know "),
    "size without its type": (Reply(409, "3\n", "text/plain"), "It answered 409"),
    "size of another kind": (Reply(409, "-3\n", "text/x.tlog.size"), "It answered 409"),
    "no note": (Reply(200, "fine"), "Its answer is no cosignature"),
    "nothing": (Reply(200, ""), "Its answer is no cosignature"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_answer_that_is_no_cosignature_is_told_and_not_kept(witness, monkeypatch, name):
    reply, told = WRONG[name]
    monkeypatch.setattr(known, "ask", lambda *_: reply)
    assert ask() == 0
    assert problem(witness).startswith(told)
    assert not Witness.objects.get().contradicts
    assert cosigned() == []


def test_a_cosignature_that_was_changed_or_is_of_another_time_is_not_kept(witness, monkeypatch):
    ask()
    line = shown().note.splitlines(keepends=True)[-1]
    with psycopg.Cursor(raw()) as cursor:
        found = cosigning._newest(cursor)
    for text in (line.replace(line[-20], "A" if line[-20] != "A" else "B"), line[:-2] + "\n"):
        assert not cosigning.outcome_of(Reply(200, text), found, witness.key, now()).line
    assert cosigning.outcome_of(Reply(200, line), found, witness.key, now()).line == line
    assert "more than five minutes" in cosigning.outcome_of(Reply(200, line), found, witness.key, now() + 1000).problem


def test_a_witness_that_does_not_answer_is_left_after_a_while(head, signer, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(known, "CONVERSATION_SECONDS", 0.1)
    slow = made(tmp_path / "w1", signer.verifier_key(head.origin))
    with serving(slow) as found:
        trusting(settings, found)
        with slow._one_at_a_time:
            assert ask() == 0
        assert problem(found).startswith("No answer: ")


@pytest.mark.django_db(transaction=True)
def test_sealing_and_signing_go_on_while_a_witness_thinks(head, signer, settings, tmp_path, monkeypatch):
    slow = made(tmp_path / "w1", signer.verifier_key(head.origin), now=now())
    asked = threading.Event()
    real = known.ask

    def ask_and_tell(*arguments):
        asked.set()
        return real(*arguments)

    def cosign() -> int:
        try:
            return Cosigning().round(raw())
        finally:
            connection.close()

    monkeypatch.setattr(known, "ask", ask_and_tell)
    with serving(slow) as found, ThreadPoolExecutor(1) as pool:
        trusting(settings, found)
        with slow._one_at_a_time:
            waiting = pool.submit(cosign)
            assert asked.wait(60)
            sealing = Sealing(signer, clock=itertools.count(1000, 100).__next__)
            for count in (2, 4, 6):
                record(draft())
                sealing.round(raw())
                assert Seal.objects.count() >= 300 + count - 1
            assert shown().head.size >= 305
            assert not waiting.done()
        assert waiting.result(10) == 1
    assert cosigned() == [300]


def test_the_alarm_comes_after_five_minutes_without_a_cosignature(witness):
    ask()
    moment = timezone.now()
    assert witnesses.standing(moment).state == "ok"
    late = witnesses.standing(moment + dt.timedelta(minutes=6))
    assert (late.state, late.verdict) == ("bad", "Not cosigned")
    assert "for 6 min" in late.reason


def test_before_it_was_ever_asked_there_is_no_alarm_yet(witness):
    assert witnesses.standing(timezone.now()).state == "warn"


def test_without_witnesses_nothing_is_said(db):
    assert witnesses.standing(timezone.now()) is None
    assert ask() == 0


# ── Other histories (I10, I11) ──────────────────────────────────────────────────────────────────


@pytest.fixture
def restored(witness, signer, tmp_path):
    """Twelve more events, cosigned; then the database is that of before, and the signer's folder with it.

    As when a whole machine is put back, or a copy of it runs elsewhere: nothing inside can tell.
    """
    ask()
    shutil.copytree(tmp_path / "signer", tmp_path / "backup")
    before = transaction.savepoint()
    grow(signer, 12)
    assert ask() == 1
    transaction.savepoint_rollback(before)
    return Signer(tmp_path / "backup")


def refused(tmp_path) -> set[int]:
    return {submission.parse(path.read_bytes()).head.size for path in (tmp_path / "w1" / "refused").glob("*")}


def contradiction() -> str:
    row = Witness.objects.get()
    assert row.contradicts
    found = trust.trust()
    assert (found.state, found.verdict) == ("bad", "Witness contradicts")
    assert row.problem in found.reason
    return row.problem


def test_a_copy_of_the_signer_signs_a_fork_and_the_witness_does_not(witness, restored, tmp_path):
    Heartbeat.objects.create(name="sealer", at=timezone.now())
    assert grow(restored, 5) == 305
    assert ask() == 0
    assert contradiction() == "It has cosigned 312 events of this ledger, and 305 are signed here."
    assert grow(restored, 7) == 312
    assert ask() == 0
    assert contradiction() == "It has cosigned another tree of 312 events."
    assert grow(restored, 3) == 315
    assert ask() == 0
    assert contradiction() == "It refuses #315: the tree did not grow from what it cosigned."
    assert refused(tmp_path) == {312, 315}
    assert cosigned() == [300]
    assert shown().head.size == 300  # the last one that all agree on


def test_what_convicts_the_log_is_two_heads_of_its_own_key(witness, restored, signer, head, tmp_path):
    grow(restored, 12)
    ask()
    key = signer.verifier_key(head.origin)
    (path,) = (tmp_path / "w1" / "refused").glob("*")
    (memory,) = (tmp_path / "w1").glob("*.note")
    heads = [notes.parse(memory.read_text()), submission.parse(path.read_bytes()).note]
    assert all(set(notes.verified_by(note, [key])) == {key} for note in heads)
    first, second = (note.text.splitlines() for note in heads)
    assert (first[:2], first[2] != second[2]) == (second[:2], True)


def test_a_signer_without_its_memory_signs_nothing_for_a_witness(witness, signer, tmp_path):
    (tmp_path / "signer" / "state.json").unlink()
    record(draft())
    with pytest.raises(Halted, match="does not tell what was signed last"):
        Sealing(signer).round(raw())
    ask()
    assert cosigned() == [300]


def test_a_database_that_lost_its_newest_events_is_told(witness, signer, monkeypatch):
    """The checkpoint is there and what it covers is not: there is no proof to be made, and the loop goes on."""
    monkeypatch.setattr(cosigning.tree, "consistency", tree_of_nothing)
    assert ask() == 0
    assert problem(witness) == "No proof could be made for it: only 0 events are integrated. Run verify_ledger."


def tree_of_nothing(*_):
    raise ValueError("only 0 events are integrated")


# ── Settings ────────────────────────────────────────────────────────────────────────────────────

KEY = notes.verifier_key("w.example.org/1", Ed25519PrivateKey.generate(), notes.COSIGNATURE)
LOG_KEY = notes.verifier_key("w.example.org/1", Ed25519PrivateKey.generate())


def test_witnesses_are_named_by_address_and_key(monkeypatch):
    monkeypatch.setenv("AUDIT_WITNESSES", f"https://w.example.org/a/ {KEY}, http://10.0.0.1:8320 {KEY}")
    assert env.each("AUDIT_WITNESSES", Known.parse) == (
        Known("https://w.example.org/a", KEY),
        Known("http://10.0.0.1:8320", KEY),
    )


@pytest.mark.parametrize(
    "text",
    ["https://w.example.org", str(KEY), f"ftp://w {KEY}", f"http:// {KEY}", f"http://w {LOG_KEY}", "http://w x+y+z"],
    ids=["no key", "no address", "scheme", "no host", "a log's key", "no key at all"],
)
def test_a_witness_that_cannot_be_is_refused_at_start(monkeypatch, text):
    monkeypatch.setenv("AUDIT_WITNESSES", text)
    with pytest.raises(env.SettingError, match="AUDIT_WITNESSES: "):
        env.each("AUDIT_WITNESSES", Known.parse)


def test_a_quorum_that_cannot_be_is_found_by_the_check(settings):
    trusting(settings, Known("http://w", KEY))
    assert check(None) == []
    trusting(settings, Known("http://w", KEY), Known("http://v", KEY), quorum=3)
    assert [each.id for each in check(None)] == ["audit.E001", "audit.E002"]


def test_the_one_who_asks_runs_where_witnesses_are_configured(settings):
    def named() -> set[str]:
        return {part.name for part in parts.portal_parts(state.here())}

    assert "cosigner" not in named()
    trusting(settings, Known("http://w", KEY))
    assert "cosigner" in named()
    settings.AUDIT_SIGNS = False
    assert "cosigner" not in named()


def test_with_no_witness_there_is_nobody_to_ask(settings):
    settings.AUDIT_WITNESSES = ()
    with pytest.raises(CommandError, match="names none"):
        call_command("cosign")


def test_it_is_told_where_people_and_machines_look(witness, client, admin_client):
    for name in ("sealer", "projector", "receiver:127.0.0.1:4318"):
        Heartbeat.objects.create(name=name, at=timezone.now())
    told = client.get("/readyz")
    assert (told.status_code, told.json()["warnings"]) == (200, ["witnesses: No witness has cosigned yet."])
    ask()
    assert client.get("/readyz").json() == {"ready": True, "reasons": []}
    page = admin_client.get("/admin/").content.decode()
    assert "Cosigned to" in page
    assert "#299" in page
    assert f"by {witness.key.name}" in page
    assert f'portal_cosigned_age_seconds{{witness="{witness.key.name}"}} ' in client.get("/metrics").content.decode()
