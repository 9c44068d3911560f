"""What a stranger could hand an auditor: never a traceback, never exit code 0, and no more memory or time than told."""

import ast
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from audit.verifier import verify
from tests.audit.verifier import packs
from tests.audit.verifier.packs import Log, with_manifest

SOURCE = Path(verify.__file__)


def test_it_imports_only_the_standard_library_and_nothing_that_speaks_to_a_network():
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = set()
    for each in ast.walk(tree):
        if isinstance(each, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in each.names}
        elif isinstance(each, ast.ImportFrom):
            assert each.level == 0
            imported.add((each.module or "").partition(".")[0])
    assert imported <= sys.stdlib_module_names
    assert not imported & {
        "socket",
        "ssl",
        "urllib",
        "http",
        "ftplib",
        "smtplib",
        "asyncio",
        "subprocess",
        "ctypes",
        "os",
    }
    names = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    assert not names & {"eval", "exec", "__import__", "compile"}


def test_it_runs_by_itself_without_site_packages(tmp_path):
    log = Log().fill(20)
    (tmp_path / "verify.py").write_bytes(SOURCE.read_bytes())
    (tmp_path / "pack.zip").write_bytes(packs.zipped(log.pack("range", log.lines), zipfile.ZIP_DEFLATED))
    (tmp_path / "policy.json").write_text(json.dumps(packs.policy()))
    command = [sys.executable, "-I", "-S", "verify.py", "pack.zip", "--policy", "policy.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env={"LC_ALL": "C"}, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"VALID")


@pytest.mark.parametrize(
    "arguments",
    [[], ["missing.zip", "--policy", "policy.json"], ["policy.json"], ["policy.json", "--policy", "missing.json"],
     ["policy.json", "--policy", "policy.json", "--consistency", "policy.json"],
     ["policy.json", "--policy", "policy.json", "--now", "soon"]],
)  # fmt: skip
def test_wrong_usage_is_exit_code_3(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.json").write_text(json.dumps(packs.policy()))
    with pytest.raises(SystemExit) as exit_:
        verify.main(arguments)
    assert exit_.value.code == 3
    assert "verify.py: " in capsys.readouterr().err


def test_of_a_pack_that_was_unzipped_it_asks_for_the_zip(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        verify.main([str(tmp_path), "--policy", str(tmp_path)])
    assert exit_.value.code == 3
    assert "is a folder: name the file itself" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes",
    [{"format": "agp-policy/2"}, {"origin": ""}, {"log_keys": None}, {"log_keys": ["x"]}, {"quorum": -1}, {"more": 1},
     {"quorum": "1"}, {"log_keys": [packs.vkey(packs.EPOCH_ORIGIN, packs.LOG_KEY, 4)]}, {"witness_keys": [7]},
     {"max_checkpoint_age_seconds": True}, {"log_keys": []}],
)  # fmt: skip
def test_a_policy_that_cannot_be_followed_is_not_followed(auditor, changes):
    auditor.policy = packs.policy(**changes)
    assert auditor.run(Log().fill(3).dump()) == 2


def test_a_key_whose_id_is_another_keys_is_refused(auditor):
    name, _, data = packs.vkey(packs.EPOCH_ORIGIN, packs.LOG_KEY, 1).split("+", 2)
    auditor.policy = packs.policy(log_keys=[f"{name}+00000000+{data}"])
    assert auditor.run(Log().fill(3).dump()) == 2
    assert "id of the key" in auditor.said()


BAD_LINES = {
    "no JSON": b"{",
    "no object": b"[]",
    "empty": b"",
    "two values": b'{"seq":0,"leaf_hash":""} {}',
    "deep": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "long number": b'{"seq":' + b"9" * 100_000 + b',"leaf_hash":""}',
    "64 bits": b'{"seq":18446744073709551616,"leaf_hash":"' + b"0" * 64 + b'"}',
    "negative": b'{"seq":-1,"leaf_hash":"' + b"0" * 64 + b'"}',
    "float": b'{"seq":0.0,"leaf_hash":"' + b"0" * 64 + b'"}',
    "true": b'{"seq":true,"leaf_hash":"' + b"0" * 64 + b'"}',
    "NaN": b'{"seq":NaN,"leaf_hash":""}',
    "Infinity": b'{"seq":-Infinity,"leaf_hash":""}',
    "a key twice": b'{"seq":0,"seq":0,"leaf_hash":"' + b"0" * 64 + b'"}',
    "capitals": b'{"seq":0,"leaf_hash":"' + b"A" * 64 + b'"}',
    "spaces in hex": b'{"seq":0,"leaf_hash":"' + b" " + b"0" * 63 + b'"}',
    "no UTF-8": b'{"seq":0,"leaf_hash":"\xff"}',
    "half a pair": b'{"seq":0,"leaf_hash":"\\ud800"}',
    "unknown key": b'{"seq":0,"leaf_hash":"' + b"0" * 64 + b'","more":1}',
    "long": b" " * (verify.MAX_LINE + (1 << 19)),
    "many small values": b"[" + b"[]," * (10 << 20) + b"[]]",
    "many small strings": b"[" + b'"",' * (10 << 20) + b"0]",
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_a_line_that_is_no_evidence_is_refused_with_a_sentence(auditor, line):
    log = Log().fill(3)
    files = log.pack("range", log.lines)
    assert auditor.run(with_manifest(files | {"events.ndjson": line + b"\n" + files["events.ndjson"]})) == 2
    assert auditor.run(log.dump() + line + b"\n") == 2
    assert auditor.run(line + b"\n" + log.dump()) == 2
    for name in ("proofs.json", "checkpoint"):
        assert auditor.run(with_manifest(files | {name: line})) == 2
    assert auditor.run(files | {"manifest.json": line}) == 2


@pytest.mark.parametrize("part", [1, [], {}, "x", {"salt": "00" * 16}, {"salt": "00" * 15, "bytes": ""},
                                  {"salt": "00" * 16, "bytes": 1}, {"salt": "00" * 16, "bytes": "\ud800"},
                                  {"commitment": "00" * 32}, {"commitment": "00" * 32, "withheld": False},
                                  {"commitment": "00" * 32, "withheld": 1}, {"commitment": "00" * 32, "erased_by": "9"},
                                  {"salt": "00" * 16, "bytes": "", "withheld": True}])  # fmt: skip
def test_a_part_of_another_form_is_refused(auditor, part):
    log = Log().fill(3)
    files = log.pack("range", log.lines)
    lines = packs.ndjson([log.lines[0]]) + json.dumps(log.lines[1] | {"facts": part}).encode() + b"\n"
    assert auditor.run(with_manifest(files | {"events.ndjson": lines + packs.ndjson(log.lines[2:])})) == 2


def test_a_zip_with_a_name_that_leads_elsewhere_is_refused(auditor):
    log = Log().fill(3)
    files = log.pack("range", log.lines)
    plain = packs.zipped(files | {"NAME": b"x"})
    for name in (
        b"../a",
        b"/etc",
        b"a/bc",
        b"a\\bc",
        b"....",
        b".hid",
        b"a\nbc",
        b"a\0bc",
        b"ab\xff\xff",
        b"a bc",
        b"NAM/",
    ):
        assert auditor.run(plain.replace(b"NAME", name)) == 2, name
        assert "of the name" in auditor.said()
    assert auditor.run(packs.zipped(files | {"x" * 200: b"x"})) == 2


def test_a_zip_with_the_same_name_twice_is_refused(auditor):
    log = Log().fill(3)
    data = packs.zipped(log.pack("range", log.lines) | {"second.ndjson": b""})
    for second in (b"events.ndjson", b"EVENTS.ndjson"):
        assert auditor.run(data.replace(b"second.ndjson", second)) == 2
        assert "the same name" in auditor.said()


def test_files_that_are_missing_or_not_in_the_manifest_are_reported(auditor):
    log = Log().fill(3)
    files = log.pack("session", log.lines)
    for name in files:
        left = {each: data for each, data in files.items() if each != name}
        assert auditor.run(left) == 2
        if name not in ("manifest.json", "report.html"):
            assert auditor.run(with_manifest(left)) == 2
            manifest = json.loads(files["manifest.json"])
            del manifest["files"][name]
            assert auditor.run(files | {"manifest.json": json.dumps(manifest).encode()}) != 0
    assert auditor.run(files | {"IMPORTANT.html": b"all is well"}) == 1
    assert auditor.run(files | {"verify.py": b"print('VALID')"}) == 0


def test_a_zip_in_another_compression_or_encrypted_is_refused(auditor):
    log = Log().fill(3)
    files = log.pack("range", log.lines)
    for compression, code in ((zipfile.ZIP_DEFLATED, 0), (zipfile.ZIP_BZIP2, 2), (zipfile.ZIP_LZMA, 2)):
        assert auditor.run(packs.zipped(files, compression)) == code
    encrypted = bytearray(packs.zipped(files))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    assert auditor.run(bytes(encrypted)) == 2


def test_a_zip_cut_short_is_refused_at_every_length(auditor):
    log = Log().fill(2)
    data = packs.zipped(log.pack("range", log.lines), zipfile.ZIP_DEFLATED)
    for length in range(0, len(data), 11):
        assert auditor.run(data[:length]) == 2


def bomb(name: str, size: int, content: bytes = b" ") -> bytes:
    """A pack in which one file swells to `size` bytes, made without holding them."""
    log = Log().fill(2)
    files = log.pack("range", log.lines)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in files.items():
            with archive.open(each, "w") as member:
                member.write(data)
                for _ in range(size >> 20 if each == name else 0):
                    member.write(content * (1 << 20))
    return buffer.getvalue()


LIMITED = """
import resource, sys
room = int(sys.argv.pop(1)) << 20
resource.setrlimit(resource.RLIMIT_AS, (room, room))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
sys.argv[0] = sys.argv.pop(1)
exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"))
"""


def run_limited(auditor, data: bytes, mebibytes: int = 256) -> subprocess.CompletedProcess:
    """In a process that dies above so much address space or 20 s of work."""
    policy = auditor.file("policy.json", json.dumps(auditor.policy))
    command = [
        sys.executable,
        "-I",
        "-c",
        LIMITED,
        str(mebibytes),
        str(SOURCE),
        auditor.file("evidence", data),
        "--policy",
        policy,
    ]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.mark.parametrize("content", [b" ", b"\n", b"[", b"9"])
@pytest.mark.parametrize("name", ["events.ndjson", "proofs.json", "checkpoint", "manifest.json", "report.html"])
def test_a_zip_bomb_is_refused_within_256_mib(auditor, name, content):
    done = run_limited(auditor, bomb(name, 200 << 20, content))
    assert (done.returncode, done.stderr) in ((1, b""), (2, b"")), done


@pytest.mark.parametrize("content", [b"[],", b"{},", b'"",', b'"\\"",'])
def test_a_long_line_of_small_values_is_refused_within_256_mib(auditor, content):
    line = b"[" + content * (verify.MAX_LINE // len(content) - 1)
    done = run_limited(auditor, line + b"0]\n")
    assert (done.returncode, done.stderr) == (2, b""), done
    assert b"many small values" in done.stdout


def test_an_event_as_long_as_a_line_can_be_is_verified(auditor):
    log = Log()
    log.append(content='[["@prompt","string","' + "a\\n" * (5 << 20) + '"]]')
    files = log.pack("range", log.lines)
    assert auditor.run(packs.zipped(files, zipfile.ZIP_DEFLATED)) == 0, auditor.said()


def test_a_zip_of_many_entries_is_refused_within_256_mib(auditor):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number:06}{'x' * 90}", b"")
    done = run_limited(auditor, buffer.getvalue())
    assert (done.returncode, done.stderr) == (2, b"")


def test_entries_that_overlap_are_refused(auditor):
    log = Log().fill(2)
    data = bytearray(packs.zipped(log.pack("range", log.lines) | {"big": os.urandom(5000), "small": b"x"}))
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(b"small"))
    data[central + 20 : central + 24] = (len(data) - 100).to_bytes(4, "little")
    assert auditor.run(bytes(data)) == 2
    assert "overlap" in auditor.said()


def test_what_the_maker_wrote_cannot_steer_the_auditors_terminal(auditor, capsys):
    log = Log().fill(3)
    evil = "\x1b[2J\u202evalid\u2066\r\nVALID\x07\u200f\ud800"
    files = with_manifest(log.pack("range", log.lines), title=evil)
    arguments = [auditor.file("evidence", packs.zipped(files)), "--policy"]
    arguments.append(auditor.file("policy.json", json.dumps(auditor.policy)))
    assert verify.main([*arguments, "--now", str(packs.NOW)]) == 0
    shown = capsys.readouterr().out
    assert all(each.isprintable() for each in shown.replace("\n", ""))
    assert "\\u{001b}[2J\\u{202e}valid" in shown
    assert sum(line.startswith("VALID") for line in shown.splitlines()) == 1
    verify.main([*arguments, "--json"])
    assert capsys.readouterr().out.isascii()


def mutate(random_: random.Random, data: bytes) -> bytes:
    """One to four changes: bits, bytes, pieces cut, doubled, moved, numbers and words replaced."""
    changed = bytearray(data)
    for _ in range(random_.randint(1, 4)):
        if not changed:
            return b""
        at, length = random_.randrange(len(changed)), random_.choice((1, 1, 2, 8, 64, 500))
        match random_.randrange(7):
            case 0:
                changed[at] ^= 1 << random_.randrange(8)
            case 1:
                changed[at] = random_.choice(b'\x00\n\r \xff{}[],:"0\\-e')
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = changed[at : at + length]
            case 4:
                piece = changed[at : at + length]
                del changed[at : at + length]
                to = random_.randrange(len(changed) + 1)
                changed[to:to] = piece
            case 5:
                changed[at : at + length] = random_.randbytes(length)
            case 6:
                words = (
                    b"null",
                    b"true",
                    b"NaN",
                    b"1e999",
                    b"9" * 30,
                    b'""',
                    b"{}",
                    b"[]",
                    b"[[[[[[[[",
                    b"\\ud800",
                    b"-1",
                )
                changed[at : at + random_.choice((0, 1, 4))] = random_.choice(words)
    return bytes(changed)


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_random_change_passes_or_ends_in_a_traceback(auditor, count):
    random_ = random.Random(19)
    log = Log().fill(12)
    by = log.portal(["@portal.purged.seq_from", "int", 2], ["@portal.purged.seq_to", "int", 4])
    tombstone = log.portal(["@portal.erased.commitment", "string", log.commitment(7, "content")])
    log.heartbeat()
    lines = [log.bare(1), log.purged(2, 4, by), log.line(5, withheld=["facts"]), log.lines[6]]
    lines.append(log.line(7, erased={"content": tombstone}))
    told = [log.lines[by], log.lines[tombstone]]
    session, span = (log.pack(kind, lines, tombstones=told) for kind in ("session", "range"))
    dump = log.dump(1, edit=lambda rows: [rows[0], *lines, *rows[8:]])
    assert [auditor.run(each) for each in (session, span, dump)] == [0, 0, 0], auditor.said()
    passed = 0
    for number in range(count):
        files = random_.choice((session, span))
        kind = random_.randrange(5)
        if kind == 0:
            changed = mutate(random_, packs.zipped(files, random_.choice((0, 8))))
        elif kind == 1:
            changed = mutate(random_, dump)
        else:
            name = random_.choice(sorted(files))
            other = mutate(random_, files[name])
            if other == files[name]:
                continue
            changed = files | {name: other}
            if kind > 2 and name != "manifest.json":
                changed = with_manifest(changed)
        if auditor.run(changed) == 0:
            assert says_the_same(changed, files, dump), number
            passed += 1
    assert passed < count / 5


def says_the_same(changed: bytes | dict[str, bytes], files: dict[str, bytes], dump: bytes) -> bool:
    """Whether all that is proven is unchanged; the rest are the maker's words, and ways to write the same."""
    if isinstance(changed, bytes) and not changed.startswith(b"PK"):
        return [json.loads(each) for each in changed.splitlines()] == [json.loads(each) for each in dump.splitlines()]
    if isinstance(changed, bytes):
        with zipfile.ZipFile(io.BytesIO(changed)) as archive:
            changed = {name: archive.read(name) for name in archive.namelist()}
    manifests = [json.loads(each["manifest.json"]) for each in (changed, files)]
    for each in manifests:
        for key in ("title", "made_at", "made_by", "reason", "complete", "files"):
            del each[key]
    same = [changed.get(name) == data for name, data in files.items() if name not in ("manifest.json", "report.html")]
    lines = [each["events.ndjson"].splitlines() for each in (changed, files)]
    return manifests[0] == manifests[1] and (
        all(same) or [json.loads(each) for each in lines[0]] == [json.loads(each) for each in lines[1]]
    )


@pytest.mark.parametrize("pack", [False, True])
def test_memory_does_not_grow_with_the_evidence(auditor, pack):
    """60 MB of lines within 64 MiB of address space, half of which Python takes before it reads anything."""
    count, log, frontier = 80_000, Log().fill(1000), verify.Frontier(0, [])
    rows = []
    for seq in range(count):
        rows.append(log.lines[seq % 1000] | {"seq": seq})
        frontier.append(log.leaves[seq % 1000])
    note = packs.note(count, frontier.root())
    if pack:
        files = log.pack("range", log.lines, checkpoint=note)
        proofs = json.loads(files["proofs.json"])
        proofs["range"] |= {"last": count - 1, "right": []}
        files |= {"events.ndjson": packs.ndjson(rows), "proofs.json": json.dumps(proofs).encode()}
        data = packs.zipped(with_manifest(files, size=count, last_seq=count - 1, events=count), zipfile.ZIP_DEFLATED)
    else:
        data = packs.ndjson([{"format": "agp-dump/1", "first": 0, "left": [], "checkpoint": note}, *rows])
    done = run_limited(auditor, data, 64)
    assert (done.returncode, done.stderr) == (0, b""), done
