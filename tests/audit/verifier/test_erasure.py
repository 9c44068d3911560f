"""Parts that are gone or withheld: valid while a later event of the portal says so, or while nothing is claimed."""

import json

import pytest

from audit.verifier import verify
from tests.audit.verifier.packs import Log, with_manifest


def erased_log(*facts, before=False, agent="portal"):
    """Ten events and a tombstone with these facts, before or after them; the content of seq 5 is gone."""
    log = Log()
    if before:
        log.fill(5)
        seq = log.portal(*facts, agent=agent)
        log.fill(5)
        return log, seq, 7
    log.fill(10)
    return log, log.portal(*facts, agent=agent), 5


def named(log, seq, part="content"):
    return ["@portal.erased.commitment", "string", log.commitment(seq, part)]


PLAIN = Log().fill(10)


def test_an_erased_part_with_its_tombstone_is_valid(auditor):
    log, tombstone, gone = erased_log(named(PLAIN, 5))
    line = log.line(gone, erased={"content": tombstone})
    assert auditor.run(log.pack("session", [line], tombstones=[log.line(tombstone)])) == 0, auditor.said()
    assert auditor.run(log.pack("session", [line, log.line(tombstone)])) == 0
    assert auditor.run(log.pack("range", [*log.lines[:5], line, *log.lines[6:]])) == 0
    assert auditor.run(log.dump(edit=lambda rows: [*rows[:6], line, *rows[7:]])) == 0
    assert auditor.report["parts"]["erased"] == 1
    assert auditor.report["tombstones"]["count"] == 1
    assert auditor.report["tombstones"]["first"][0]["seq"] == tombstone
    assert any(f"seq {tombstone} (event" in each for each in verify.sentences(auditor.report))


def test_an_erased_part_without_a_tombstone_is_tampering(auditor):
    log, tombstone, gone = erased_log(named(PLAIN, 5))
    line = log.line(gone, erased={"content": tombstone})
    assert auditor.run(log.pack("session", [line])) == 1
    assert f"seq {gone}, part content" in auditor.said()
    untold = log.pack("session", [line], tombstones=[log.bare(tombstone)])
    assert auditor.run(untold) == 1
    withheld = log.pack("session", [line], tombstones=[log.line(tombstone, withheld=["facts"])])
    assert auditor.run(withheld) == 1


def test_a_tombstone_without_a_proof_counts_for_nothing(auditor):
    log, tombstone, gone = erased_log(named(PLAIN, 5))
    files = log.pack("session", [log.line(gone, erased={"content": tombstone})], tombstones=[log.line(tombstone)])
    proofs = json.loads(files["proofs.json"])
    del proofs["inclusion"][str(tombstone)]
    assert auditor.run(with_manifest(files | {"proofs.json": json.dumps(proofs).encode()})) == 1
    proofs["inclusion"][str(tombstone)] = proofs["inclusion"][str(gone)]
    assert auditor.run(with_manifest(files | {"proofs.json": json.dumps(proofs).encode()})) == 1


def test_the_tombstone_of_another_event_or_part_is_tampering(auditor):
    for fact in (
        named(PLAIN, 7),
        named(PLAIN, 5, "facts"),
        ["@portal.erased", "string", PLAIN.commitment(5, "content")],
    ):
        log, tombstone, gone = erased_log(fact)
        line = log.line(gone, erased={"content": tombstone})
        assert auditor.run(log.pack("session", [line], tombstones=[log.line(tombstone)])) == 1
        assert "does not say so" in auditor.said()


def test_a_tombstone_before_the_event_is_tampering(auditor):
    log, tombstone, gone = erased_log(["@portal.erased.commitment", "string", "00"], before=True)
    line = log.line(gone, erased={"content": tombstone})
    assert auditor.run(log.pack("session", [log.line(tombstone), line])) == 1
    assert "not later" in auditor.said()
    itself = log.line(gone, erased={"content": gone})
    assert auditor.run(log.pack("session", [itself])) == 1


