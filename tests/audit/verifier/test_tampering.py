"""What anybody could do to a pack or a dump, done; where the manifest names hashes, they are made to fit again."""

import base64
import itertools
import json

import pytest

from audit.verifier import verify
from tests.audit.verifier import packs
from tests.audit.verifier.packs import Log, with_manifest

SMALL = 6


def lines_of(files):
    return files["events.ndjson"].splitlines(keepends=True)


def with_lines(files, lines, **changes):
    return with_manifest(files | {"events.ndjson": b"".join(lines)}, **changes)


def same_json(one: bytes, other: bytes) -> bool:
    """Whether two files of JSON lines say the same: a flipped bit can turn \\u00fc into \\u00FC."""
    try:
        return [json.loads(line) for line in one.splitlines()] == [json.loads(line) for line in other.splitlines()]
    except ValueError:
        return False


def flips(data: bytes, step: int):
    for bit in range(0, 8 * len(data), step):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bit, bytes(changed)


def pack_of(kind, count):
    """With an erased part, its tombstone and two witnesses."""
    log = Log().fill(count)
    erased = log.portal(["@portal.erased.commitment", "string", log.commitment(1, "content")])
    log.fill(2)
    lines = [log.line(1, erased={"content": erased}), *log.lines[2 : count + 1]]
    if kind == "range":
        return log.pack(kind, lines, checkpoint=log.note(witnesses=list(packs.WITNESSES)))
    note, tombstone = log.note(witnesses=list(packs.WITNESSES)), [log.lines[erased]]
    return log.pack(kind, lines[:-1], tombstones=tombstone, checkpoint=note)


def free_text(manifest: bytes) -> list[range]:
    """Where the manifest holds the maker's words, which nothing proves."""
    found = []
    for key in ("title", "made_at", "made_by", "reason"):
        value = json.dumps(json.loads(manifest)[key]).encode()
        start = manifest.index(f'"{key}": '.encode() + value) + len(key) + 5
        found.append(range(start, start + len(value) - 2))
    return found


