"""JSON that is read piece by piece: the same as read at once, wherever the pieces end."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.verifier.verify import MAX_LINE, Document, Proofs, Refused, lines
from tests.audit.verifier import packs
from tests.audit.verifier.packs import Log, with_manifest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(), lambda inner: st.lists(inner, max_size=4)
)
PATHS = st.dictionaries(st.integers(0, 10**18 - 1).map(str), st.lists(st.binary(min_size=32, max_size=32), max_size=3))


def in_pieces(data: bytes, size: int):
    stream = io.BytesIO(data)
    return lambda _: stream.read(size)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES), st.integers(1, 9), st.sampled_from([None, 2]))
def test_a_document_is_read_the_same_in_pieces_of_any_size(content, size, indent):
    document = Document(in_pieces(json.dumps(content, indent=indent).encode(), size))
    assert {key: document.value() for key in document.members()} == content
    document.end()


@settings(deadline=None)
@given(PATHS, st.permutations(["format", "inclusion", "range"]), st.integers(1, 99))
def test_proofs_are_found_in_any_order(paths, order, size):
    members = {
        "format": "agp-proofs/1", "range": None, "inclusion": {seq: packs.hexes(path) for seq, path in paths.items()},
    }  # fmt: skip
    proofs = Proofs(in_pieces(json.dumps({key: members[key] for key in order}).encode(), size))
    for seq in sorted(paths):
        assert proofs.path(int(seq)) == paths[seq]
    assert proofs.rest() == []


GOOD = '{"format":"agp-proofs/1","inclusion":{},"range":null}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "{1:2}",
        GOOD[:-1],
        GOOD[:-1] + ",}",
        GOOD + "{}",
        GOOD[:-1] + ',"range":null}',
        GOOD[:-1] + ',"more":1}',
        GOOD.replace("1", "2"),
        GOOD.replace(",", " "),
        GOOD.replace('"format":"agp-proofs/1",', ""),
        GOOD.replace("{}", "[]"),
        GOOD.replace("{}", '{"01":[]}'),
        GOOD.replace("{}", '{"1":[],"1":[]}'),
        GOOD.replace("{}", '{"1":["00"]}'),
        GOOD.replace("{}", '{"1":["' + "a" * (2 << 20)),
    ],
    ids=range(18),
)
def test_proofs_of_another_form_are_refused(text):
    with pytest.raises(Refused):
        Proofs(in_pieces(text.encode(), 1 << 16)).rest()


def test_a_large_session_is_proven_though_its_proofs_come_backwards(auditor):
    log = Log().fill(400)
    files = log.pack("session", log.lines[::2])
    proofs = json.loads(files["proofs.json"])
    proofs["inclusion"] = dict(reversed(proofs["inclusion"].items()))
    for indent in (None, 1):
        changed = json.dumps(proofs, indent=indent).encode()
        assert auditor.run(with_manifest(files | {"proofs.json": changed})) == 0, auditor.said()


@settings(deadline=None)
@given(st.lists(st.binary().map(lambda line: line.replace(b"\n", b""))), st.integers(1, 9), st.booleans())
def test_lines_are_cut_at_newlines_and_nowhere_else(expected, size, ended):
    data = b"\n".join(expected) + b"\n" * ended
    got = list(lines(in_pieces(data, size)))
    assert got == (data.split(b"\n")[:-1] if data.endswith(b"\n") or not data else data.split(b"\n"))


def test_a_line_without_an_end_is_refused_before_it_is_read():
    read = []
    with pytest.raises(Refused):
        list(lines(lambda size: read.append(size) or b"x" * size))
    assert sum(read) < MAX_LINE + (1 << 20)
