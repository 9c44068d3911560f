"""RFC 9162 §2.1, against the definition itself: every leaf, every pair of sizes and every range of every small tree."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.proofs import merkle
from audit.proofs.merkle import EMPTY_ROOT, Frontier, ProofError, node_hash

LARGEST = 34


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


LEAVES = [leaf(bytes([number])) for number in range(LARGEST)]

# The eight leaves of the reference implementations' own tests, and the roots of the trees of the first n of them.
REFERENCE_LEAVES = [
    leaf(bytes.fromhex(text))
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
REFERENCE_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def defined(leaves: list[bytes]) -> bytes:
    """The root as §2.1.1 defines it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(defined(leaves[:split]), defined(leaves[split:]))


class Nodes(dict):
    def __init__(self, leaves: list[bytes]) -> None:
        super().__init__()
        self.leaves = leaves

    def __missing__(self, node: merkle.Node) -> bytes:
        level, index = node
        return defined(self.leaves[index << level : (index + 1) << level])


ROOTS = [defined(LEAVES[:size]) for size in range(LARGEST + 1)]
NODES = Nodes(LEAVES)


def inclusion(index: int, size: int) -> list[bytes]:
    return merkle.proof(merkle.inclusion_steps(index, size), NODES)


def consistency(first: int, second: int) -> list[bytes]:
    return merkle.proof(merkle.consistency_steps(first, second), NODES)


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementations(size):
    tree = Frontier(0, [])
    tree.append(REFERENCE_LEAVES[:size])
    assert tree.root.hex() == REFERENCE_ROOTS[size - 1]


@pytest.mark.parametrize("size", range(LARGEST))
def test_a_frontier_grown_in_two_steps_is_the_compact_range(size):
    for half in range(size + 1):
        tree = Frontier(0, [])
        tree.append(LEAVES[:half])
        tree = Frontier.from_bytes(half, tree.to_bytes())
        tree.append(LEAVES[half:size])
        assert (tree.size, tree.root) == (size, ROOTS[size])
        assert tree.hashes == [NODES[node] for node in merkle.cover(0, size)]


@pytest.mark.parametrize("size", range(1, LARGEST))
def test_every_leaf_is_proved_and_no_other_is(size):
    for index in range(size):
        path = inclusion(index, size)
        assert merkle.root_from_inclusion(LEAVES[index], index, size, path) == ROOTS[size]
        for other in set(range(size)) - {index}:
            try:
                assert merkle.root_from_inclusion(LEAVES[index], other, size, path) != ROOTS[size]
            except ProofError:
                continue
        for wrong in ([*path, EMPTY_ROOT], path[:-1]):
            if wrong != path:
                with pytest.raises(ProofError, match="too"):
                    merkle.root_from_inclusion(LEAVES[index], index, size, wrong)


@pytest.mark.parametrize("second", range(LARGEST))
def test_every_growth_is_proved(second):
    for first in range(second + 1):
        path = consistency(first, second)
        merkle.check_consistency(first, second, ROOTS[first], ROOTS[second], path)
        for at in range(len(path)):
            changed = [*path[:at], bytes(32), *path[at + 1 :]]
            with pytest.raises(ProofError, match="other roots"):
                merkle.check_consistency(first, second, ROOTS[first], ROOTS[second], changed)
        if 0 < first < second:
            for wrong in ([*path, EMPTY_ROOT], path[:-1]):
                with pytest.raises(ProofError, match=r"too|other"):
                    merkle.check_consistency(first, second, ROOTS[first], ROOTS[second], wrong)
            with pytest.raises(ProofError, match="other roots"):
                merkle.check_consistency(first, second, ROOTS[first - 1], ROOTS[second], path)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 33])
def test_every_range_leads_to_the_root_and_a_missing_leaf_does_not(size):
    for begin in range(size + 1):
        for end in range(begin, size + 1):
            left, right = ([NODES[node] for node in merkle.cover(*span)] for span in ((0, begin), (end, size)))
            assert merkle.root_from_range(begin, size, left, LEAVES[begin:end], right) == ROOTS[size]
            for at in range(begin, end):
                rest = LEAVES[begin:at] + LEAVES[at + 1 : end]
                try:
                    assert merkle.root_from_range(begin, size, left, rest, right) != ROOTS[size]
                except ProofError:
                    continue


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (5, 4)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="there is no leaf"):
        merkle.inclusion_steps(index, size)
    with pytest.raises(ProofError, match="there is no leaf"):
        merkle.root_from_inclusion(LEAVES[0], index, size, [])


def test_a_tree_cannot_shrink():
    with pytest.raises(ValueError, match="cannot have grown"):
        merkle.consistency_steps(3, 2)
    with pytest.raises(ProofError, match="cannot have grown"):
        merkle.check_consistency(3, 2, ROOTS[3], ROOTS[2], [])


@given(st.integers(0, 10**12), st.integers(0, 10**12))
@settings(deadline=None)
def test_a_cover_is_whole_disjoint_and_short(one, other):
    begin, end = sorted((one, other))
    at = begin
    for level, index in merkle.cover(begin, end):
        assert index << level == at
        at += 1 << level
    assert at == end
    assert len(merkle.cover(begin, end)) <= 2 * max(end.bit_length(), 1)