def test_an_event_cannot_be_its_own_tombstone(auditor):
    draft = Log()
    draft.append("portal", facts="[]", content="[]")
    log = Log()
    log.append("portal", facts=json.dumps([named(draft, 0)]), content="[]")
    assert auditor.run(log.pack("range", [log.line(0, erased={"content": 0})])) == 1
    assert "not later" in auditor.said()


def test_only_the_portal_can_say_that_something_was_erased(auditor):
    log, tombstone, gone = erased_log(named(PLAIN, 5), agent="claude_code")
    line = log.line(gone, erased={"content": tombstone})
    assert auditor.run(log.pack("session", [line, log.line(tombstone)])) == 1
    assert auditor.run(log.pack("session", [line], tombstones=[log.line(tombstone)])) == 1


def test_the_erasure_of_a_person_covers_the_subject_and_nothing_else(auditor):
    for part, code in (("subject", 0), ("facts", 1)):
        fact = ["@portal.erased.subject_commitment", "string", PLAIN.commitment(5, part)]
        log, tombstone, gone = erased_log(fact)
        line = log.line(gone, erased={part: tombstone})
        assert auditor.run(log.pack("session", [line], tombstones=[log.line(tombstone)])) == code, auditor.said()


def test_one_tombstone_can_speak_of_many_parts(auditor):
    log, tombstone, _ = erased_log(named(PLAIN, 5), named(PLAIN, 7), named(PLAIN, 7, "facts"))
    lines = [log.line(5, erased={"content": tombstone}), log.line(7, erased={"content": tombstone, "facts": tombstone})]
    assert auditor.run(log.pack("session", lines, tombstones=[log.line(tombstone)])) == 0
    lines.append(log.line(9, erased={"content": tombstone}))
    assert auditor.run(log.pack("session", lines, tombstones=[log.line(tombstone)])) == 1
    assert "seq 9" in auditor.said()


def test_a_dump_that_ends_before_the_tombstone_is_incomplete(auditor):
    log, tombstone, gone = erased_log(named(PLAIN, 5))
    line = log.line(gone, erased={"content": tombstone})
    assert auditor.run(log.dump(0, 10, edit=lambda rows: [*rows[:6], line, *rows[7:]])) == 2
    assert "beyond the dump" in auditor.said()


def purge(first, last):
    return ["@portal.purged.seq_from", "int", first], ["@portal.purged.seq_to", "int", last]


@pytest.mark.parametrize(("said", "code"), [((2, 6), 0), ((0, 9), 0), ((3, 6), 1), ((2, 5), 1), ((7, 9), 1)])
def test_a_purged_range_needs_an_event_that_covers_it(auditor, said, code):
    log = Log().fill(10)
    by = log.portal(*purge(*said))
    lines = [*log.lines[:2], log.purged(2, 6, by), *log.lines[7:]]
    assert auditor.run(log.pack("range", lines)) == code, auditor.said()
    assert auditor.run(log.pack("session", lines)) == code
    assert auditor.run(log.pack("session", lines[:-1], tombstones=[log.line(by)])) == code
    assert auditor.run(log.dump(edit=lambda rows: [rows[0], *lines])) == code
    assert auditor.report["events"]["purged"] == 5


def test_a_purged_range_needs_every_leaf_hash_and_a_later_event(auditor):
    log = Log().fill(3)
    early = log.portal(*purge(4, 7))
    log.fill(6)
    by = log.portal(*purge(4, 7))
    whole = log.purged(4, 7, by)
    for changed, code in (
        ({}, 0),
        ({"purged_by": early}, 1),
        ({"leaf_hashes": whole["leaf_hashes"][:-1]}, 1),
        ({"leaf_hashes": whole["leaf_hashes"][::-1]}, 1),
        ({"leaf_hashes": [*whole["leaf_hashes"][:-1], "00" * 32]}, 1),
    ):
        lines = [*log.lines[:4], whole | changed, *log.lines[8:]]
        assert auditor.run(log.pack("range", lines)) == code
        assert auditor.run(log.dump(edit=lambda rows, lines=lines: [rows[0], *lines])) == code


