"""What a witness cosigns and refuses: C2SP tlog-witness, sentence by sentence."""

import base64
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import durable
from audit.proofs import notes
from audit.proofs.notes import NoteError
from audit.witness import submission, witness
from audit.witness.submission import Malformed
from audit.witness.witness import Witness, WitnessError
from tests.audit.witness.logs import FORK, HONEST, NAME, ORIGIN, PRIVATE, Log, made


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "witness"


@pytest.fixture
def honest(folder):
    found = made(folder)
    yield found
    found.close()


def status(found: Witness, body: bytes) -> int:
    return found.add_checkpoint(body).status


def refused(folder) -> list[bytes]:
    return [path.read_bytes() for path in (folder / witness.REFUSED).glob("*")]


def test_a_submission_is_read_as_it_is_written():
    for old, size in ((0, 1), (3, 9), (8, 16), (9, 9)):
        body = HONEST.submission(old, size)
        assert bytes(submission.parse(body)) == body


def test_it_cosigns_what_grew_and_states_the_time(honest):
    for old, size in ((0, 3), (3, 4), (4, 15), (15, 15)):
        answer = honest.add_checkpoint(HONEST.submission(old, size))
        assert answer.status == 200
        note = notes.parse(f"{HONEST.head(size)}\n{answer.body}")
        assert notes.verified_by(note, [honest.verifier_key]) == {honest.verifier_key: 1_800_000_000}
        assert honest.last(ORIGIN) == HONEST.head(size)


def test_it_tells_which_size_it_knows(honest):
    honest.add_checkpoint(HONEST.submission(0, 5))
    for old, size in ((0, 9), (4, 9), (6, 9), (0, 5), (3, 3)):
        answer = honest.add_checkpoint(HONEST.submission(old, size))
        assert (answer.status, answer.content_type, answer.body) == (409, "text/x.tlog.size", "5\n")
    assert honest.last(ORIGIN).size == 5


def test_a_fork_signed_with_the_real_key_is_refused_and_kept(honest, folder):
    assert status(honest, HONEST.submission(0, 10)) == 200
    assert status(honest, FORK.submission(10, 10)) == 409
    assert status(honest, FORK.submission(10, 12)) == 422
    assert status(honest, FORK.submission(4, 10)) == 409
    assert status(honest, FORK.submission(0, 12)) == 409
    assert honest.last(ORIGIN) == HONEST.head(10)
    kept = {submission.parse(body).head for body in refused(folder)}
    assert kept == {FORK.head(10), FORK.head(12)}
    assert status(honest, HONEST.submission(10, 12)) == 200


def test_evidence_of_forks_is_bounded(honest, folder, monkeypatch):
    monkeypatch.setattr(witness, "MOST_KEPT", 2)
    honest.add_checkpoint(HONEST.submission(0, 10))
    for size in (11, 12, 13, 14):
        assert status(honest, FORK.submission(10, size)) == 422
    assert len(refused(folder)) == 2


def test_what_does_not_concern_it_is_refused(honest, folder):
    other = Log(HONEST.hashes, durable.Ed25519PrivateKey.generate())
    stranger = Log(HONEST.hashes, origin="elsewhere.example.org/1")
    assert status(honest, stranger.submission(0, 3)) == 404
    assert status(honest, other.submission(0, 3)) == 403
    assert status(honest, HONEST.submission(9, 3, [])) == 400
    assert honest.last(ORIGIN) is None
    assert refused(folder) == []


@pytest.mark.parametrize(
    "path",
    [[], [bytes(32)], [bytes(32)] * 63],
    ids=["none", "wrong", "long"],
)
def test_a_proof_that_proves_nothing_is_refused(honest, path):
    honest.add_checkpoint(HONEST.submission(0, 5))
    assert status(honest, HONEST.submission(5, 9, path)) == 422
    assert status(honest, HONEST.submission(5, 9)) == 200


def test_from_nothing_there_is_nothing_to_prove(honest):
    assert status(honest, HONEST.submission(0, 5, [bytes(32)])) == 422
    assert status(honest, HONEST.submission(0, 0)) == 200
    nothing = HONEST.submission(0, 0).replace(base64.b64encode(HONEST.head(0).root), base64.b64encode(bytes(32)))
    assert status(honest, nothing) == 403


