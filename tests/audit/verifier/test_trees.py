"""The verifier's proofs against the recursive definitions of RFC 6962 §2.1, for every tree up to a size."""

import hashlib

import pytest

from audit.verifier.verify import Contradiction, Frontier, is_consistent, root_by_inclusion
from tests.audit.verifier import packs

LEAVES = [packs.digest(b"\0", bytes([number])) for number in range(70)]
# The log of certificate-transparency's own tests: leaves, and the roots of its first 1, 2, … 8.
KNOWN_LEAVES = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_known_roots_are_reached():
    assert Frontier(0, []).root() == hashlib.sha256(b"").digest()
    frontier, leaves = Frontier(0, []), []
    for leaf, root in zip(KNOWN_LEAVES, KNOWN_ROOTS, strict=True):
        leaves.append(packs.digest(b"\0", bytes.fromhex(leaf)))
        frontier.append(leaves[-1])
        assert frontier.root().hex() == root == packs.root(leaves).hex()


def test_every_inclusion_proof_holds_and_no_changed_one():
    for size in range(1, 34):
        leaves = LEAVES[:size]
        root = packs.root(leaves)
        for seq in range(size):
            path = packs.path(seq, leaves)
            assert root_by_inclusion(leaves[seq], seq, size, path) == root
            assert root_by_inclusion(LEAVES[60], seq, size, path) != root
            for other in range(size):
                assert other == seq or root_by_inclusion(leaves[seq], other, size, path) != root
            for changed in (path[:-1], path[1:], [*path, root], [root, *path], path[::-1]):
                assert changed == path or root_by_inclusion(leaves[seq], seq, size, changed) != root


def test_every_consistency_proof_holds_and_no_changed_one():
    for new in range(2, 34):
        root = packs.root(LEAVES[:new])
        for old in range(1, new):
            before, path = packs.root(LEAVES[:old]), packs.consistency(old, LEAVES[:new])
            assert is_consistent(old, before, new, root, path)
            assert not is_consistent(old, LEAVES[60], new, root, path)
            assert not is_consistent(old, before, new, LEAVES[60], path)
            for changed in (path[:-1], path[1:], [*path, root], [root, *path], path[::-1], []):
                assert changed == path or not is_consistent(old, before, new, root, changed)
            for place in range(len(path)):
                assert not is_consistent(old, before, new, root, [*path[:place], LEAVES[60], *path[place + 1 :]])


def test_a_proof_is_for_trees_of_its_sizes():
    roots = {size: packs.root(LEAVES[:size]) for size in range(1, 12)}
    path = packs.consistency(3, LEAVES[:8])
    assert is_consistent(3, roots[3], 8, roots[8], path)
    for new in (4, 9, 16, 17, 1 << 40):
        assert not is_consistent(3, roots[3], new, roots[8], path)
    path = packs.path(2, LEAVES[:8])
    for size in (3, 4, 9, 16, 17, 1 << 40):
        assert root_by_inclusion(LEAVES[2], 2, size, path) != roots[8]


def test_a_range_between_its_edges_leads_to_the_root():
    for size in range(1, 34):
        leaves = LEAVES[:size]
        for first in range(size + 1):
            for end in range(first, size + 1):
                frontier = Frontier(first, packs.compact(0, first, leaves))
                for leaf in leaves[first:end]:
                    frontier.append(leaf)
                frontier.complete(size, packs.compact(end, size, leaves))
                assert frontier.root() == packs.root(leaves)


@pytest.mark.parametrize("more", [[], LEAVES[:1], LEAVES[:9]])
def test_edges_of_another_length_are_refused(more):
    with pytest.raises(Contradiction):
        Frontier(6, more)
    with pytest.raises(Contradiction):
        Frontier(6, LEAVES[:2]).complete(13, more)
