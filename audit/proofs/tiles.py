"""The nodes of a tree as it is kept: full tiles of 256 hashes (C2SP tlog-tiles, height 8), and the edges that grow.

Tile (level, index) holds the roots of 256 neighbouring full subtrees of 256^level leaves. Tiles that are not full yet
are not kept: at level 0 their hashes are the newest leaves; above, they are the tree's edges.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit.proofs.merkle import HASH_BYTES, Frontier, Node, full_root

HEIGHT = 8
WIDTH = 1 << HEIGHT

Place = tuple[int, int]
"""(level, index) of a tile"""


@dataclass(frozen=True, slots=True)
class Tile:
    level: int
    index: int
    hashes: bytes


@dataclass(slots=True)
class Tree:
    """A growing tree: its frontier, and from level 1 on the hashes of the tile that is not full yet."""

    frontier: Frontier
    edges: list[list[bytes]]

    def append(self, pending: Sequence[bytes], leaf_hashes: Sequence[bytes]) -> list[Tile]:
        """Grows by these leaves; the tiles that became full. `pending` are the leaves since the last full tile."""
        index = self.frontier.size // WIDTH
        self.frontier.append(leaf_hashes)
        row = [*pending, *leaf_hashes]
        tiles: list[Tile] = []
        for begin in range(0, len(row) - WIDTH + 1, WIDTH):
            full = row[begin : begin + WIDTH]
            tiles.append(Tile(0, index, b"".join(full)))
            self._rise(1, index, full_root(full), tiles)
            index += 1
        return tiles

    def _rise(self, level: int, index: int, root: bytes, tiles: list[Tile]) -> None:
        """Adds the root of the tile `index` below to the edge of a level."""
        while len(self.edges) < level:
            self.edges.append([])
        edge = self.edges[level - 1]
        edge.append(root)
        if len(edge) == WIDTH:
            tiles.append(Tile(level, index // WIDTH, b"".join(edge)))
            self._rise(level + 1, index // WIDTH, full_root(edge), tiles)
            edge.clear()


def split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def place_of(node: Node) -> Place:
    """The tile that tells a node."""
    level, index = node
    return level // HEIGHT, index >> (HEIGHT - level % HEIGHT)


def is_full(place: Place, size: int) -> bool:
    """Whether a tree of that size has all of a tile."""
    level, index = place
    return (index + 1) << HEIGHT * (level + 1) <= size


def nodes(wanted: Iterable[Node], rows: Mapping[Place, Sequence[bytes]]) -> dict[Node, bytes]:
    """The hashes of nodes, from the hashes of their tiles (full or not)."""
    found = {}
    for level, index in wanted:
        count = 1 << level % HEIGHT
        begin = index * count % WIDTH
        found[level, index] = full_root(rows[place_of((level, index))][begin : begin + count])
    return found