@pytest.mark.parametrize("kind", ["range", "session"])
@pytest.mark.parametrize(("count", "step"), [(SMALL, 61), pytest.param(49, 1, marks=pytest.mark.slow)])
def test_no_flip_of_a_bit_passes(auditor, kind, count, step):
    """In the long form a pack of 50 events, bit by bit."""
    auditor.policy["quorum"] = 2
    files = pack_of(kind, count)
    assert auditor.run(files) == 0, auditor.said()
    for name, data in files.items():
        words = free_text(data) if name == "manifest.json" else []
        for bit, changed in flips(data, step):
            if name in ("manifest.json", "report.html"):
                proven = not any(bit // 8 in each for each in words)
                assert not proven or auditor.run(files | {name: changed}) != 0, (name, bit)
            else:
                fitting = with_manifest(files | {name: changed})
                assert auditor.run(fitting) != 0 or same_json(data, changed), (name, bit)


def test_a_file_that_does_not_fit_the_manifest_is_tampering(auditor):
    files = pack_of("session", SMALL)
    for name in files.keys() - {"manifest.json"}:
        for _, changed in flips(files[name], 8 * len(files[name]) // 5 + 1):
            assert auditor.run(files | {name: changed}) == 1, name
            assert f"tampered: {name}: is not the file that the manifest names" in auditor.said()


@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_no_flip_of_a_bit_of_a_dump_passes(auditor, step):
    log = Log().fill(SMALL)
    for data in (log.dump(), log.dump(1, 4)):
        assert auditor.run(data) == 0
        for bit, changed in flips(data, step):
            assert auditor.run(changed) != 0 or same_json(data, changed), bit


def every_edit(lines):
    """Each line deleted, each pair swapped, lines doubled and a stranger's put in at each place, each cut."""
    stranger = packs.ndjson([Log().fill(1).lines[0] | {"seq": len(lines) // 2}])
    for place in range(len(lines)):
        yield f"delete {place}", lines[:place] + lines[place + 1 :]
        yield f"first {place}", lines[:place]
    for one, other in itertools.combinations(range(len(lines)), 2):
        swapped = list(lines)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        yield f"swap {one} {other}", swapped
    for place in range(len(lines) + 1):
        yield f"insert at {place}", [*lines[:place], stranger, *lines[place:]]
        for line in lines[:: max(1, len(lines) // 5)]:
            yield f"double at {place}", [*lines[:place], line, *lines[place:]]


@pytest.mark.parametrize("count", [9, pytest.param(50, marks=pytest.mark.slow)])
def test_no_edit_of_the_lines_of_a_range_passes(auditor, count):
    log = Log().fill(count + 5)
    files = log.pack("range", log.lines[2 : count + 2])
    lines = lines_of(files)
    for what, edited in every_edit(lines):
        assert auditor.run(with_lines(files, edited)) == 1, what
        span = {"events": len(edited)}
        if edited:
            span |= {"first_seq": json.loads(edited[0])["seq"], "last_seq": json.loads(edited[-1])["seq"]}
        assert auditor.run(with_lines(files, edited, **span)) in (1, 2), (what, "with a fitting manifest")
        assert auditor.run(files | {"events.ndjson": b"".join(edited)}) == 1, (what, "with the old manifest")


@pytest.mark.parametrize("count", [9, pytest.param(50, marks=pytest.mark.slow)])
def test_no_edit_of_the_lines_of_a_session_passes_by_itself(auditor, count):
    log = Log().fill(2 * count)
    files = log.pack("session", log.lines[::2])
    for what, edited in every_edit(lines_of(files)):
        assert auditor.run(with_lines(files, edited)) == 1, what


def test_a_session_that_was_shortened_throughout_says_that_it_proves_no_completeness(auditor):
    log = Log().fill(20)
    assert auditor.run(log.pack("session", [log.line(3), log.line(9)])) == 0
    assert auditor.report["without_a_hole"] is False
    assert any("selection is complete" in each for each in verify.sentences(auditor.report))


@pytest.mark.parametrize("count", [9, pytest.param(50, marks=pytest.mark.slow)])
def test_no_edit_of_the_lines_of_a_dump_passes(auditor, count):
    log = Log().fill(count + 5)
    for end in (count, count + 5):
        lines = log.dump(0, end).splitlines(keepends=True)
        for what, edited in every_edit(lines):
            assert auditor.run(b"".join(edited)) != 0, (end, what)


def test_a_changed_part_is_named_with_its_event(auditor):
    log = Log().fill(10)
    changed = log.line(5)
    changed["facts"] = changed["facts"] | {"bytes": changed["facts"]["bytes"].replace("accept", "reject")}
    assert auditor.run(log.pack("range", [*log.lines[:5], changed, *log.lines[6:]])) == 1
    event_id = json.loads(log.lines[5]["header"])[1]
    assert [each["where"] for each in auditor.report["findings"]] == [f"seq 5 (event {event_id})"]
    assert "facts" in auditor.said()


def test_bytes_cannot_move_between_parts(auditor):
    log = Log().fill(8)
    for one, other in itertools.permutations(("subject", "origin", "facts", "content"), 2):
        for moved in range(1, 8):
            changed = log.line(3)
            text, rest = changed[one]["bytes"], changed[other]["bytes"]
            changed[one] = changed[one] | {"bytes": text[:-moved]}
            changed[other] = changed[other] | {"bytes": text[-moved:] + rest}
            assert auditor.run(log.pack("session", [changed])) == 1
        swapped = log.line(3)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert auditor.run(log.pack("session", [swapped])) == 1


def test_bytes_cannot_move_between_salt_and_part_or_header_and_part(auditor):
    log = Log().fill(8)
    line = log.line(3)
    facts = line["facts"]
    longer = facts | {"salt": facts["salt"] + facts["bytes"][:1].encode().hex(), "bytes": facts["bytes"][1:]}
    assert auditor.run(log.pack("session", [line | {"facts": longer}])) == 2
    shorter = facts | {"salt": facts["salt"][:-2], "bytes": "a" + facts["bytes"]}
    assert auditor.run(log.pack("session", [line | {"facts": shorter}])) == 2
    assert auditor.run(log.pack("session", [line | {"header": line["header"][:-1]}])) == 1


def test_a_part_cannot_be_dropped_or_made_up(auditor):
    log = Log().fill(8)
    dropped, made_up = log.line(3) | {"content": None}, log.line(4) | {"content": log.line(3)["content"]}
    assert auditor.run(log.pack("session", [dropped])) == 1
    assert auditor.run(log.pack("session", [made_up])) == 1


@pytest.mark.parametrize("field", range(9))
def test_no_field_of_a_header_can_be_changed(auditor, field):
    log = Log().fill(8)
    header = json.loads(log.lines[3]["header"])
    header[field] = {0: "agp-event/2", 8: [["session", "x"]]}.get(field) or (
        header[field] + 1 if isinstance(header[field], int) else header[field][:-1] + "x"
    )
    changed = log.line(3) | {"header": json.dumps(header, separators=(",", ":"))}
    assert auditor.run(log.pack("range", [*log.lines[:3], changed, *log.lines[4:]])) == 1
    assert "seq 3" in auditor.said()


def test_an_id_and_a_time_that_disagree_are_reported_though_they_were_sealed(auditor):
    log = Log()
    header = '["agp-event/1","01a1fd3a-0236-7d89-8000-0013e47ce217",1795241259300124,1,"laptops",7,"","claude_code",[]]'
    log.append(header=header, facts="[]")
    assert auditor.run(log.dump()) == 1
    assert "different times" in auditor.said()


def test_a_header_of_another_format_is_unsupported(auditor):
    log = Log()
    log.append(header='["agp-event/2","01a1fd3a-0236-7d89-8000-0013e47ce217",1795241259300123,1,"",7,"","x",[]]')
    assert auditor.run(log.dump()) == 2


def test_a_number_cannot_be_given_to_another_event(auditor):
    log = Log().fill(8)
    files = log.pack("session", [log.line(3)])
    moved = json.loads(files["events.ndjson"]) | {"seq": 4}
    proofs = json.loads(files["proofs.json"])
    proofs["inclusion"] = {"4": proofs["inclusion"]["3"]}
    changed = files | {"events.ndjson": packs.ndjson([moved]), "proofs.json": json.dumps(proofs).encode()}
    assert auditor.run(with_manifest(changed, first_seq=4, last_seq=4)) == 1


@pytest.mark.parametrize("key", ["size", "first_seq", "last_seq", "events"])
def test_the_manifest_cannot_state_other_numbers(auditor, key):
    files = Log().fill(8).pack("range", Log().fill(8).lines)
    for value in (None, -1, 3, 1e9, True, "8"):
        assert auditor.run(with_manifest(files, **{key: value})) == 1
        assert key in auditor.said()


def test_a_log_written_anew_and_signed_with_another_key_is_not_believed(auditor):
    log = Log().fill(8)
    stranger = log.note(private=packs.key(9))
    assert auditor.run(log.pack("range", log.lines, checkpoint=stranger)) == 2
    assert "no signature of a key in the policy" in auditor.said()
    name, blob = packs.EPOCH_ORIGIN, stranger.split()[-1]
    own = base64.b64decode(log.note().split()[-1])[:4]
    forged = stranger.replace(blob, base64.b64encode(own + base64.b64decode(blob)[4:]).decode())
    assert auditor.run(log.pack("range", log.lines, checkpoint=forged)) == 1
    assert f"signature ({name}) does not hold" in auditor.said()


def test_a_witness_cannot_sign_in_the_place_of_the_log(auditor):
    """Its key under the log's name, its signature of the other kind."""
    log = Log().fill(3)
    auditor.policy["witness_keys"] = [packs.vkey("w", packs.LOG_KEY, 4)]
    text = log.note().partition("\n\n")[0] + "\n"
    only = text + "\n" + packs.signature_line("w", packs.LOG_KEY, 4, bytes(8) + packs.LOG_KEY.sign(text.encode()))
    assert auditor.run(log.pack("range", log.lines, checkpoint=only)) != 0


def test_an_older_checkpoint_covers_less_and_is_old(auditor):
    log = Log().fill(20)
    files = log.pack("range", log.lines[:10], checkpoint=log.note(10), size=10)
    assert auditor.run(files) == 0
    auditor.policy["max_checkpoint_age_seconds"] = 3600
    assert auditor.run(files) == 0
    assert auditor.run(files, now=packs.CHECKPOINT_TIME + 3601) == 2
    assert "3601 s old" in auditor.said()
    assert auditor.run(log.pack("range", log.lines[:12], checkpoint=log.note(10))) != 0
    assert auditor.run(log.dump(checkpoint=log.note(10))) == 2
    untimed = log.pack("range", log.lines[:10], checkpoint=log.note(10, time=None), size=10)
    assert auditor.run(untimed) == 2


def test_a_checkpoint_from_the_future_is_not_accepted(auditor):
    assert auditor.run(Log().fill(3).dump(), now=packs.CHECKPOINT_TIME - 3600) == 2


def signed(text):
    return text + "\n" + packs.signature_line(packs.EPOCH_ORIGIN, packs.LOG_KEY, 1, packs.LOG_KEY.sign(text.encode()))


ROOT = base64.b64encode(packs.root(Log().fill(4).leaves)).decode()
HEAD = f"{packs.EPOCH_ORIGIN}\n4\n{ROOT}\n"


@pytest.mark.parametrize(
    ("note", "code"),
    [
        (signed(HEAD), 0),
        (signed(HEAD + "time 1795250000\n"), 0),
        (signed(HEAD + "anything else\n"), 0),
        (signed(HEAD) + "— unknown.example AAAAAAAA\n", 0),
        (signed(HEAD)[:-1], 2),
        (signed(HEAD) + "— unknown.example AAAAAAAA", 2),
        (signed(HEAD) + "unknown.example AAAAAAAA\n", 2),
        (signed(HEAD) + "— unknown.example AAAAAAAA\n" * 100, 2),
        (HEAD, 2),
        (HEAD + "\n", 2),
        (signed(HEAD + "time 1795250000\ntime 1795250001\n"), 2),
        (signed(HEAD + "time 2026-11-21T08:33:20Z\n"), 2),
        (signed(HEAD + "\nanything\n"), 2),
        (signed(HEAD + "a\tb\n"), 2),
        (signed(HEAD.replace("\n4\n", "\n04\n")), 2),
        (signed(HEAD.replace("\n4\n", "\n-4\n")), 2),
        (signed(HEAD.replace("\n4\n", "\n4 \n")), 2),
        (signed(HEAD.replace("=\n", "\n")), 2),
        (signed(HEAD.replace(ROOT, base64.b64encode(bytes(31)).decode())), 2),
    ],
    ids=range(19),
)
def test_a_checkpoint_has_one_form(auditor, note, code):
    log = Log().fill(4)
    assert auditor.run(log.pack("range", log.lines, checkpoint=note)) == code, auditor.said()


def test_a_quorum_counts_witnesses_and_not_lines(auditor):
    log = Log().fill(8)
    one, two = packs.WITNESSES
    for quorum, witnesses, code in (
        (0, [], 0), (1, [], 2), (1, [one], 0),
        (2, [one], 2), (2, [one, one], 2), (2, [two, one], 0), (3, [one, two], 2),
    ):  # fmt: skip
        auditor.policy["quorum"] = quorum
        assert auditor.run(log.pack("range", log.lines, checkpoint=log.note(witnesses=witnesses))) == code
    auditor.policy |= {"quorum": 1, "witness_keys": [packs.vkey(two, packs.WITNESSES[two], 4)]}
    assert auditor.run(log.pack("range", log.lines, checkpoint=log.note(witnesses=[one]))) == 2


def test_two_names_of_one_witness_key_are_one_witness(auditor):
    log, private = Log().fill(4), packs.key(5)
    auditor.policy |= {"quorum": 2, "witness_keys": [packs.vkey(name, private, 4) for name in ("a", "b")]}
    text = log.note().partition("\n\n")[0] + "\n"
    blob = bytes(8) + private.sign(f"cosignature/v1\ntime 0\n{text}".encode())
    note = log.note() + packs.signature_line("a", private, 4, blob) + packs.signature_line("b", private, 4, blob)
    assert auditor.run(log.pack("range", log.lines, checkpoint=note)) == 2
    assert "1 of the 2" in auditor.said()


def test_a_changed_cosignature_spoils_the_checkpoint(auditor):
    log = Log().fill(4)
    note = log.note(witnesses=list(packs.WITNESSES))
    lines = note.splitlines(keepends=True)
    name, blob = lines[-1].split()[1:]
    data = bytearray(base64.b64decode(blob))
    data[11] ^= 1
    lines[-1] = f"— {name} {base64.b64encode(data).decode()}\n"
    assert auditor.run(log.pack("range", log.lines, checkpoint="".join(lines))) == 1


@pytest.mark.parametrize("origin", [packs.ORIGIN + "/1", packs.ORIGIN, packs.ORIGIN + "0/0", "other.example/0"])
def test_a_checkpoint_of_another_log_or_epoch_needs_a_key_of_its_own(auditor, origin):
    log = Log().fill(4)
    files = log.pack("range", log.lines, checkpoint=log.note(origin=origin))
    assert auditor.run(with_manifest(files, origin=origin)) == 2


def test_the_key_of_one_epoch_does_not_sign_for_another(auditor):
    log, origin = Log().fill(4), packs.ORIGIN + "/1"
    auditor.policy["log_keys"].append(packs.vkey(origin, packs.key(8), 1))
    text = log.note(origin=origin).partition("\n\n")[0] + "\n"
    signed = packs.signature_line(packs.EPOCH_ORIGIN, packs.LOG_KEY, 1, packs.LOG_KEY.sign(text.encode()))
    files = log.pack("range", log.lines, checkpoint=f"{text}\n{signed}")
    assert auditor.run(with_manifest(files, origin=origin)) == 2
    assert "no signature of a key in the policy" in auditor.said()


def test_a_later_epoch_is_accepted_with_its_key(auditor):
    log, origin = Log().fill(4), packs.ORIGIN + "/1"
    auditor.policy["log_keys"].append(packs.vkey(origin, packs.LOG_KEY, 1))
    files = log.pack("range", log.lines, checkpoint=log.note(origin=origin))
    assert auditor.run(with_manifest(files, origin=origin)) == 0


def test_a_history_written_anew_with_the_right_key_is_seen_by_whoever_kept_a_checkpoint(auditor):
    log, rewritten = Log().fill(12), Log().fill(5)
    rewritten.append(facts="[]")
    rewritten.fill(6)
    kept = auditor.file("kept", log.note())
    assert auditor.run(log.dump(), "--previous", kept) == 0
    assert auditor.run(rewritten.dump(), "--previous", kept) == 1
    assert "another history" in auditor.said()


def test_a_dump_from_the_beginning_needs_no_consistency_proof(auditor):
    log, rewritten = Log().fill(12), Log().fill(5)
    rewritten.append(facts="[]")
    rewritten.fill(6)
    for size in range(13):
        kept = auditor.file("kept", log.note(size))
        assert auditor.run(log.dump(), "--previous", kept) == 0
        assert auditor.run(rewritten.dump(), "--previous", kept) == (1 if size > 5 else 0)
    kept = auditor.file("kept", log.note(7))
    assert auditor.run(log.dump(0, 7), "--previous", kept) == 0
    assert auditor.run(log.dump(7), "--previous", kept) == 0
    assert auditor.run(log.dump(0, 6), "--previous", kept) == 2


def test_a_pack_is_held_against_an_older_checkpoint_by_a_consistency_proof(auditor):
    log = Log().fill(12)
    files = log.pack("session", [log.line(11)])
    kept = auditor.file("kept", log.note(7))
    assert auditor.run(files, "--previous", kept) == 2
    assert "could not be compared" in auditor.said()
    proof = packs.consistency(7, log.leaves)
    right = auditor.file("proof", "\n".join(packs.hexes(proof)) + "\n")
    assert auditor.run(files, "--previous", kept, "--consistency", right) == 0
    wrong = auditor.file("wrong", "\n".join(packs.hexes(proof[::-1])))
    assert auditor.run(files, "--previous", kept, "--consistency", wrong) == 1
    other = auditor.file("other", packs.note(7, bytes(32)))
    assert auditor.run(files, "--previous", other, "--consistency", right) == 1
    unsigned = auditor.file("unsigned", log.note(7, private=packs.key(9)))
    assert auditor.run(files, "--previous", unsigned, "--consistency", right) == 2


def test_a_pack_with_a_checkpoint_older_than_the_kept_one_is_compared_the_other_way_round(auditor):
    log = Log().fill(12)
    files = log.pack("session", [log.line(3)], size=7)
    kept = auditor.file("kept", log.note())
    right = auditor.file("proof", "\n".join(packs.hexes(packs.consistency(7, log.leaves))))
    assert auditor.run(files, "--previous", kept, "--consistency", right) == 0


def test_a_dump_can_be_held_against_a_checkpoint_from_elsewhere(auditor):
    log = Log().fill(9)
    assert auditor.run(log.dump(), "--checkpoint", auditor.file("checkpoint", log.note())) == 0
    assert auditor.run(log.dump(), "--checkpoint", auditor.file("checkpoint", packs.note(9, bytes(32)))) == 1
    headless = log.dump(edit=lambda rows: [rows[0] | {"checkpoint": None}, *rows[1:]])
    assert auditor.run(headless) == 2
    assert auditor.run(headless, "--checkpoint", auditor.file("checkpoint", log.note())) == 0


def test_a_proof_with_more_or_fewer_hashes_does_not_hold(auditor):
    log = Log().fill(11)
    files = log.pack("session", [log.line(5)])
    proofs = json.loads(files["proofs.json"])
    path = proofs["inclusion"]["5"]
    for changed in (path[:-1], path[1:], [*path, path[0]], [], path[::-1]):
        broken = json.dumps(proofs | {"inclusion": {"5": changed}}).encode()
        assert auditor.run(with_manifest(files | {"proofs.json": broken})) == 1
    files = log.pack("range", log.lines[3:6])
    proofs = json.loads(files["proofs.json"])
    for side in ("left", "right"):
        span = proofs["range"]
        for changed in (span[side][:-1], [*span[side], path[0]], span[side][::-1]):
            broken = json.dumps(proofs | {"range": span | {side: changed}}).encode()
            assert auditor.run(with_manifest(files | {"proofs.json": broken})) == 1


def test_a_range_cannot_be_shifted(auditor):
    log = Log().fill(12)
    files = log.pack("range", log.lines[3:6])
    shifted = [line | {"seq": line["seq"] + 1} for line in log.lines[3:6]]
    proofs = json.loads(files["proofs.json"])
    proofs["range"] |= {"first": 4, "last": 6}
    changed = files | {"events.ndjson": packs.ndjson(shifted), "proofs.json": json.dumps(proofs).encode()}
    assert auditor.run(with_manifest(changed, first_seq=4, last_seq=6)) == 1