def test_a_purged_range_of_nothing_is_no_range(auditor):
    """It would break a silence in two."""
    log = heartbeats(0, 500)
    by = log.portal(*purge(0, 1), at=501)
    auditor.policy["max_heartbeat_gap_seconds"] = 100
    assert auditor.run(log.dump()) == 2
    nothing = {"seq_from": 1, "seq_to": 0, "purged_by": by, "leaf_hashes": []}
    assert auditor.run(log.dump(edit=lambda rows: [*rows[:2], nothing, *rows[2:]])) == 1


def test_withheld_parts_and_events_are_counted_and_claimed_to_prove_nothing(auditor):
    log = Log().fill(10)
    lines = [*log.lines[:4], log.bare(4), log.line(5, withheld=["subject", "content"]), *log.lines[6:]]
    assert auditor.run(log.pack("range", lines)) == 0
    assert auditor.report["events"]["disclosed"] == 9
    assert auditor.report["parts"]["withheld"] == 2
    text = list(verify.sentences(auditor.report))
    assert any("9 of 10 events disclosed" in each for each in text)
    assert any("1 events and 2 parts" in each for each in text)


def test_a_withheld_part_needs_its_true_commitment(auditor):
    log = Log().fill(10)
    for changed in ({"commitment": "00" * 32}, {"commitment": log.commitment(7, "content")}):
        line = log.line(5, withheld=["content"])
        line["content"] = line["content"] | changed
        assert auditor.run(log.pack("range", [*log.lines[:5], line, *log.lines[6:]])) == 1


def heartbeats(*times):
    log = Log()
    for at in times:
        log.heartbeat(at)
    return log


@pytest.mark.parametrize(("times", "longest"), [((0, 60, 120), 60), ((0, 60, 660, 720), 600), ((5,), 0), ((), 0)])
def test_the_longest_silence_is_measured(auditor, times, longest):
    log = heartbeats(*times)
    assert auditor.run(log.dump()) == 0
    assert auditor.report["heartbeats"] == {"count": len(times), "longest_silence_seconds": longest}


def test_a_silence_longer_than_the_policy_allows_is_incomplete(auditor):
    log = heartbeats(0, 60, 660, 720)
    for allowed, code in ((600, 0), (599, 2)):
        auditor.policy["max_heartbeat_gap_seconds"] = allowed
        assert auditor.run(log.dump()) == code
        assert auditor.run(log.pack("range", log.lines)) == code
        assert auditor.run(log.pack("session", log.lines)) == 0


def test_silence_counts_from_the_first_event_and_to_the_last(auditor):
    auditor.policy["max_heartbeat_gap_seconds"] = 100
    log = Log()
    log.append(at=0, facts="[]")
    log.append(at=300, facts="[]")
    assert auditor.run(log.dump()) == 2
    log.heartbeat(at=301)
    assert auditor.run(log.dump()) == 2


def test_only_the_portal_beats(auditor):
    auditor.policy["max_heartbeat_gap_seconds"] = 100
    log = heartbeats(0)
    log.append("claude_code", at=90, facts='[["@event.name","string","ledger.heartbeat"]]')
    log.heartbeat(at=180)
    assert auditor.run(log.dump()) == 2


def test_no_silence_is_counted_across_what_was_purged(auditor):
    auditor.policy["max_heartbeat_gap_seconds"] = 100
    log = heartbeats(0, 60, 120, 180, 240, 300)
    by = log.portal(*purge(1, 4), at=301)
    assert auditor.run(log.dump(edit=lambda rows: [*rows[:2], log.purged(1, 4, by), *rows[6:]])) == 0, auditor.said()
