"""What an auditor does: an export and a policy, the network unplugged, and the verifier’s answer."""

import io
import json
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from audit import checkpoints
from audit.verifier import verify
from tests.factories import draft, raw, record, seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed(signer, settings, tmp_path):
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "signer"
    record(*(draft(content=[("@prompt", "string", f"text ☃ {n}")]) for n in range(300)))
    seal()
    checkpoints.sign(raw(), signer)
    record(draft())
    seal()
    told = io.StringIO()
    call_command("ledger_policy", stdout=told)
    (tmp_path / "policy.json").write_text(told.getvalue())


def exported(folder, *options: str) -> str:
    call_command("export_events", "--evidence", "--output", str(folder / "dump.ndjson"), *options, stderr=io.StringIO())
    return (folder / "dump.ndjson").read_text("utf-8")


def verified(folder) -> subprocess.CompletedProcess[str]:
    arguments = [str(folder / "dump.ndjson"), "--policy", str(folder / "policy.json")]
    return subprocess.run(
        [sys.executable, "-I", verify.__file__, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "options",
    [(), ("--without-content",), ("--without-identity",), ("--after", "0.41")],
    ids=["all", "facts", "nobody", "part"],
)
def test_what_is_exported_verifies(signed, tmp_path, options):
    text = exported(tmp_path, *options)
    done = verified(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(text.splitlines()) == 1 + 300 - (42 if "--after" in options else 0)
    assert ("☃" in text) is ("--without-content" not in options)
    assert ("dana@acme.example" in text) is ("--without-identity" not in options)


def test_one_changed_letter_is_told(signed, tmp_path):
    text = exported(tmp_path)
    (tmp_path / "dump.ndjson").write_text(text.replace("text ☃ 7\\", "text ☃ 8\\"), "utf-8")
    done = verified(tmp_path)
    assert done.returncode == 1
    assert "tampered: seq 7 (event " in done.stdout


@pytest.mark.parametrize("line", [1, 100, 300])
def test_one_missing_event_is_told(signed, tmp_path, line):
    lines = exported(tmp_path).splitlines(keepends=True)
    (tmp_path / "dump.ndjson").write_text("".join(lines[:line] + lines[line + 1 :]), "utf-8")
    assert verified(tmp_path).returncode in (1, 2)


def test_before_anything_is_signed_there_is_nothing_to_verify(db):
    for command in (["export_events", "--evidence"], ["ledger_policy"]):
        with pytest.raises(CommandError, match="Nothing was signed yet"):
            call_command(*command)


def test_a_policy_lists_the_keys_of_every_epoch(signed, tmp_path):
    policy = json.loads((tmp_path / "policy.json").read_text())
    assert policy["origin"].count("/") == 2
    assert [key.partition("+")[0] for key in policy["log_keys"]] == [policy["origin"] + "/0"]
