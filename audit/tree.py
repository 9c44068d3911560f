"""The Merkle tree in the database: integrated by the sealer, read for proofs."""

import datetime as dt
from collections.abc import Iterator, Sequence

import psycopg

from audit.proofs import merkle, tiles
from audit.proofs.merkle import Frontier, Node
from audit.proofs.tiles import Place, Tree

LEAVES_AT_ONCE = 20_000
PROOFS_AT_ONCE = 500


def integrate(cursor: psycopg.Cursor) -> int:
    """Takes the numbered leaves that follow into the tree; how many. In the caller's transaction."""
    cursor.execute("SELECT size, frontier, edges FROM audit_head FOR UPDATE", binary=True)
    size, frontier, edges = cursor.fetchone() or (0, b"", [])
    leaf_hashes = _leaves(cursor, size, size + LEAVES_AT_ONCE)
    if not leaf_hashes:
        return 0
    tree = Tree(Frontier.from_bytes(size, frontier), [tiles.split(edge) for edge in edges])
    crosses = size // tiles.WIDTH != (size + len(leaf_hashes)) // tiles.WIDTH
    pending = _leaves(cursor, size - size % tiles.WIDTH, size) if crosses else []
    full = tree.append(pending, leaf_hashes)
    if full:
        with cursor.copy("COPY audit_tile (level, index, hashes) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int2", "int8", "bytea"])
            for tile in full:
                copy.write_row((tile.level, tile.index, tile.hashes))
    cursor.execute(
        "INSERT INTO audit_head (size, frontier, edges, integrated_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (id) DO UPDATE SET size = excluded.size, frontier = excluded.frontier, edges = excluded.edges,"
        " integrated_at = excluded.integrated_at",
        [
            tree.frontier.size,
            tree.frontier.to_bytes(),
            [b"".join(edge) for edge in tree.edges],
            dt.datetime.now(dt.UTC),
        ],
    )
    return len(leaf_hashes)


def _leaves(cursor: psycopg.Cursor, first: int, end: int) -> list[bytes]:
    cursor.execute(
        "SELECT leaf_hash FROM audit_seal WHERE seq >= %s AND seq < %s ORDER BY seq", [first, end], binary=True
    )
    return [leaf_hash for (leaf_hash,) in cursor]


def size(cursor: psycopg.Cursor) -> int:
    """How many leaves are integrated."""
    cursor.execute("SELECT size FROM audit_head")
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def inclusion(cursor: psycopg.Cursor, seq: int, size: int) -> list[bytes]:
    """The proof that leaf `seq` is in the tree of `size` leaves. Raises ValueError beyond what is integrated."""
    return _proof(cursor, merkle.inclusion_steps(seq, size), size)


def inclusions(cursor: psycopg.Cursor, numbers: Sequence[int], size: int) -> Iterator[tuple[int, list[bytes]]]:
    """As `inclusion` for many leaves, in their order: a tile is read once for some hundred of them."""
    for begin in range(0, len(numbers), PROOFS_AT_ONCE):
        steps = {seq: merkle.inclusion_steps(seq, size) for seq in numbers[begin : begin + PROOFS_AT_ONCE]}
        hashes = nodes(cursor, {node for each in steps.values() for node in merkle.nodes_of(each)}, size)
        for seq, each in steps.items():
            yield seq, merkle.proof(each, hashes)


def consistency(cursor: psycopg.Cursor, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `second` leaves grew from that of `first`. Raises ValueError likewise."""
    return _proof(cursor, merkle.consistency_steps(first, second), second)


def compact_range(cursor: psycopg.Cursor, begin: int, end: int) -> list[bytes]:
    """The hashes that cover the leaves [begin, end), from left to right."""
    wanted = merkle.cover(begin, end)
    hashes = nodes(cursor, wanted, end)
    return [hashes[node] for node in wanted]


def root(cursor: psycopg.Cursor, size: int) -> bytes:
    """The root over the first `size` leaves."""
    return merkle.fold(compact_range(cursor, 0, size))


def _proof(cursor: psycopg.Cursor, steps: list[list[Node]], size: int) -> list[bytes]:
    return merkle.proof(steps, nodes(cursor, merkle.nodes_of(steps), size))


def nodes(cursor: psycopg.Cursor, wanted: Sequence[Node] | set[Node], size: int) -> dict[Node, bytes]:
    """The hashes of nodes of the tree of `size` leaves: three queries at the most. ValueError if it is not integrated.

    The head is read first: every tile that it calls full is there, and stays.
    """
    cursor.execute("SELECT size, edges FROM audit_head", binary=True)
    integrated, edges = cursor.fetchone() or (0, [])
    if size > integrated:
        raise ValueError(f"only {integrated} events are integrated")
    rows: dict[Place, Sequence[bytes]] = {}
    places = {tiles.place_of(node) for node in wanted}
    full = [place for place in places if tiles.is_full(place, integrated)]
    if full:
        cursor.execute(
            "SELECT level, index, hashes FROM audit_tile WHERE (level, index) IN"
            " (SELECT * FROM unnest(%s::smallint[], %s::bigint[]))",
            [[level for level, _ in full], [index for _, index in full]],
            binary=True,
        )
        rows |= {(level, index): tiles.split(hashes) for level, index, hashes in cursor}
    for level, index in places - set(full):
        if level:
            rows[level, index] = tiles.split(edges[level - 1])
        else:
            rows[level, index] = _leaves(cursor, index * tiles.WIDTH, integrated)
    return tiles.nodes(wanted, rows)
