import io
from pathlib import Path

import pytest
from django.core.management import call_command

from audit import checkpoints
from audit.models import Seal
from tests import captures
from tests.factories import raw

ASKED = ("--by", "rosa@acme.example", "--reason", "Incident 2026-117, second look")
SCENARIOS = ("f-interactive-decisions.json", "a-plain-prompt.json")


@pytest.fixture
def signs(signer, settings, tmp_path):
    """Signs what is numbered, puts the policy beside the packs, and says how many events that are."""
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "signer"
    settings.AUDIT_PACK_FOLDER = tmp_path / "packs"

    def sign() -> int:
        checkpoints.sign(raw(), signer)
        told = io.StringIO()
        call_command("ledger_policy", stdout=told)
        (tmp_path / "policy.json").write_text(told.getvalue())
        return Seal.objects.count()

    return sign


@pytest.fixture
def ledger(db, signs) -> int:
    """Real sessions, numbered, folded and signed; how many events they have."""
    captures.evidence(*SCENARIOS)
    return signs()


@pytest.fixture
def exported(ledger, tmp_path):
    """Writes a pack from the shell; its path."""

    def export(*options: str) -> Path:
        path: Path = tmp_path / "pack.zip"
        call_command("export_events", "--pack", str(path), *ASKED, *options, stderr=io.StringIO())
        return path

    return export