GOOD = HONEST.submission(5, 9).decode()
MALFORMED = {
    "empty": "",
    "no old size": GOOD.partition("\n")[2],
    "leading zero": GOOD.replace("old 5", "old 05"),
    "negative": GOOD.replace("old 5", "old -5"),
    "other digits": GOOD.replace("old 5", "old ٥"),
    "two spaces": GOOD.replace("old 5", "old  5"),
    "huge": GOOD.replace("old 5", "old " + "9" * 30),
    "short hash": GOOD.replace("\n", "\nAAAA\n", 1),
    "no base64": GOOD.replace("\n", "\n!!!!\n", 1),
    "64 hashes": GOOD.replace("\n", "\n" + (base64.b64encode(bytes(32)).decode() + "\n") * 64, 1),
    "no checkpoint": GOOD.partition("\n\n")[0] + "\n\n",
    "no signature": GOOD.rpartition("\n\n")[0] + "\n",
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "no newline at the end": GOOD.rstrip("\n"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_submission_is_400(honest, name):
    assert status(honest, MALFORMED[name].encode()) == 400


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: f"old 5\n{text}\n\n{text}".encode("utf-8", "replace"))
)
def test_hostile_bytes_are_malformed_and_nothing_else(body):
    with pytest.raises(Malformed):
        submission.parse(body)


def test_it_has_persisted_before_it_cosigns(honest, monkeypatch):
    honest.add_checkpoint(HONEST.submission(0, 3))

    def killed(*_):
        raise KeyboardInterrupt

    for step in ("fsync", "open"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, killed)
            with pytest.raises(KeyboardInterrupt):
                honest.add_checkpoint(HONEST.submission(3, 9))
        assert honest.last(ORIGIN).size == 3
    with monkeypatch.context() as patch:
        patch.setattr(notes, "cosign", killed)
        with pytest.raises(KeyboardInterrupt):
            honest.add_checkpoint(HONEST.submission(3, 9))
    assert honest.last(ORIGIN).size == 9


def test_of_requests_in_a_race_one_history_comes_out(honest):
    """Honest and forked heads of every size at once, many times over: what was cosigned lies on one line."""
    honest.add_checkpoint(HONEST.submission(0, 4))
    bodies = [log.submission(old, size) for log in (HONEST, FORK) for old in range(4, 20) for size in range(old, 21)]
    random.Random(7).shuffle(bodies)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(honest.add_checkpoint, bodies))
    signed = {submission.parse(body).head for body, answer in zip(bodies, answers, strict=True) if answer.status == 200}
    assert signed
    for log in (HONEST, FORK):
        if any(head.size > 4 and head == log.head(head.size) for head in signed):
            assert all(head == log.head(head.size) for head in signed)
    assert honest.last(ORIGIN).size == max(head.size for head in signed)


def test_it_remembers_each_log_by_itself(folder):
    other = Log(FORK.hashes, PRIVATE, "elsewhere.example.org/1")
    found = made(folder, HONEST.key, other.key)
    assert status(found, HONEST.submission(0, 10)) == status(found, other.submission(0, 10)) == 200
    found.close()
    again = made(folder, HONEST.key, other.key)
    assert (again.last(ORIGIN), again.last(other.origin)) == (HONEST.head(10), other.head(10))
    again.close()


def test_a_memory_that_cannot_be_read_stops_it(honest, folder):
    honest.add_checkpoint(HONEST.submission(0, 3))
    (memory,) = folder.glob("*.note")
    for text in ("", "x", str(HONEST.head(3)), HONEST.submission(0, 3).decode().replace(ORIGIN, "other")):
        memory.write_text(text)
        with pytest.raises(WitnessError, match=r"cannot be read|of another log"):
            honest.add_checkpoint(HONEST.submission(3, 9))


def test_one_folder_serves_one_process_and_one_key(honest, folder):
    with pytest.raises(WitnessError, match="Another process"):
        made(folder)
    with pytest.raises(FileExistsError):
        witness.make(folder, NAME)
    honest.add_checkpoint(HONEST.submission(0, 3))
    honest.add_checkpoint(FORK.submission(3, 3))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_a_key_goes_by_one_name(folder):
    with pytest.raises(NoteError, match="neither spaces nor a plus"):
        witness.make(folder, "two words")
    witness.make(folder, NAME)
    durable.replace(folder / witness.VKEY_FILE, str(HONEST.key).encode())
    with pytest.raises(WitnessError, match="do not belong together"):
        made(folder)
