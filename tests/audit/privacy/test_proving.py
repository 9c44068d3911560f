"""Packs and dumps made before and after something went: both verify, and the second names what says so."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.utils import timezone

from audit import checkpoints, partitions
from audit.export import dump
from audit.models import Erasure, EvidencePack, RetentionRule, Session
from audit.packs import making, work
from audit.privacy import erasing, people, retention
from audit.verifier import verify
from tests.audit.privacy.test_retention import LAST_MONTH, OLD, OVER
from tests.factories import draft, evidence, raw, seal

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

VERA = (("@user.email", "string", "vera@acme.example"),)


@pytest.fixture
def policy(signer, settings, tmp_path) -> Path:
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "signer"
    return tmp_path / "policy.json"


@pytest.fixture(autouse=True)
def _months():
    yield
    partitions.ensure()


def sign(signer, policy: Path) -> None:
    seal()
    checkpoints.sign(raw(), signer)
    told = io.StringIO()
    call_command("ledger_policy", stdout=told)
    policy.write_text(told.getvalue())


ASKED = {
    "title": "t",
    "asked_by": "auditor",
    "asked_at": timezone.now(),
    "reason": "to see it",
    "with_content": True,
    "with_identity": True,
}


def packed(path: Path, **scope) -> Path:
    pack = EvidencePack(**ASKED, **scope)
    with path.open("wb") as file:
        making.write(raw(), pack, file, lambda done, total: None)
    return path


def dumped(path: Path) -> Path:
    with psycopg.Cursor(raw()) as cursor:
        published = checkpoints.latest(cursor)
    path.write_bytes(b"".join(dump.lines(raw(), published, 0, frozenset())))
    return path


def verified(path: Path, policy: Path) -> tuple[int, str]:
    command = [sys.executable, "-I", verify.__file__, str(path), "--policy", str(policy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def theirs():
    mine = {"subject": VERA, "session_id": "v-1"}
    evidence(*(draft("prompt", content=[("@prompt", "string", f"plan {n}")], **mine) for n in range(5)), draft())


def test_a_pack_from_before_an_erasure_and_one_from_after_both_verify(theirs, signer, policy, tmp_path):
    sign(signer, policy)
    session = Session.objects.get(session_id="v-1").pk
    before = packed(tmp_path / "before.zip", kind="session", session=session)
    erasing.run(erasing.ask(people.find("vera@acme.example"), reason="Request 17 of theirs", by="officer"))
    sign(signer, policy)
    after = packed(tmp_path / "after.zip", kind="session", session=session)
    whole = packed(tmp_path / "range.zip", kind="range", first_seq=0, last_seq=6)
    for path in (before, after, whole, dumped(tmp_path / "dump.ndjson")):
        code, said = verified(path, policy)
        assert code == 0, said
        assert ("erased" in said) == (path != before)
    with zipfile.ZipFile(after) as archive:
        assert b"vera" not in b"".join(map(archive.read, archive.namelist()))
        assert archive.read("tombstones.ndjson")


def test_a_tombstone_that_is_left_out_is_tampering(theirs, signer, policy, tmp_path):
    erasing.run(erasing.ask(people.find("vera@acme.example"), reason="Request 17 of theirs", by="officer"))
    sign(signer, policy)
    lines = dumped(tmp_path / "dump.ndjson").read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.ndjson"
    withheld = [
        json.dumps({"seq": told["seq"], "leaf_hash": told["leaf_hash"]}).encode() + b"\n"
        if b"portal.erased.commitment" in line and (told := json.loads(line))
        else line
        for line in lines
    ]
    assert withheld != lines
    cut.write_bytes(b"".join(withheld))
    code, said = verified(cut, policy)
    assert code == 1, said


def test_purged_months_are_ranges_that_verify(signer, policy, tmp_path):
    evidence(*(draft() for _ in range(5)), received_at_us=OLD)
    evidence(draft(), draft())
    RetentionRule.objects.create(part="facts", days=183)
    seal()
    assert retention.run("officer", OVER).months == [f"{LAST_MONTH:%Y-%m}"]
    sign(signer, policy)
    for path in (
        packed(tmp_path / "range.zip", kind="range", first_seq=1, last_seq=6),
        dumped(tmp_path / "dump.ndjson"),
    ):
        code, said = verified(path, policy)
        assert code == 0, said
        assert "purged" in said


def _killed(reason: str) -> None:
    raise KeyboardInterrupt


def test_an_erasure_takes_the_packs_that_would_still_tell(theirs, signer, policy, settings, tmp_path, monkeypatch):
    settings.AUDIT_PACK_FOLDER = tmp_path / "packs"
    sign(signer, policy)
    pack = EvidencePack.objects.create(kind="range", first_seq=0, last_seq=5, **ASKED)
    assert work.make(pack.pk)
    assert list((tmp_path / "packs").iterdir())
    asked = erasing.ask(people.find("vera@acme.example"), reason="Request 17 of theirs", by="officer")
    with monkeypatch.context() as patch:
        patch.setattr(work, "discard", _killed)
        with pytest.raises(KeyboardInterrupt):
            erasing.run(asked)
    assert list((tmp_path / "packs").iterdir())
    assert erasing.run(asked).state == Erasure.DONE
    assert Erasure.objects.get().identities == 1
    pack.refresh_from_db()
    assert pack.discard_reason == "erasure 1"
    assert not list((tmp_path / "packs").iterdir())
