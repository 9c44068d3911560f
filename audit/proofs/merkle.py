"""The Merkle tree over leaf hashes (RFC 9162 §2.1, the tree of RFC 6962): roots, frontiers, proofs and their checks.

A node is named (level, index): the root of the full subtree over the leaves [index·2^level, (index+1)·2^level). Any
range of leaves is covered by a few of them (a compact range); every proof is made of such nodes. All hashes are
SHA-256, 32 bytes; leaf hashes are made elsewhere (audit.leaf).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]
"""(level, index)"""


class ProofError(ValueError):
    """A proof does not show what it is said to show."""


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def cover(begin: int, end: int) -> list[Node]:
    """The fewest nodes whose leaves are exactly [begin, end), from left to right."""
    nodes: list[Node] = []
    while begin < end:
        level = (begin & -begin).bit_length() - 1 if begin else end.bit_length() - 1
        while begin + (1 << level) > end:
            level -= 1
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a compact range that begins at leaf 0: its hashes joined from the right."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: the nodes of cover(0, size), largest first."""

    size: int
    hashes: list[bytes]

    @property
    def root(self) -> bytes:
        return fold(self.hashes)

    def append(self, leaf_hashes: Iterable[bytes]) -> None:
        """Grows by these leaves. About one and a half hashes a leaf."""
        size, hashes, sha256 = self.size, self.hashes, hashlib.sha256
        for leaf in leaf_hashes:
            carry, node = size, leaf
            while carry & 1:
                node = sha256(b"\x01" + hashes.pop() + node).digest()
                carry >>= 1
            hashes.append(node)
            size += 1
        self.size = size

    def to_bytes(self) -> bytes:
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "Frontier":
        """Raises ValueError if so many bytes cannot be the edge of a tree of that size."""
        if len(data) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"{len(data)} bytes are not the edge of a tree of {size} leaves")
        return cls(size, [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])


def full_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


# ── Proofs ──────────────────────────────────────────────────────────────────────────────────────
# Each step of a proof is one hash, made of one node or, at the right edge, of several that are folded.


def inclusion_steps(index: int, size: int) -> list[list[Node]]:
    """The nodes of the proof that leaf `index` is in the tree of `size` leaves, step by step from the leaf (§2.1.3)."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    steps: list[list[Node]] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            steps.append(cover(middle, end))
            end = middle
        else:
            steps.append(cover(begin, middle))
            begin = middle
    return steps[::-1]


def consistency_steps(first: int, second: int) -> list[list[Node]]:
    """The nodes of the proof that the tree of `second` leaves grew from that of `first` (§2.1.4)."""
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} cannot have grown from one of {first}")
    if first in (0, second):
        return []
    steps: list[list[Node]] = []
    begin, end, whole = 0, second, True
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            steps.append(cover(middle, end))
            end = middle
        else:
            steps.append(cover(begin, middle))
            begin, whole = middle, False
    if not whole:
        steps.append(cover(begin, end))
    return steps[::-1]


def proof(steps: Sequence[Sequence[Node]], hashes: Mapping[Node, bytes]) -> list[bytes]:
    """The hashes of a proof's steps, given those of all its nodes."""
    return [fold([hashes[node] for node in step]) for step in steps]


def nodes_of(steps: Iterable[Iterable[Node]]) -> set[Node]:
    return {node for step in steps for node in step}


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


# ── Checks ──────────────────────────────────────────────────────────────────────────────────────


def root_from_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a proof of inclusion leads to (§2.1.3.2). Raises ProofError if it has not the right length."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    node, at, last = leaf_hash, index, size - 1
    for hash_ in path:
        if not last:
            raise ProofError("the proof is too long")
        if at & 1 or at == last:
            node = node_hash(hash_, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, hash_)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return node


def check_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> None:
    """Raises ProofError unless the path shows that the second tree grew from the first (§2.1.4.2)."""
    if not 0 <= first <= second:
        raise ProofError(f"a tree of {second} cannot have grown from one of {first}")
    if first in (0, second):
        known = first_root == (EMPTY_ROOT if first == 0 else second_root)
        if path or not known:
            raise ProofError("the trees are not the same")
        return
    hashes = list(path)
    if not first & (first - 1):
        hashes.insert(0, first_root)
    if not hashes:
        raise ProofError("the proof is too short")
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = hashes[0]
    for hash_ in hashes[1:]:
        if not last:
            raise ProofError("the proof is too long")
        if at & 1 or at == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, hash_)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    if old != first_root or new != second_root:
        raise ProofError("the proof leads to other roots")


def root_from_range(
    first: int, size: int, left: Sequence[bytes], leaves: Iterable[bytes], right: Sequence[bytes]
) -> bytes:
    """The root of the tree of `size` leaves, from the leaves of a range that begins at `first` and what lies around it.

    `left` and `right` are the compact ranges before and after. Raises ProofError if they do not fit.
    """
    if len(left) != len(cover(0, first)):
        raise ProofError("what lies before the range does not fit")
    tree = Frontier(first, list(left))
    tree.append(leaves)
    rest = cover(tree.size, size) if tree.size <= size else []
    if tree.size > size or len(right) != len(rest):
        raise ProofError("what lies after the range does not fit")
    for (level, _), hash_ in zip(rest, right, strict=True):
        _join(tree, level, hash_)
    return tree.root


def _join(tree: Frontier, level: int, node: bytes) -> None:
    """Appends a full subtree of 2^level leaves, where the tree's size is a multiple of that."""
    carry = tree.size >> level
    while carry & 1:
        node = node_hash(tree.hashes.pop(), node)
        carry >>= 1
    tree.hashes.append(node)
    tree.size += 1 << level
