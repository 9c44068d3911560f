"""A part that is gone: packed only with the event that says so."""

import pytest
from django.core.management import CommandError

from audit import acts
from audit.models import Seal
from tests.audit.packs.auditing import assert_valid, files, report
from tests.audit.packs.auditing import lines as lines_of
from tests.factories import draft, evidence, seal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ledger(signs, database_superuser) -> str:
    """Ten events, of which #4 lost its content; its commitment."""
    made = evidence(*(draft(content=[("@prompt", "string", f"text {n}")]) for n in range(10)))
    commitment = database_superuser.execute(
        "SELECT content_commitment FROM audit_event WHERE id = %s", [made[4].id]
    ).fetchone()[0]
    database_superuser.execute("SET session_replication_role = replica")
    database_superuser.execute("DELETE FROM audit_content WHERE event_id = %s", [made[4].id])
    acts.record("evidence.erased", facts={"portal.erased.commitment": commitment.hex()}, content={"reason": "asked"})
    seal()
    signs()
    return commitment.hex()


RANGE = ("--from-seq", "0", "--to-seq", "9")


def test_nothing_says_why(ledger, exported, tmp_path):
    with pytest.raises(CommandError, match="content of event #4 is gone, and nothing recorded says why"):
        exported(*RANGE)
    assert list(tmp_path.glob("*.zip")) == []
    assert assert_valid(exported(*RANGE, "--without-content"))


@pytest.mark.parametrize("asked", [RANGE, ("--session", "s-1")], ids=["range", "session"])
def test_the_event_that_says_why_goes_with_it(ledger, exported, database_superuser, asked):
    tombstone = Seal.objects.order_by("-seq").first()
    erased = [bytes.fromhex(ledger), tombstone.event_id]
    database_superuser.execute("INSERT INTO audit_erased VALUES (%s, 'content', %s)", erased)
    told = {"commitment": ledger, "erased_by": tombstone.seq}
    path = exported(*asked)
    assert "1 parts erased" in assert_valid(path)
    assert lines_of(path)[4]["content"] == told
    assert "tombstones.ndjson" in files(path)
    assert "asked" not in files(path)["tombstones.ndjson"].decode()
    assert "Erased in 1 event: the content" in report(path)
