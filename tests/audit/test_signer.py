"""The signer's memory outlives the database, a crash at any step, and somebody who edits or restores it."""

import os

import pytest

from audit import signer as signing
from audit.proofs import merkle, notes
from audit.proofs.checkpoints import Checkpoint
from audit.proofs.merkle import Frontier
from audit.signer import Forked, KeyMissing, Signer, StateBroken
from tests.audit.proofs.test_merkle import LEAVES, consistency

ORIGIN = "portal.example.org/evidence/1/0"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "signer"


@pytest.fixture
def signer(folder):
    made = Signer(folder)
    made.make_key()
    return made


def head(size: int, leaves=LEAVES) -> Checkpoint:
    tree = Frontier(0, [])
    tree.append(leaves[:size])
    return Checkpoint(ORIGIN, size, tree.root, 1_795_000_000)


def test_it_signs_what_grew_from_what_it_signed(signer):
    key = signer.verifier_key(ORIGIN)
    for size, first in ((3, True), (8, False), (8, False), (9, False)):
        note = signer.sign(head(size), consistency, first=first)
        assert notes.verified_by(notes.parse(str(note)), [key]) == {key: None}
        assert signer.last(ORIGIN).size == size


def test_the_same_head_has_the_same_signature(signer):
    assert signer.sign(head(3), consistency, first=True) == signer.sign(head(3), consistency, first=False)


def test_its_files_are_its_owners_alone(signer, folder):
    signer.sign(head(3), consistency, first=True)
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}
    assert folder.stat().st_mode & 0o077 == 0


def test_a_key_is_never_replaced(signer, folder):
    before = (folder / signing.KEY_FILE).read_bytes()
    with pytest.raises(FileExistsError):
        signer.make_key()
    assert (folder / signing.KEY_FILE).read_bytes() == before


def test_an_older_database_is_refused(signer):
    signer.sign(head(8), consistency, first=True)
    with pytest.raises(Forked, match="holds 5 events, but 8 were signed"):
        signer.check(ORIGIN, 5)
    with pytest.raises(Forked, match="older database"):
        signer.sign(head(5), consistency, first=False)


@pytest.mark.parametrize("size", [8, 9])
def test_another_history_is_refused(signer, size):
    signer.sign(head(8), consistency, first=True)
    rewritten = [LEAVES[33], *LEAVES[1:]]
    with pytest.raises(Forked, match="did not grow"):
        signer.sign(head(size, rewritten), consistency, first=False)
    assert signer.last(ORIGIN).root == head(8).root


def test_it_remembers_before_it_hands_out(signer, monkeypatch):
    """Killed at the last moment before the memory is on disk: nothing was signed, and the old memory stands."""
    signer.sign(head(3), consistency, first=True)

    def killed(*_):
        raise KeyboardInterrupt

    for step in ("fsync", "open"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, killed)
            with pytest.raises(KeyboardInterrupt):
                signer.sign(head(8), consistency, first=False)
        assert signer.last(ORIGIN).size == 3
    assert signer.sign(head(8), consistency, first=False)


def test_a_lost_memory_is_not_a_fresh_start(signer, folder):
    signer.sign(head(8), consistency, first=True)
    (folder / signing.STATE_FILE).unlink()
    with pytest.raises(StateBroken, match="does not tell"):
        signer.sign(head(8), consistency, first=False)


@pytest.mark.parametrize("text", ["", "{}", "null", '{"origin": "x", "size": "many", "root": ""}', "\x00"])
def test_a_memory_that_cannot_be_read_stops_it(signer, folder, text):
    (folder / signing.STATE_FILE).write_text(text)
    with pytest.raises(StateBroken, match="cannot be read"):
        signer.check(ORIGIN, 100)


def test_without_a_key_nothing_is_signed(folder):
    signer = Signer(folder)
    assert not signer.has_key
    with pytest.raises(KeyMissing, match="missing or cannot be read"):
        signer.sign(head(3), consistency, first=True)


def test_another_epoch_begins_afresh(signer):
    signer.sign(head(8), consistency, first=True)
    opened = Checkpoint(ORIGIN[:-1] + "1", 5, head(5).root)
    assert signer.sign(opened, consistency, first=True)
    with pytest.raises(merkle.ProofError):
        merkle.check_consistency(8, 5, head(8).root, head(5).root, [])
