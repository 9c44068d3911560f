import hashlib

import pytest

from audit.proofs import merkle, tiles
from audit.proofs.merkle import Frontier
from audit.proofs.tiles import WIDTH, Tree

LEAVES = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(2 * WIDTH * WIDTH // 64)]


def grown(*sizes: int) -> tuple[Tree, dict[tiles.Place, bytes]]:
    """A tree that grew to each of these sizes in turn, and the tiles it left behind."""
    tree, kept = Tree(Frontier(0, []), []), {}
    for size in sizes:
        pending = LEAVES[tree.frontier.size - tree.frontier.size % WIDTH : tree.frontier.size]
        for tile in tree.append(pending, LEAVES[tree.frontier.size : size]):
            assert (tile.level, tile.index) not in kept
            kept[tile.level, tile.index] = tile.hashes
    return tree, kept


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 1000])
def test_only_full_tiles_are_left_behind(size):
    tree, kept = grown(size)
    assert kept == {(0, n): b"".join(LEAVES[n * WIDTH : (n + 1) * WIDTH]) for n in range(size // WIDTH)}
    assert [len(edge) for edge in tree.edges] == [size // WIDTH] * bool(size // WIDTH)


def test_however_it_grows_it_is_the_same_tree():
    whole, kept = grown(1000)
    for steps in ([1, 1000], [255, 256, 257, 1000], range(1, 1001), [512, 600, 1000]):
        other, left = grown(*steps)
        assert (other.frontier, other.edges, left) == (whole.frontier, whole.edges, kept)


def test_a_full_tile_of_tiles_rises_a_level():
    tree = Tree(Frontier(0, []), [])
    leaves = [hashlib.sha256(b"x").digest()] * (WIDTH * WIDTH + WIDTH)
    made = tree.append([], leaves)
    assert [(tile.level, tile.index) for tile in made if tile.level] == [(1, 0)]
    assert made[-2].level == 1
    assert [len(edge) for edge in tree.edges] == [1, 1]
    assert tree.edges[1][0] == merkle.full_root(tiles.split(next(tile.hashes for tile in made if tile.level)))


@pytest.mark.parametrize("size", [1, 300, 1000])
def test_every_node_is_found_in_its_tile(size):
    tree, kept = grown(size)
    rows = {place: tiles.split(hashes) for place, hashes in kept.items()}
    rows[0, size // WIDTH] = LEAVES[size - size % WIDTH : size]
    if tree.edges:
        rows[1, 0] = tree.edges[0]
    for begin in range(0, size, 7):
        wanted = merkle.cover(begin, size)
        assert {tiles.place_of(node) for node in wanted} <= rows.keys()
        found = tiles.nodes(wanted, rows)
        for (level, index), hash_ in found.items():
            assert hash_ == merkle.full_root(LEAVES[index << level : (index + 1) << level])
    assert all(tiles.is_full(place, size) for place in kept)
    assert not tiles.is_full((0, size // WIDTH), size)
