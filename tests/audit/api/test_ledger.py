"""Checkpoints and proofs, checked with nothing but what the API answers."""

import pytest

from audit import checkpoints, leaf
from audit.proofs import merkle, notes
from tests.audit.api.conftest import Api, body
from tests.factories import draft, raw, record, seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor():
    return Api("events:read", "ledger:read")


def ledger(signer, count: int):
    recorded = record(*(draft(content=[("@prompt", "string", "secret")]) for _ in range(count)))
    seal()
    return recorded, checkpoints.sign(raw(), signer)


def test_the_newest_checkpoint_is_a_signed_note(auditor, signer):
    assert auditor.get("ledger/checkpoint/").status_code == 409
    _, head = ledger(signer, 3)
    response = auditor.get("ledger/checkpoint/")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    note = notes.parse(body(response).decode())
    key = signer.verifier_key(head.origin)
    assert notes.verified_by(note, [key]) == {key: None}
    assert note.text == str(head)


def test_an_event_is_proved_from_its_header_and_commitments_to_the_signed_root(auditor, signer):
    recorded, head = ledger(signer, 300)
    for event in (recorded[0], recorded[255], recorded[299]):
        proof = auditor.read(f"events/{event.id}/proof/")
        parts = [bytes.fromhex(proof["commitments"][name]) for name in leaf.PARTS]
        assert leaf.leaf_hash(proof["header"].encode(), *parts) == event.leaf_hash
        path = [bytes.fromhex(each) for each in proof["hashes"]]
        root = merkle.root_from_inclusion(event.leaf_hash, proof["seq"], proof["size"], path)
        assert root == head.root == bytes.fromhex(proof["root"])
        assert proof["checkpoint"].startswith(str(head))
        assert "secret" not in str(proof)


def test_an_event_that_is_not_under_a_checkpoint_yet_says_so(auditor, signer):
    ledger(signer, 1)
    (unsealed,) = record(draft())
    assert auditor.get(f"events/{unsealed.id}/proof/").status_code == 409
    seal()
    assert auditor.get(f"events/{unsealed.id}/proof/").status_code == 409
    checkpoints.sign(raw(), signer)
    assert auditor.get(f"events/{unsealed.id}/proof/").status_code == 200


def test_two_checkpoints_are_proved_to_be_of_one_history(auditor, signer):
    _, older = ledger(signer, 100)
    _, newer = ledger(signer, 200)
    answer = auditor.read("ledger/consistency/", first=100, second=300)
    path = [bytes.fromhex(each) for each in answer["hashes"]]
    merkle.check_consistency(100, 300, older.root, newer.root, path)


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"first": 1},
        {"first": "x", "second": 2},
        {"first": 3, "second": 2},
        {"first": 1, "second": 9},
        {"first": -1, "second": 2},
    ],
)
def test_sizes_that_make_no_sense_are_400(auditor, signer, sizes):
    ledger(signer, 5)
    assert auditor.get("ledger/consistency/", **sizes).status_code == 400


def test_without_its_scope_neither_is_told(signer):
    recorded, _ = ledger(signer, 1)
    reader = Api("events:read")
    assert reader.get("ledger/checkpoint/").status_code == 403
    assert reader.get("ledger/consistency/", first=1, second=1).status_code == 403
    assert reader.get(f"events/{recorded[0].id}/proof/").status_code == 200
    assert Api("ledger:read").get(f"events/{recorded[0].id}/proof/").status_code == 403
    for path in ("ledger/checkpoint/", "ledger/consistency/?first=1&second=1", f"events/{recorded[0].id}/proof/"):
        assert Api().get(path).status_code == 401


def test_a_proof_of_an_event_that_is_not_there_is_404(auditor):
    assert auditor.get("events/01a1fd3a-0236-7d89-8000-0013e47ce217/proof/").status_code == 404
