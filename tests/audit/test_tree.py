"""The tree in the database, against one made of the same leaves in memory."""

import io
import json

import psycopg
import pytest
from django.core.management import CommandError, call_command

from audit import checkpoints, epochs, tree
from audit.exceptions import EpochRetired
from audit.export import cursor, feed
from audit.export.reading import Reader
from audit.loop import Halted
from audit.models import Event, Seal
from audit.proofs import merkle, notes
from audit.proofs.merkle import Frontier
from audit.sealing import Sealing
from audit.signer import Signer
from connectors.tokens.spelling import generate
from tests.factories import draft, raw, record, seal

pytestmark = pytest.mark.django_db


def grow(count: int) -> None:
    record(*(draft() for _ in range(count)))
    seal()


def leaves() -> list[bytes]:
    return [bytes(each) for each in Seal.objects.order_by("seq").values_list("leaf_hash", flat=True)]


def root_of(leaf_hashes: list[bytes]) -> bytes:
    made = Frontier(0, [])
    made.append(leaf_hashes)
    return made.root


def test_sealing_integrates_what_it_numbers():
    for count in (1, 254, 1, 1, 300, 512):
        grow(count)
        with psycopg.Cursor(raw()) as database:
            assert tree.size(database) == len(leaves())
            assert tree.root(database, len(leaves())) == root_of(leaves())


def test_each_leaf_is_proved_under_older_and_newer_heads():
    for count in (100, 200, 500):
        grow(count)
    leaf_hashes = leaves()
    with psycopg.Cursor(raw()) as database:
        for size in (1, 100, 255, 256, 257, 300, 800):
            root = root_of(leaf_hashes[:size])
            for seq in {0, size // 2, size - 1, min(255, size - 1)}:
                path = tree.inclusion(database, seq, size)
                assert merkle.root_from_inclusion(leaf_hashes[seq], seq, size, path) == root


def test_many_leaves_are_proved_as_each_by_itself(monkeypatch):
    monkeypatch.setattr(tree, "PROOFS_AT_ONCE", 200)
    grow(600)
    numbers = [0, *range(3, 580, 2), 599]
    with psycopg.Cursor(raw()) as database:
        assert list(tree.inclusions(database, numbers, 600)) == [
            (seq, tree.inclusion(database, seq, 600)) for seq in numbers
        ]
        assert list(tree.inclusions(database, [], 600)) == []


def test_growth_is_proved_between_any_two_heads():
    grow(700)
    leaf_hashes = leaves()
    with psycopg.Cursor(raw()) as database:
        for first, second in ((1, 2), (100, 700), (255, 256), (256, 700), (300, 513), (700, 700)):
            path = tree.consistency(database, first, second)
            roots = root_of(leaf_hashes[:first]), root_of(leaf_hashes[:second])
            merkle.check_consistency(first, second, *roots, path)


def test_a_range_with_what_lies_around_it_leads_to_the_root():
    grow(600)
    leaf_hashes = leaves()
    with psycopg.Cursor(raw()) as database:
        around = tree.compact_range(database, 0, 130), tree.compact_range(database, 390, 600)
    assert merkle.root_from_range(130, 600, around[0], leaf_hashes[130:390], around[1]) == root_of(leaf_hashes)


def test_beyond_what_is_integrated_there_is_no_proof():
    grow(3)
    with psycopg.Cursor(raw()) as database, pytest.raises(ValueError, match="only 3 events are integrated"):
        tree.consistency(database, 1, 4)


@pytest.mark.django_db(transaction=True)
def test_a_ledger_from_before_it_had_a_tree_is_integrated(database_superuser):
    grow(300)
    database_superuser.execute("SET session_replication_role = replica")
    database_superuser.execute("TRUNCATE audit_tile, audit_head")
    assert seal() == 300
    with psycopg.Cursor(raw()) as database:
        assert tree.root(database, 300) == root_of(leaves())


def test_a_head_is_signed_once(signer):
    assert checkpoints.sign(raw(), signer) is None  # nothing to sign
    grow(5)
    head = checkpoints.sign(raw(), signer)
    assert (head.size, head.root) == (5, root_of(leaves()))
    assert checkpoints.sign(raw(), signer) is None
    grow(300)
    checkpoints.sign(raw(), signer)
    with psycopg.Cursor(raw()) as database:
        published = checkpoints.latest(database)
        assert published.head.size == 305
        assert checkpoints.latest(database, beyond=304) == published
        assert checkpoints.latest(database, beyond=305) is None
    key = signer.verifier_key(published.head.origin)
    assert notes.verified_by(notes.parse(published.note), [key]) == {key: None}


def test_an_origin_names_the_host_the_installation_and_the_epoch(signer):
    grow(1)
    host, evidence, installation, epoch = checkpoints.sign(raw(), signer).origin.split("/")
    assert (host, evidence, epoch) == ("127.0.0.1", "evidence", "0")
    assert len(installation) == 36


def test_a_crash_between_signing_and_storing_is_made_up_for(signer, monkeypatch):
    grow(5)
    signed = signer.sign

    def killed(*arguments, **more):
        signed(*arguments, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(signer, "sign", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.sign(raw(), signer)
    assert signer.last(_origin()).size == 5
    assert checkpoints.sign(raw(), signer).size == 5


def test_sealing_halts_while_more_was_signed_than_the_database_holds(signer):
    grow(5)
    checkpoints.sign(raw(), signer)
    origin = _origin()
    grown = Frontier(5, [])
    signer._remember(type(signer.last(origin))(origin, 9, grown.root))
    record(draft())
    with pytest.raises(Halted, match=r"holds 5 events, but 9 were signed.*docs/ledger\.md"):
        Sealing(signer).round(raw())
    assert (Event.objects.count(), Seal.objects.count()) == (6, 5)


def test_a_new_epoch_goes_on_from_what_is_left_and_says_what_is_missing(signer, settings, tmp_path):
    settings.AUDIT_SIGNER_FOLDER = tmp_path / "signer"
    grow(5)
    checkpoints.sign(raw(), signer)
    with pytest.raises(CommandError, match="holds all that was signed"):
        call_command("new_epoch", reason="x", by="dba", yes=True)
    old = signer.last(_origin())
    signer._remember(type(old)(old.origin, 9, old.root))
    call_command("new_epoch", reason="disk lost, backup of 04:00", by="dba", stdout=io.StringIO())
    assert _origin() == old.origin
    told = io.StringIO()
    why = f"disk lost, backup of 04:00 {generate('api')}"
    call_command("new_epoch", reason=why, by="dba", yes=True, stdout=told)
    with psycopg.Cursor(raw()) as reading:
        reading.execute("SELECT reason FROM audit_epoch WHERE epoch = 1")
        assert reading.fetchone() == ("disk lost, backup of 04:00 [redacted:agp_api]",)
    assert "4 signed events are missing" in told.getvalue()
    assert _origin() == old.origin[:-1] + "1"
    assert Sealing(signer).round(raw()) == 1
    (event,) = Event.objects.filter(event_name="ledger.epoch_opened")
    facts = {key: value for key, _, value in json.loads(bytes(event.facts))}
    assert (facts["@ledger.missing"], facts["@ledger.signed_size"], facts["@ledger.size"]) == (4, 9, 5)
    with pytest.raises(EpochRetired, match=r"begin again with 1\.start"):
        cursor.parse("0.4", feed.epoch())
    assert feed.page(4, 10, Reader(with_content=True, with_identity=True)).next == "1.5"


def test_a_process_without_the_key_numbers_and_signs_nothing(tmp_path):
    record(draft())
    assert Sealing(Signer(tmp_path / "none")).round(raw()) == 1
    with psycopg.Cursor(raw()) as database:
        assert checkpoints.latest(database) is None


def test_it_signs_once_a_second_and_leaves_a_heartbeat_each_minute(signer):
    now = [1000.0]
    sealing = Sealing(signer, clock=lambda: now[0])
    sizes = []
    for step in (0, 0.5, 0.6, 30, 40):
        now[0] += step
        record(draft())
        sealing.round(raw())
        with psycopg.Cursor(raw()) as database:
            sizes.append(checkpoints.latest(database).head.size)
    beats = Event.objects.filter(agent="portal", event_name="ledger.heartbeat")
    assert beats.count() == 2
    assert sizes == [1, 1, 4, 5, 6]


def _origin() -> str:
    with psycopg.Cursor(raw()) as database:
        return epochs.current(database).origin
